"""Knows Argo: compiles a study into a Workflow (issue B)."""
