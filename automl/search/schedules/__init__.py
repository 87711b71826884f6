"""Schedules: how many experiments and how long. `base.py` says what one is."""
