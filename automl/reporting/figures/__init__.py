"""What a figure shows, as numbers; the page and `automl.plots` draw the same."""
