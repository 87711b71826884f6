"""The manifest of a checkpoint: its files, their sizes and sha256. A checkpoint exists when its manifest does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from automl.search.formats import FORMAT
from automl.search.history import Checkpoint
from automl.search.measurements import Measurements, from_json, to_json
from automl.study.keys import MANIFEST
from automl.text.field_types import checked


@dataclass(frozen=True)
class StoredFile:
    """A file of a checkpoint: its path below the results folder, its size in bytes, its sha256."""

    name: str
    size: int
    sha256: str

    @classmethod
    def from_json(cls, data: Any) -> StoredFile:
        """Raises KeyError, TypeError or ValueError for what is damaged."""
        return checked(cls(data["name"], data["size"], data["sha256"]))


@dataclass(frozen=True)
class Manifest:
    """A checkpoint exists when its manifest does (state rule 7).

    `history`, `measured` (of further metrics), `best` and `best_value` are what was known when it was made. `attempts`
    are those of its rung whose work is in it, and `seconds` is how long they trained. `key` is the manifest's own; the
    files lie beside it as `0`, `1`, ... in the order listed, for a trainer chooses its own file names and they may not
    be valid in a key. `folders` are the paths of its empty folders, which are part of it too.
    """

    key: str
    epoch: int
    files: tuple[StoredFile, ...]
    history: tuple[tuple[int, float], ...]
    attempts: tuple[str, ...]
    seconds: float
    best: Checkpoint | None = None
    best_value: float | None = None
    folders: tuple[str, ...] = ()
    measured: Measurements = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return self.key.removesuffix(MANIFEST)

    def file_key(self, index: int) -> str:
        return f"{self.folder}{index}"

    @classmethod
    def from_json(cls, key: str, data: Any) -> Manifest:
        """The manifest stored under `key` as `data`. Raises KeyError, TypeError or ValueError for a damaged one."""
        manifest = cls(
            key=key,
            epoch=int(data["epoch"]),
            files=tuple(StoredFile.from_json(file) for file in data["files"]),
            history=tuple((int(epoch), float(value)) for epoch, value in data["history"]),
            attempts=tuple(data["attempts"]),
            seconds=float(data["seconds"]),
            best=data["best"] and Checkpoint(**data["best"]),
            best_value=data["best_value"],
            folders=tuple(data.get("folders", ())),
            measured=from_json(data.get("measured", {})),
        )
        if not manifest.files:
            raise ValueError("it has no files")
        check_below([file.name for file in manifest.files], manifest.folders)
        return checked(manifest)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "epoch": self.epoch,
            "files": [vars(file) for file in self.files],
            **({"folders": list(self.folders)} if self.folders else {}),
            "history": [list(point) for point in self.history],
            "attempts": list(self.attempts),
            "seconds": round(self.seconds, 3),
            "best": self.best and vars(self.best),
            "best_value": self.best_value,
            **({"measured": to_json(self.measured)} if self.measured else {}),
        }


def check_below(files: Sequence[str], folders: Sequence[str] = ()) -> None:
    """Raises ValueError unless files of these names can lie side by side below one folder, with these empty folders."""
    above = {str(parent) for name in (*files, *folders) for parent in PurePosixPath(name).parents}
    for name in (*files, *folders):
        path = PurePosixPath(name)
        if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in name:
            raise ValueError("one of its files would be outside its folder")
    if len(set(files)) < len(files) or not above.isdisjoint(files) or not set(files).isdisjoint(folders):
        raise ValueError("one of its files would take the place of another")
