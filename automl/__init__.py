"""Hyperparameter search for deep-learning training: one study file, run on a laptop or by Argo Workflows."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`automl.Study` is `automl.notebook.Study`, imported when it is first named: `import automl` stays light."""
    if name == "Study":
        return import_module("automl.notebook").Study
    raise AttributeError(f"module 'automl' has no attribute {name!r}")


def open_study(study: str, store: str | None = None) -> Any:
    """A study that was begun, by its file, a folder, or s3://bucket/prefix: see `automl.opening.open_study`."""
    return import_module("automl.opening").open_study(study, store)  # not before: `import automl` stays light
