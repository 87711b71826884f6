"""Shows a study: figures, the page report.html, tables in a terminal, HTML in a notebook."""
