"""Schedules: how many experiments and how long. `base.py` defines what one is."""
