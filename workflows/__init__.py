"""Knows Argo: compiles a study into a Workflow. Needs the extra `cluster`."""

from workflows.compile import compile_study

__all__ = ["compile_study"]
