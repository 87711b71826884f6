"""Copies a study into a folder of this machine, where it stays the same study: every command goes on with it there.

The metadata comes first, so that a download that was cut off is recognized and the same command goes on with it.
`fetch_best_model` copies its best model alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import CheckpointError, InvalidInput, RecordError
from automl.stores import Store
from automl.stores.folder import FolderStore
from automl.study.best_model import BestModel, hidden_keys
from automl.study.experiments import experiments
from automl.study.keys import BEST_MODEL, METADATA, REMOVED, checkpoint_object, is_created_once
from automl.study.manifest import StoredFile
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.text.digests import sha256_of
from automl.text.new_files import already_exists, check_new


class Download:
    """The objects of a study, each fetched into the folder `to` while they are iterated.

    Raises InvalidInput when something else lies there.
    """

    def __init__(self, opened: OpenedStudy, to: Path, *, checkpoints: bool) -> None:
        self._store, self._to = opened.record.store, to
        here = _study_in(to)
        if here not in {None, opened.metadata["sha256"]}:
            raise InvalidInput(f"{to} holds another study", advice="give another folder, or remove it first")
        keys = [key for key in self._store.list("") if checkpoints or checkpoint_object(key) is None]
        keys += _hidden_in_best_model(opened.record)
        self._keys = sorted(keys, key=lambda key: key != METADATA)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        for key in self._keys:
            path = self._to / key
            if not (path.is_file() and _never_changes(key)):
                self._store.fetch(key, path)  # an object deleted in the meantime is no longer needed
            yield key


def _hidden_in_best_model(record: Record) -> list[str]:
    """The objects of best_model/ that a listing leaves out."""
    try:
        model = BestModel.read(record)
    except RecordError:  # a damaged study is copied as it stands, and `verify` says what is wrong with it
        model = None
    return [] if model is None else hidden_keys(model.files)


def _never_changes(key: str) -> bool:
    """Whether an object that was downloaded once need not be downloaded again."""
    return is_created_once(key) or checkpoint_object(key) is not None


def _study_in(folder: Path) -> str | None:
    """The sha256 of the study that a folder holds; None if the folder is missing or empty. Raises InvalidInput."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if folder.is_dir() and (folder / METADATA).is_file():
        try:
            return str(Record(FolderStore(folder)).metadata()["sha256"])
        except RecordError as error:
            raise InvalidInput(f"{folder} holds another study, damaged", advice="give another folder") from error
    raise already_exists(folder, what=" and holds no study", advice="give another name, or an empty folder")


@dataclass(frozen=True)
class FetchedFile:
    """A file of a best model: its name in the folder, and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class FetchedModel:
    """A best model that was copied into `folder`: the experiment and the epoch it is of, and its files."""

    experiment: int
    epoch: int
    folder: Path
    files: tuple[FetchedFile, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment,
            "epoch": self.epoch,
            "folder": str(self.folder),
            "files": [{"file": file.name, "bytes": file.size} for file in self.files],
        }


def fetch_best_model(record: Record, to: Path) -> FetchedModel:
    """Copies best_model/ into a new folder, whole or not at all.

    Raises RecordError while there is none, CheckpointError for a file that is missing or not as its manifest says,
    InvalidInput when the folder cannot be made.
    """
    model = BestModel.read(record)
    if model is None:
        raise RecordError("there is no best_model yet", advice="wait for the end of the search")
    check_new(to)
    own = {file.key for file in model.files}
    with tempfile.TemporaryDirectory(prefix=".tmp-best-", dir=to.parent) as folder:
        copy = Path(folder) / to.name
        for key in record.store.list(BEST_MODEL):
            if key not in own:
                record.store.fetch(key, copy / key.removeprefix(BEST_MODEL))
        _fetch_checked(record.store, [(one.key, one.file) for one in model.files], model.folders, copy)
        shutil.move(copy, to)
    return FetchedModel(model.experiment, model.epoch, to, _files_in(to))


def fetch_experiment(opened: OpenedStudy, number: int, to: Path) -> FetchedModel:
    """Copies the checkpoint that is kept of an experiment into a new folder, whole or not at all: one of a front, say.

    Raises InvalidInput for an experiment that does not exist or has no checkpoint, CheckpointError for a damaged one.
    """
    every = {each.number: each for each in experiments(opened.history(), opened.definition.plan)}
    if number not in every:
        allowed = f"0 to {max(every)}" if every else "none yet"
        raise InvalidInput(f"--experiment: there is no experiment {number}", allowed=allowed)
    results = [result for result in every[number].results if result.best is not None and result.failure is None]
    if not results or results[-1].best is None:
        raise InvalidInput(
            f"--experiment: experiment {number} has no checkpoint to copy", advice=f"see 'automl why STUDY {number}'"
        )
    check_new(to)
    manifest = opened.record.manifest(results[-1].best.manifest)
    if manifest is None:
        removed = "automl gc has removed it" if any(opened.record.user_changes(REMOVED)) else "it is not in the store"
        raise CheckpointError(f"the checkpoint of experiment {number} is gone: {removed}")
    with tempfile.TemporaryDirectory(prefix=".tmp-experiment-", dir=to.parent) as folder:
        copy = Path(folder) / to.name
        listed = [(manifest.file_key(index), file) for index, file in enumerate(manifest.files)]
        _fetch_checked(opened.record.store, listed, manifest.folders, copy)
        shutil.move(copy, to)
    return FetchedModel(number, manifest.epoch, to, _files_in(to))


def _fetch_checked(store: Store, listed: Sequence[tuple[str, StoredFile]], folders: Sequence[str], copy: Path) -> None:
    """Fetches the files of a manifest, each by its key, and makes its folders. Raises CheckpointError."""
    for key, file in listed:
        path = copy / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not store.fetch(key, path) or sha256_of(path) != file.sha256:
            raise CheckpointError(f"{key} is missing or not as its manifest says")
    for name in folders:
        (copy / name).mkdir(parents=True, exist_ok=True)


def _files_in(folder: Path) -> tuple[FetchedFile, ...]:
    return tuple(
        FetchedFile(path.relative_to(folder).as_posix(), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
