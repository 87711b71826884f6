"""One study: its file and all that follows from it, its stored record, keys, events, summary."""
