"""By which endings of its name a storage of Optuna is known; apart from the rest, which needs Optuna itself."""

SQLITE, JOURNAL = (".db", ".sqlite", ".sqlite3"), (".log", ".journal")
