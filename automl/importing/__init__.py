"""A study file from what other tools have written: the table of tools, and what an import gives."""

from automl.importing.imported import FinishedTrial, Imported

__all__ = ["FinishedTrial", "Imported"]
