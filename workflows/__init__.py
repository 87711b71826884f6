"""Knows Argo: compiles a study into a Workflow. Needs the extra `cluster`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["compile_study", "workflow_template"]


def __getattr__(name: str) -> Any:
    """The public functions, loaded when they are asked for: hera takes a second, which an estimate does without."""
    if name in __all__:
        return getattr(import_module("workflows.compile"), name)
    raise AttributeError(f"module 'workflows' has no attribute {name!r}")
