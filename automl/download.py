"""A study copied into a folder of this machine, where it is the same study: every command goes on with it there.

The metadata comes first, so that a download that was cut off is known as one and the same command goes on with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from automl.errors import InvalidInput, RecordError
from automl.record import ADDED, METADATA, STUDY_FILE, Record
from automl.stores.folder import FolderStore

_CHECKPOINT = re.compile(r"experiment_\d+/rung_\d+/[^/]+/checkpoints/.+")
_ONCE = (
    METADATA,
    STUDY_FILE,
    "decisions/",
    "results/",
    *(f"{each}/" for each in ADDED),
)  # never change: what is here need not come again


class Download:
    """The objects of a study, each fetched into the folder `to` while they are iterated.

    Raises InvalidInput when something else lies there.
    """

    def __init__(self, record: Record, to: Path, *, checkpoints: bool) -> None:
        self._store, self._to = record.store, to
        here = _study_in(to)
        if here not in {None, record.metadata()["sha256"]}:
            raise InvalidInput(f"{to} holds another study", advice="give another folder, or remove it first")
        keys = [key for key in self._store.list("") if checkpoints or not _CHECKPOINT.fullmatch(key)]
        self._keys = sorted(keys, key=lambda key: key != METADATA)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        for key in self._keys:
            path = self._to / key
            if not (path.is_file() and (key.startswith(_ONCE) or _CHECKPOINT.fullmatch(key))):
                self._store.fetch(key, path)  # one that was deleted in the meantime is not wanted any more
            yield key


def _study_in(folder: Path) -> str | None:
    """The sha256 of the study that a folder holds; None for no folder and an empty one. Raises InvalidInput."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if folder.is_dir() and (folder / METADATA).is_file():
        try:
            return str(Record(FolderStore(folder)).metadata()["sha256"])
        except RecordError as error:
            raise InvalidInput(f"{folder} holds another study, damaged", advice="give another folder") from error
    raise InvalidInput(f"{folder} is there already, and is no study", advice="give another name, or an empty folder")
