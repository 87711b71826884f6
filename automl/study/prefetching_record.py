"""A study's record as one short step reads it, in a pod whose store is some way off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from automl.search.history import History
from automl.stores.base import Store
from automl.study.definition import Definition
from automl.study.keys import DECISIONS, result_key
from automl.study.record import SIDE_BY_SIDE, Record


class PrefetchingRecord(Record):
    """The record as one short step reads it: what is created once is asked for once, and many objects side by side.

    A request costs milliseconds here and tens of them on the way. What was absent is asked for again each time.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._read: dict[str, bytes] = {}

    def read_decisions(self) -> None:
        """Reads all decisions that stand, before they are asked for one by one."""
        self._ahead(self.store.list(DECISIONS))

    def read_results(self, runs: Iterable[tuple[int, int]]) -> None:
        """Reads the results of these experiments and rungs, before they are asked for one by one."""
        self._ahead(result_key(experiment, rung) for experiment, rung in runs)

    def history(self, definition: Definition) -> History:
        """All decisions and results of the study, in order."""
        self.read_decisions()
        decisions = [decision for stage in definition.plan.stages for decision, _ in self.decisions(stage.index)]
        self.read_results((issued.number, decision.index) for decision in decisions for issued in decision.issued)
        return super().history(definition)

    def get_many(self, keys: Sequence[str], side_by_side: int = SIDE_BY_SIDE) -> list[bytes | None]:
        """As of any record, side by side."""
        return super().get_many(keys, side_by_side)

    def _created_once(self, key: str) -> bytes | None:
        if key not in self._read:
            self._ahead([key])
        return self._read.get(key)

    def _ahead(self, keys: Iterable[str]) -> None:
        wanted = [key for key in keys if key not in self._read]
        found = self.get_many(wanted)
        self._read |= {key: data for key, data in zip(wanted, found, strict=True) if data is not None}
