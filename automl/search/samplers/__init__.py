"""Samplers: which values are tried. `base.py` says what one is."""
