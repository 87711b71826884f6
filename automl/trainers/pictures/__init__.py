"""Pictures as data: packaged ones, drawn ones, and folders of a user's own."""
