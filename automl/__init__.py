"""Hyperparameter search for deep-learning training: one study file, run on a laptop or by Argo Workflows."""

__version__ = "0.1.0"
