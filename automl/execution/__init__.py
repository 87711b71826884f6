"""Carries a study out: on this machine, or step by step in the pods of a workflow."""
