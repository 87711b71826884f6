"""What others have searched before: a study file from their tools, and their trials for `warm_start`."""

from automl.importing.imported import FinishedTrial, Imported

__all__ = ["FinishedTrial", "Imported"]
