"""A brain's step: what it waits for, and that it answers with what stands in the store."""

from __future__ import annotations

import pytest

from automl.errors import NotReady
from automl.execution.steps.propose import propose
from automl.search.history import Checkpoint, Decision, Failure, Result
from automl.stores.memory import MemoryStore
from automl.study.keys import decision_key, result_key
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from tests.simulation.studies import HALVING, HYPERBAND_9, RANDOM, study, uniform_instead_of_a_model

BAYESIAN = {"algorithm": "bayesian", "max_recommendations": 3, "max_epochs": 2}


def settle(record: Record, decision: Decision, rung: int, *, failing: tuple[int, ...] = ()) -> None:
    """A result for everything that the decision asks; the loss is a tenth of the experiment's number."""
    for asked in decision.issued:
        loss, last = asked.number / 10, Checkpoint(f"experiment_{asked.number}/manifest.json", asked.epochs)
        failure = Failure.ERROR if asked.number in failing else None
        points = tuple((epoch, loss) for epoch in range(1, asked.epochs + 1))
        result = Result(asked.number, rung, ("a1",), asked.epochs, 1.0, points, last, last, loss, None, failure)
        record.store_result(result)


@pytest.fixture
def record() -> Record:
    return Record(MemoryStore())


def test_a_step_asked_twice_answers_twice_the_same_from_the_store(record: Record) -> None:
    definition = study(HYPERBAND_9)
    first = propose(record, definition, 0, 0)
    stored = record.store.get(decision_key(0, 0))
    assert propose(record, definition, 0, 0) == first
    assert record.store.get(decision_key(0, 0)) == stored


def test_the_brain_acts_on_the_committed_decision_and_not_on_its_own(record: Record) -> None:
    """Another version of the brain was faster: its decision stands, and is what ours returns."""
    theirs = propose(Record(MemoryStore()), study(HYPERBAND_9, seed=2), 0, 0)

    class Racing(MemoryStore):
        def create(self, key: str, data: bytes) -> bytes:
            if key == decision_key(0, 0):
                Record(rival).commit(theirs)
                self.put(key, rival.get(key) or b"")
            return super().create(key, data)

    rival = MemoryStore()
    assert propose(Record(Racing()), study(HYPERBAND_9), 0, 0) == theirs


def test_a_rung_waits_for_every_result_of_the_one_before(record: Record) -> None:
    definition = study(HALVING)
    first = propose(record, definition, 0, 0)
    with pytest.raises(NotReady, match="experiment 0 of stage 9 halved by 3 has no result at rung 0 yet"):
        propose(record, definition, 0, 1)
    settle(record, first, 0)
    record.store.delete(result_key(8, 0))
    with pytest.raises(NotReady, match="experiment 8 of stage 9 halved by 3 has no result"):
        propose(record, definition, 0, 1)
    assert record.decision(0, 1) is None


def test_a_rung_waits_for_the_decision_before(record: Record) -> None:
    with pytest.raises(NotReady, match="decision 2 of stage 9 halved by 3 was asked for, and only 0 are made"):
        propose(record, study(HALVING), 0, 2)


def test_the_final_stage_waits_for_every_stage_and_every_result(record: Record) -> None:
    definition = study(HYPERBAND_9)
    final = len(definition.plan.stages) - 1
    with pytest.raises(NotReady, match="stage s=2 is not finished: 0 of 3 decisions"):
        propose(record, definition, final, 0)
    for stage in definition.plan.search:
        for rung in stage.rungs:
            decision = propose(record, definition, stage.index, rung.index)
            settle(record, decision, rung.index)
    record.store.delete(result_key(0, 0))
    with pytest.raises(NotReady, match="experiment 0 of stage s=2 has no result at rung 0 yet"):
        propose(record, definition, final, 0)
    assert record.decision(final, 0) is None


def test_each_decision_names_what_it_builds_on(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    uniform_instead_of_a_model(monkeypatch)
    definition = study(BAYESIAN)
    for index in range(3):
        settle(record, propose(record, definition, 0, index), index)
    propose(record, definition, 1, 0)
    found = record.decisions(0)
    assert [decision.previous for decision, _ in found] == [(), (found[0][1],), (found[1][1],)]
    final = record.decision(1, 0)
    assert final is not None
    assert final[0].previous == (found[2][1],)


def test_a_slow_walker_is_not_confused_by_decisions_made_meanwhile(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its look for a decision and its look at those before, another walker makes that one and the next."""
    uniform_instead_of_a_model(monkeypatch)
    definition = study(BAYESIAN)
    settle(record, propose(record, definition, 0, 0), 0)
    slow, look = Record(record.store), record.decisions

    def late(stage: int) -> list[tuple[Decision, str]]:
        settle(record, propose(record, definition, 0, 1), 1)
        propose(record, definition, 0, 2)
        return look(stage)

    monkeypatch.setattr(slow, "decisions", late)
    found = propose(slow, definition, 0, 1)
    assert [each.number for each in found.issued] == [1]
    assert record.decision(0, 1) == (found, record.decisions(0)[1][1])


def test_the_whole_walk_needs_nothing_but_results(record: Record) -> None:
    """Experiments fail here and there; the numbers stay those of the plan."""
    definition = study(RANDOM)
    decision = propose(record, definition, 0, 0)
    settle(record, decision, 0, failing=(0, 3))
    final = propose(record, definition, 1, 0)
    assert [each.number for each in final.issued] == [4, 5]
    assert final.issued[1].values == decision.issued[1].values


def test_a_definition_read_from_the_store_decides_the_same() -> None:
    definition = study(HYPERBAND_9)
    record = Record(MemoryStore())
    begin(record, definition, "a study\n")
    again = OpenedStudy.read(record).definition
    assert propose(record, definition, 0, 0) == propose(Record(MemoryStore()), again, 0, 0)
