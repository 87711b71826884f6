"""A study in a notebook: HTML of its results, progress while it runs."""
