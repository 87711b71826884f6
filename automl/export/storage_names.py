"""Names of a storage of Optuna, apart from the rest, which needs Optuna itself."""

SQLITE, JOURNAL = (".db", ".sqlite", ".sqlite3"), (".log", ".journal")  # endings of a file
MEASURED = "measured"  # the attribute of a trial with the values of its further metrics by epoch, as in a result
