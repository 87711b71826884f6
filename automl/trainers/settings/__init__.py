"""Sections of train specs: every key, its default, what it may be. Imports nothing heavy."""
