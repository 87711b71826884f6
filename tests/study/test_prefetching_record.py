"""The record as one step reads it: the same objects as any record, each asked for once."""

from __future__ import annotations

from collections import Counter

import pytest

from automl.execution.steps.propose import propose
from automl.stores.memory import MemoryStore
from automl.study.keys import decision_key, result_key
from automl.study.prefetching_record import PrefetchingRecord
from automl.study.record import Record
from tests.execution.steps.test_propose import settle
from tests.simulation.studies import HYPERBAND_9, study


class Counting(MemoryStore):
    """Counts what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def get(self, key: str) -> bytes | None:
        self.asked[key] += 1
        return super().get(key)


@pytest.fixture
def store() -> Counting:
    """A study whose first rung is trained."""
    store, definition = Counting(), study(HYPERBAND_9)
    record = Record(store)
    settle(record, propose(record, definition, 0, 0), 0)
    propose(record, definition, 1, 0)
    store.asked.clear()
    return store


def test_it_asks_for_every_object_once_and_decides_the_same(store: Counting) -> None:
    definition = study(HYPERBAND_9)
    step = PrefetchingRecord(store)
    step.read_decisions()
    step.read_results((number, 0) for number in range(9))
    decision = propose(step, definition, 0, 1)
    results = {result_key(number, 0): 1 for number in range(9)}
    made = {decision_key(0, 0): 1, decision_key(1, 0): 1}
    assert {key: store.asked[key] for key in {**results, **made}} == {**results, **made}
    store.delete(decision_key(0, 1))
    assert propose(Record(store), definition, 0, 1) == decision


def test_it_reads_the_study_that_any_record_reads(store: Counting) -> None:
    definition = study(HYPERBAND_9)
    assert PrefetchingRecord(store).history(definition) == Record(store).history(definition)


def test_what_was_absent_is_asked_for_again(store: Counting) -> None:
    step, definition = PrefetchingRecord(store), study(HYPERBAND_9)
    assert step.decision(0, 1) is None
    made = propose(Record(store), definition, 0, 1)
    found = step.decision(0, 1)
    assert found
    assert found[0] == made
