"""A study as a table of pandas, for notebooks. Needs the extra 'export'."""

from __future__ import annotations

import pandas as pd

from automl.export.rows import rows
from automl.opening import open_study

__all__ = ["experiments_frame"]


def experiments_frame(place: str) -> pd.DataFrame:
    """One row for every run of an experiment; `automl.export.rows` describes the columns.

    `place` is the study file, or where the study is stored: a folder or s3://bucket/prefix. Raises RecordError when no
    study is stored there.
    """
    opened = open_study(place)
    return pd.DataFrame(list(rows(opened.definition, opened.history())))
