"""What can be done with a study that was begun: one verb a file."""
