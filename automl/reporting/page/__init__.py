"""report.html: all that a study's record says, on one static page without scripts. See page.py."""
