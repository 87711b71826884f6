"""A study's record for one short step, in a pod whose store is some distance away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from automl.search.history import History
from automl.stores.base import Store
from automl.study.definition import Definition
from automl.study.keys import DECISIONS
from automl.study.record import SIDE_BY_SIDE, Record


class PrefetchingRecord(Record):
    """The record for one short step: reads an object that is created once only once, and many objects at the same time.

    A request takes tens of milliseconds, nearly all of it on the way. An absent object is requested again each time.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._read: dict[str, bytes] = {}

    def read_decisions(self) -> None:
        """Reads all stored decisions at once, before they are requested one by one."""
        self._prefetch(self.store.list(DECISIONS))

    def read_results(self, runs: Iterable[tuple[int, int]]) -> None:
        """Reads the results of these experiments and rungs at once, before they are requested one by one."""
        self._prefetch(self.result_keys(experiment, rung)[-1] for experiment, rung in runs)

    def history(self, definition: Definition) -> History:
        """All decisions and results of the study, in order."""
        self.retries()
        self.read_decisions()
        decisions = [decision for stage in definition.plan.stages for decision, _ in self.decisions_in(stage)]
        self.read_results((issued.number, rung) for decision in decisions for issued, rung in decision.runs())
        return super().history(definition)

    def get_many(self, keys: Sequence[str], side_by_side: int = SIDE_BY_SIDE) -> list[bytes | None]:
        """Like that of any record, with several requests at the same time by default."""
        return super().get_many(keys, side_by_side)

    def _created_once(self, key: str) -> bytes | None:
        if key not in self._read:
            self._prefetch([key])
        return self._read.get(key)

    def _prefetch(self, keys: Iterable[str]) -> None:
        missing = [key for key in keys if key not in self._read]
        objects = self.get_many(missing)
        self._read |= {key: data for key, data in zip(missing, objects, strict=True) if data is not None}
