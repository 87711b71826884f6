"""A study as a table of pandas, for notebooks. Needs the extra 'export'."""

from __future__ import annotations

import pandas as pd

from automl.export.rows import rows
from automl.record import Record
from automl.stores import open_store
from automl.study_file import Definition


def experiments_frame(place: str) -> pd.DataFrame:
    """One row for every run of an experiment; `automl.export.rows` describes the columns.

    place: where the study lies, a folder or s3://bucket/prefix. Raises RecordError when none lies there.
    """
    record = Record(open_store(place))
    definition = Definition.from_json(record.metadata())
    study = record.study(definition.brain.metric, definition.plan.stages)
    return pd.DataFrame(list(rows(definition, study)))
