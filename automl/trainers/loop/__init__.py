"""From the first epoch, or a checkpoint, to the last: what all training programs do alike."""
