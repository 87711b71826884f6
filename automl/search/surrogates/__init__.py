"""Surrogates: the models that samplers learn from results."""
