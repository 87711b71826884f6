"""What a look at a study's objects has found: what was checked, and what is wrong with which object."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.errors import RecordError
from automl.stores.base import Store
from automl.text.digests import sha256_of

Run = tuple[int, int]  # an experiment and a rung


@dataclass
class Findings:
    """What was checked and what is wrong: `problems` and `notes` are pairs of an object and what is wrong with it."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    left_out: set[Run] = field(default_factory=set)  # asked for at the very moment when the search ended early

    def wrong(self, key: str, problem: str) -> None:
        self.problems.append((key, problem))

    def reading(self, key: str, read: Callable[[], Any]) -> Any:
        """What `read` returns; for a damaged object None, and its problem is noted."""
        try:
            return read()
        except RecordError as error:
            self.wrong(key, error.given)
            return None


@dataclass(frozen=True)
class Verification:
    """What `verify` found in a study, and how many `objects` it looked at."""

    study: str
    store: str
    objects: int
    findings: Findings

    @property
    def is_whole(self) -> bool:
        return not self.findings.problems

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "store": self.store,
            "whole": self.is_whole,
            "problems": [{"object": key, "problem": problem} for key, problem in self.findings.problems],
            "notes": [{"object": key, "note": note} for key, note in self.findings.notes],
            "checked": {"objects": self.objects, **dict(sorted(self.findings.checked.items()))},
        }


def stored_digest(store: Store, key: str) -> str | None:
    """The sha256 of an object that may be larger than the memory; None for a missing one."""
    with tempfile.TemporaryDirectory(prefix="automl-verify-") as folder:
        to = Path(folder) / "object"
        return sha256_of(to) if store.fetch(key, to) else None
