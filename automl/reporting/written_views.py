"""views.json: the sha256 of every view, as the last rebuild wrote it.

A newer version of this package may show the same record in another way. Then the sha256 in views.json tells a view that
is whole, as the older version wrote it, from one that was changed later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.search.formats import FORMAT, reading
from automl.search.history import History
from automl.stores.base import Store
from automl.study.keys import VIEWS
from automl.study.record import Record, digest
from automl.text import strict_json


@dataclass(frozen=True)
class WrittenViews:
    """The sha256 of each view by its key, and how many decisions and results the record held when they were written.

    The files of the best checkpoint are left out: best_model/manifest.json has theirs.
    """

    decisions: int
    results: int
    sha256: Mapping[str, str]

    @classmethod
    def read(cls, record: Record) -> WrittenViews | None:
        """Those that are stored; None where an older version wrote the views. Raises RecordError for a damaged one."""
        stored = record.store.get(VIEWS)
        if stored is None:
            return None
        data = strict_json.load(stored, VIEWS)
        with reading(data, VIEWS):
            sha256 = {str(key): str(value) for key, value in data["sha256"].items()}
            return cls(int(data["decisions"]), int(data["results"]), sha256)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "decisions": self.decisions,
            "results": self.results,
            "sha256": dict(sorted(self.sha256.items())),
        }

    def is_of(self, history: History) -> bool:
        """Whether they were written when the record held as much as this history."""
        return (self.decisions, self.results) == (len(history.decisions), len(history.results))


class Remembering:
    """A store that also remembers the `sha256` of all bytes that are put into it, and the keys of the `files` put."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.sha256, self.files = dict[str, str](), set[str]()
        self.get, self.fetch, self.list = store.get, store.fetch, store.list
        self.create, self.delete = store.create, store.delete

    @property
    def uri(self) -> str:
        return self._store.uri

    def put(self, key: str, data: bytes | Path) -> None:
        self.remember(key, data)
        self._store.put(key, data)

    def remember(self, key: str, data: bytes | Path) -> None:
        """Remembers the object without storing it."""
        if isinstance(data, bytes):
            self.sha256[key] = digest(data)
        else:
            self.files.add(key)


_KEEPS_THE_PROTOCOL: type[Store] = Remembering
