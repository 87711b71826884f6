"""The manifest of a checkpoint: its files, their sizes and sha256. A checkpoint exists when its manifest does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from automl.search.history import FORMAT, Checkpoint
from automl.study.keys import MANIFEST


@dataclass(frozen=True)
class StoredFile:
    """A file of a checkpoint: its path below the results folder, its size in bytes, its sha256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A checkpoint exists when its manifest does (state rule 7).

    `history`, `best` and `best_value` are what was known when the checkpoint was made. `attempts` are those of its rung
    whose work is in it, and `seconds` is how long they trained. `key` is the manifest's own; the files lie beside it as
    `0`, `1`, ... in the order listed, for a trainer chooses its own file names and they may not be valid in a key.
    """

    key: str
    epoch: int
    files: tuple[StoredFile, ...]
    history: tuple[tuple[int, float], ...]
    attempts: tuple[str, ...]
    seconds: float
    best: Checkpoint | None = None
    best_value: float | None = None

    @property
    def folder(self) -> str:
        return self.key.removesuffix(MANIFEST)

    def file_key(self, index: int) -> str:
        return f"{self.folder}{index}"

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "epoch": self.epoch,
            "files": [vars(file) for file in self.files],
            "history": [list(point) for point in self.history],
            "attempts": list(self.attempts),
            "seconds": round(self.seconds, 3),
            "best": self.best and vars(self.best),
            "best_value": self.best_value,
        }


def _is_below(name: str) -> bool:
    """Whether a file of this name lies below the folder that it is put into."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts
