"""Where values come from is stored; reasons are for people, and may be worded otherwise in a later version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from automl.operations.diff import Side, compare
from automl.operations.replay import Replay
from automl.search.brain import Brain
from automl.search.extension import Extension
from automl.search.history import Decision, Origin, Recommendation
from automl.search.origins import origin_of
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.keys import EXTENSIONS, decision_key
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from tests.recorded_studies import recorded
from tests.simulation.studies import BAYESIAN, HALVING, HYPERBAND_9, RANDOM, study, uniform_instead_of_a_model

FIRST = {"enqueue": [{"train.lr": 0.3}, {"train.lr": 0.003}]}
STUDIES: dict[str, dict[str, Any]] = {
    "hyperband": {**HYPERBAND_9, **FIRST},
    "halving": {**HALVING, **FIRST},
    "random": {**RANDOM, **FIRST},
    "bayesian": {**BAYESIAN, **FIRST},
}


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    uniform_instead_of_a_model(monkeypatch)


def as_begun_before_origins(record: Record, definition: Definition) -> None:
    """Rewrites the decisions as versions without `origin` stored them; each names the sha256 of those before it."""
    digests: dict[tuple[int, int], str] = {}
    for stage in definition.plan.stages:
        for index in range(len(stage.rungs)):
            key = decision_key(stage.index, index)
            data = json.loads(record.store.get(key) or b"")
            for each in data["issued"]:
                del each["origin"]
            before = definition.plan.before(stage.index, index)
            data["previous"] = [digests[where.index, rung] for where, rung in before if rung is not None]
            stored = json.dumps(data, indent=1).encode()
            digests[stage.index, index] = hashlib.sha256(stored).hexdigest()
            record.store.put(key, stored)


def issued(record: Record, definition: Definition) -> list[Recommendation]:
    return [each for decision in record.history(definition).decisions for each in decision.issued]


@pytest.mark.parametrize("settings", STUDIES.values(), ids=STUDIES.keys())
def test_a_study_that_was_begun_before_origins_replays(settings: dict[str, Any]) -> None:
    definition = study(settings)
    record, found = recorded(MemoryStore(), definition, failing=(4,))
    before = {(each.number, each.epochs): each.origin for each in issued(record, definition)}
    as_begun_before_origins(record, definition)
    assert [each.difference for each in Replay(record, definition)] == [None] * len(found.decisions)
    older = issued(record, definition)
    assert {each.origin for each in older} == {None}
    assert {origin_of(each) for each in older} >= {Origin.DEFAULT, Origin.REQUESTED, Origin.SAMPLER, Origin.FINAL}
    assert all(origin_of(each) == before[each.number, each.epochs] for each in older if each.resume_epoch == 0)
    assert {origin_of(each) for each in older if each.resume_epoch} <= {None}


def test_a_larger_search_that_was_begun_before_origins_replays() -> None:
    definition = study({**HYPERBAND_9, "R": 3, "max_epochs": 6, **FIRST})
    record, _ = recorded(MemoryStore(), definition)
    record.add(EXTENSIONS, 0, {"R": 9})
    definition = replace(definition, extensions=(Extension(R=9),))
    record, found = recorded(record.store, definition)
    assert Origin.CARRIED_OVER in {each.origin for each in issued(record, definition)}
    as_begun_before_origins(record, definition)
    assert Origin.CARRIED_OVER in {origin_of(each) for each in issued(record, definition)}
    assert [each.difference for each in Replay(record, definition)] == [None] * len(found.decisions)


def test_what_is_promoted_after_an_update_has_the_origin_that_it_began_with() -> None:
    definition = study(STUDIES["halving"])
    record, _ = recorded(MemoryStore(), definition, decisions=2)
    as_begun = record.history(definition).decisions
    older = replace(as_begun[0], issued=tuple(replace(each, origin=None) for each in as_begun[0].issued))
    decided = definition.brain.decide(0, 1, [older], as_begun[1].consumed, as_begun[1].previous)
    origins = {each.number: each.origin for each in as_begun[0].issued}
    assert [each.origin for each in decided.issued] == [origins[each.number] for each in decided.issued]
    assert len(decided.issued) == 3


@pytest.mark.parametrize("settings", STUDIES.values(), ids=STUDIES.keys())
def test_reasons_may_be_worded_otherwise(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    definition = study(settings)
    record, found = recorded(MemoryStore(), definition)
    other, _ = recorded(MemoryStore(), definition)
    decide = Brain.decide

    def reworded(self: Brain, *arguments: Any, **options: Any) -> Decision:
        decision = decide(self, *arguments, **options)
        told = tuple(replace(each, reason=f"Warum nicht? {each.number}") for each in decision.issued)
        stopped = tuple(replace(each, reason="Darum.") for each in decision.stopped)
        return replace(decision, issued=told, stopped=stopped)

    monkeypatch.setattr(Brain, "decide", reworded)
    assert [each.difference for each in Replay(record, definition)] == [None] * len(found.decisions)
    again, _ = recorded(MemoryStore(), definition)
    assert [each.values for each in issued(again, definition)] == [each.values for each in issued(other, definition)]
    assert issued(again, definition)[0].reason == "Warum nicht? 0"
    sides = [Side.read(OpenedStudy.read(each)) for each in (again, other)]
    assert compare(*sides).first_difference is None


def test_an_origin_that_was_changed_is_named() -> None:
    definition = study(HALVING)
    record, _ = recorded(MemoryStore(), definition)
    data = json.loads(record.store.get(decision_key(0, 0)) or b"")
    data["issued"][3]["origin"] = "requested"
    record.store.put(decision_key(0, 0), json.dumps(data).encode())
    first = next(each for each in Replay(record, definition) if each.difference)
    assert first.difference is not None
    assert (first.difference.field, first.difference.one) == ("issued[3].origin", "requested")
