"""report.html shows all that a study's record says, on one static page without scripts. See page.py."""
