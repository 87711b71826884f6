"""Where the runs and experiments of a study stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from automl.errors import RecordError
from automl.search.history import Decision, History, Status
from automl.stores.memory import MemoryStore
from automl.study.experiments import RunState, experiments, run_states
from automl.study.opened_study import OpenedStudy
from automl.study.summary import state
from tests.recorded_studies import recorded
from tests.simulation.studies import study

HALVING = {"algorithm": "successive_halving", "max_recommendations": 3, "R": 3, "nu": 3, "max_epochs": 3}


def halved(decisions: int, failing: tuple[int, ...] = ()) -> tuple[OpenedStudy, History]:
    record, history = recorded(MemoryStore(), study(HALVING), failing=failing, decisions=decisions)
    return OpenedStudy.read(record), history


def without_results_of(history: History, rung: int) -> History:
    return replace(history, results={run: result for run, result in history.results.items() if run[1] != rung})


def test_a_run_is_judged_by_its_result_and_by_the_decision_on_the_next_rung() -> None:
    opened, first = halved(1, failing=(2,))
    stages = opened.definition.plan.search
    waiting = {(0, 0): RunState.WAITING, (1, 0): RunState.WAITING, (2, 0): RunState.FAILED}
    assert run_states(first, stages) == waiting
    assert set(run_states(without_results_of(first, 0), stages).values()) == {RunState.TRAINING}
    _, both = halved(2, failing=(2,))
    (promoted,) = both.decisions[1].issued
    other = 1 - promoted.number
    states = run_states(both, stages)
    assert states[promoted.number, 0] is RunState.PROMOTED
    assert states[promoted.number, 1] is RunState.FINISHED
    assert (states[other, 0], states[2, 0]) == (RunState.STOPPED, RunState.FAILED)


def test_an_experiment_stands_where_its_last_run_does() -> None:
    opened, both = halved(2, failing=(2,))
    promoted = both.decisions[1].issued[0].number
    statuses = {each.number: each.status for each in experiments(both, opened.definition.plan)}
    assert statuses == {promoted: Status.SUCCESS, 1 - promoted: Status.STOPPED, 2: Status.FAILURE}
    training = experiments(without_results_of(both, 1), opened.definition.plan)
    assert training[promoted].status is Status.PENDING
    assert training[2].reason == "killed: =it was killed, -9"


def test_a_study_is_judged_once_its_search_has_ended_and_done_when_nothing_trains() -> None:
    opened, both = halved(2)
    assert [state(opened.definition, halved(count)[1]) for count in (1, 2, 3)] == ["running", "judging", "done"]
    assert state(opened.definition, without_results_of(both, 1)) == "running"


def test_a_decision_that_is_not_in_the_plan_is_refused(decision_after: Callable[[Decision], Decision]) -> None:
    opened, both = halved(2)
    opened.record.commit(decision_after(both.decisions[1]))
    with pytest.raises(RecordError, match=r"decisions/0/2\.json is in no rung of the plan"):
        opened.history()


@pytest.fixture
def decision_after() -> Callable[[Decision], Decision]:
    return lambda decision: replace(decision, index=decision.index + 1)
