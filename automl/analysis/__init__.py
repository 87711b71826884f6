"""Numbers about a study: how far it is, the time left, why a value was chosen, what it cost. No HTML, no console."""
