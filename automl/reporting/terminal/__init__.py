"""A study in a terminal: tables, the live view, metrics for Prometheus."""
