"""How a study that was begun is opened, by its file or by the folder or bucket in which it is stored."""

from __future__ import annotations

from pathlib import Path

from automl.stores import open_store
from automl.study import study_file
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record

__all__ = ["open_study"]


def open_study(study: str, store: str | None = None) -> OpenedStudy:
    """A study that was begun: `record, definition = open_study(...)`; `automl.open_study` is the same function.

    `study` is its file, a folder, or s3://bucket/prefix. `store` says where it is stored, when that is not what its
    file says. The result has `history()` and `experiments()` too. Raises InvalidInput for a file that cannot be read,
    and RecordError when the store holds no study.
    """
    path = Path(study)
    settings = None
    if path.is_file() or (path.suffix in {".yaml", ".yml"} and not path.is_dir()):
        definition = study_file.read(path)
        settings = definition.file
        if store is None:
            store = study_file.store_uri(definition, path)
    return OpenedStudy.read(Record(open_store(store or study)), settings)
