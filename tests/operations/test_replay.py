"""A record is computed again: nothing differs in one that nobody touched, and what was changed is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from automl.operations.replay import Replay
from automl.stores.memory import MemoryStore
from automl.study.keys import decision_key, result_key
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from tests.recorded_studies import recorded
from tests.simulation.studies import HALVING, HYPERBAND_9, RANDOM, study

BAYESIAN = {"algorithm": "bayesian", "max_recommendations": 8, "max_epochs": 2}  # the last two come from a model
STUDIES = {"hyperband": HYPERBAND_9, "halving": HALVING, "random": RANDOM, "bayesian": BAYESIAN}


def change(record: Record, key: str, edit: Callable[[Any], None]) -> None:
    """Edits a stored object."""
    data = json.loads(record.store.get(key) or b"")
    edit(data)
    record.store.put(key, json.dumps(data).encode())


@pytest.mark.parametrize("settings", STUDIES.values(), ids=STUDIES.keys())
def test_what_nobody_touched_is_the_same(settings: dict[str, Any]) -> None:
    record, found = recorded(MemoryStore(), study(settings), failing=(1, 2))
    read = OpenedStudy.read(record).definition
    replay = Replay(record, read)
    assert len(replay) == len(found.decisions) == sum(len(stage.rungs) for stage in read.plan.stages)
    assert [each.difference for each in replay] == [None] * len(replay)


def test_a_study_that_is_under_way_is_compared_as_far_as_it_is() -> None:
    definition = study(HYPERBAND_9)
    record, _ = recorded(MemoryStore(), definition, decisions=2)
    assert [each.difference for each in Replay(record, definition)] == [None, None]


def test_values_that_were_changed_are_named() -> None:
    definition = study(HYPERBAND_9)
    record, found = recorded(MemoryStore(), definition)
    was = found.decisions[0].issued[3].values["train.lr"]

    def edit(decision: Any) -> None:
        decision["issued"][3]["values"]["train.lr"] = 0.25

    change(record, decision_key(0, 0), edit)
    first = next(each for each in Replay(record, definition) if each.difference)
    assert first.key == decision_key(0, 0)
    assert first.difference is not None
    assert first.difference.field == "issued[3].values.train.lr"
    assert (first.difference.one, first.difference.other) == (0.25, was)


def test_a_result_that_was_changed_is_named_where_it_was_consumed() -> None:
    definition = study(HALVING)
    record, _ = recorded(MemoryStore(), definition)

    def edit(result: Any) -> None:
        result["history"][-1][1] = 0.0

    change(record, result_key(4, 0), edit)
    first = next(each for each in Replay(record, definition) if each.difference)
    assert (first.key, first.difference and first.difference.field) == (decision_key(0, 1), "consumed[4].value")


def test_a_result_that_is_gone_is_named() -> None:
    definition = study(HALVING)
    record, _ = recorded(MemoryStore(), definition)
    record.store.delete(result_key(4, 0))
    first = next(each for each in Replay(record, definition) if each.difference)
    assert first.difference is not None
    assert first.difference.other.startswith("none: experiment 4 of stage 9 halved by 3 has no result at rung 0")
