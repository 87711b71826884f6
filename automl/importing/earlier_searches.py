"""The earlier searches that a study file names in `warm_start`, read and fitted to the study's own search space.

Three kinds of source: a study of ours (its folder or s3:// address, or its file), a table in CSV, and a storage of
Optuna. What does not fit is left out, and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from automl.errors import InvalidInput, RecordError, StudyFileError
from automl.export.storage_names import JOURNAL, SQLITE
from automl.importing.earlier_study import finished_in_study
from automl.importing.earlier_table import finished_in_table
from automl.importing.finished import Finished
from automl.importing.fitting import fitted
from automl.problem.metric import Metric
from automl.study.definition import Definition
from automl.text.extras import not_installed

_KINDS = "the folder or s3:// address of a study, NAME.csv, or NAME.log or NAME.db of Optuna"


def with_earlier(definition: Definition, base: Path, where: str = "study.yaml") -> Definition:
    """The definition with the earlier searches that its file names, read now. Nothing is written.

    Paths are looked up from `base`; errors begin with `where`, the name of the study file. Raises StudyFileError for a
    source that cannot be read, has no finished trial that fits, or does not hold the metric; StoreError when a bucket
    cannot be reached.
    """
    sources = definition.file.warm_start or []
    if not sources:
        return definition
    try:
        searches = tuple(fitted(_finished(source, definition, base), definition, source) for source in sources)
    except StudyFileError as error:
        raise StudyFileError(f"{where}: {error.given}", allowed=error.allowed, advice=error.advice) from error
    return replace(definition, earlier=searches)


def _finished(source: str, definition: Definition, base: Path) -> Finished:
    """All finished trials of a source. Raises StudyFileError, which names it."""
    metrics = [rule.metric() for rule in definition.metric_rules]
    try:
        if "://" in source and not source.startswith("sqlite:///"):
            if not source.startswith("s3://"):
                raise InvalidInput("not an address that is read", allowed=_KINDS)
            return finished_in_study(source, metrics)
        text, _, name = source.removeprefix("sqlite:///").partition("#")
        path = base / text
        if path.is_dir() or path.suffix in {".yaml", ".yml"}:
            return finished_in_study(str(path), metrics)
        if not path.is_file():
            raise InvalidInput(
                f"there is no {path}", allowed=_KINDS, advice="a path is one from the study file's folder"
            )
        if path.suffix.lower() == ".csv":
            return finished_in_table(path, definition)
        if path.suffix.lower() in (*SQLITE, *JOURNAL):
            return _of_optuna(path, name or None, metrics)
        raise InvalidInput(f"{path.name} does not say by its name what it is", allowed=_KINDS)
    except (InvalidInput, RecordError) as error:
        raise StudyFileError(
            f"warm_start: {source}: {error.given}", allowed=error.allowed, advice=error.advice
        ) from error


def _of_optuna(path: Path, name: str | None, metrics: Sequence[Metric]) -> Finished:
    """The trials of a storage. Needs Optuna."""
    try:
        from automl.importing.earlier_storage import finished_in_storage  # noqa: PLC0415 - it is an extra
    except ModuleNotFoundError as error:
        raise not_installed(str(error.name), "export", doing=f"warm_start: {path.name}: ") from error
    return finished_in_storage(path, name, metrics)
