"""The steps that run in the pods of a workflow, which `automl.pod` calls: each is safe to repeat."""
