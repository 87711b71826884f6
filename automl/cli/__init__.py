"""The command `automl`: each file holds the commands of one subject, and `app.py` puts them together."""

from automl.cli.app import main

__all__ = ["main"]
