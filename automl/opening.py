"""How a study that was begun is opened, from its file or from where it lies."""

from __future__ import annotations

from pathlib import Path

from automl.stores import open_store
from automl.study import study_file
from automl.study.definition import Definition
from automl.study.record import Record

__all__ = ["open_study"]


def open_study(study: str, store: str | None = None) -> tuple[Record, Definition]:
    """The record and definition of a study. study: its file, a folder, or s3://bucket/prefix. store: where it lies.

    Raises InvalidInput for a file that cannot be read, and RecordError when no study lies there.
    """
    path = Path(study)
    settings = None
    if path.is_file() or (path.suffix in {".yaml", ".yml"} and not path.is_dir()):
        definition = study_file.read(path)
        store, settings = uri_of(definition, path, store), definition.file
    record = Record(open_store(store or study))
    return record, Definition.from_json(record.metadata(), settings)


def uri_of(definition: Definition, study: Path, store: str | None) -> str:
    """Where a study lies: the option, or what its file says."""
    return store if store is not None else study_file.store_uri(definition, study)
