"""How a training fails, beside a wrong train spec."""

from __future__ import annotations

from automl.errors import AutoMLError


class CheckpointFileError(AutoMLError):
    """A checkpoint file cannot be read, or is not one of this program."""


class Diverged(AutoMLError):
    """The loss of an epoch is not finite. `metrics` are that epoch's, the bad ones NaN or infinite."""

    def __init__(self, epoch: int, metrics: dict[str, float]) -> None:
        super().__init__(f"loss is not finite at epoch {epoch}")
        self.epoch, self.metrics = epoch, metrics


class OutOfMemory(AutoMLError):
    """The memory, of the GPU or of the machine, does not hold the training."""
