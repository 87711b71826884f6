"""Tasks: a network, a loss, a judgement, and data in parts; one file for each program."""
