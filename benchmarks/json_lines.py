"""Finished searches as lines of JSON in a file, so that nothing is searched twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def append(path: Path, finished: DataclassInstance) -> None:
    """Add a run to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(finished)) + "\n")


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """What was added to the file, run by run; nothing where it does not exist."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)
