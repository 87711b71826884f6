"""A study without a barrier is looked at, replayed and verified as any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.analysis.explain import explain
from automl.analysis.status import progress
from automl.operations.extend import extend
from automl.operations.replay import Replay
from automl.operations.verification import Findings
from automl.operations.verify import verify
from automl.reporting.figures.facts import read_facts
from automl.reporting.figures.ledger import entries
from automl.search.extension import Extension
from automl.search.history import Status
from automl.stores.memory import MemoryStore
from automl.study.experiments import experiments
from automl.study.keys import decision_key, decision_of, result_key
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.text import strict_json
from tests.recorded_studies import mixed, recorded, walk
from tests.simulation.runs import NO_FINAL, simulated
from tests.simulation.studies import ASHA, study

FAULTS = {2: "error@1", 7: "nan@1"}


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(simulated(study(ASHA | NO_FINAL, FAULTS), tmp_path).objects)


def edit(record: Record, key: str, change: Mapping[str, Any]) -> None:
    stored = strict_json.load(record.store.get(key) or b"", key)
    record.store.put(key, strict_json.dump({**stored, **change}))


def problems(record: Record) -> list[tuple[str, str]]:
    findings: Findings = verify(OpenedStudy.read(record), lambda _part: None).findings
    return findings.problems


def test_it_is_whole_and_every_decision_is_made_again(record: Record) -> None:
    opened = OpenedStudy.read(record)
    compared = list(Replay(record, opened.definition))
    assert [each.difference for each in compared] == [None] * 13  # 9 + 3 + 1 trainings
    assert problems(record) == []


def test_a_result_that_a_decision_saw_and_that_was_changed_is_found(record: Record) -> None:
    decision = next(each for each, _ in record.decisions(0) if each.issued[0].resume_epoch)
    best = decision.issued[0].number
    stored = strict_json.load(record.store.get(result_key(best, 0)) or b"", "it")
    edit(record, result_key(best, 0), {"history": [[1, 99.0]], "best_value": 99.0})
    assert stored["best_value"] < 99.0
    assert any(key == result_key(best, 0) and "one of the two was changed" in text for key, text in problems(record))
    different = [each for each in Replay(record, OpenedStudy.read(record).definition) if each.difference]
    assert (decision_of(different[0].key) or (1, 0)) <= (0, decision.index)


def test_a_decision_that_saw_what_nobody_had_asked_for_is_found(record: Record) -> None:
    last, _ = record.decisions(0)[-1]
    first, _ = record.decisions(0)[0]
    edit(record, decision_key(0, 0), {"consumed": [last.consumed[-1].to_json()]})
    assert first.consumed == ()
    assert any(key == decision_key(0, 0) and "which nobody had asked for" in text for key, text in problems(record))


def test_its_status_its_reasons_and_its_ledger_add_up(record: Record) -> None:
    opened = OpenedStudy.read(record)
    definition, history = opened.definition, opened.history()
    found = progress(definition, history)
    assert (found.state, found.epochs_pending, found.epochs_planned) == ("done", 0, 9 + 3 * 2 + 6)
    statuses = [each.status for each in experiments(history, definition.plan)]
    assert [statuses.count(each) for each in (Status.FAILURE, Status.SUCCESS, Status.STOPPED)] == [2, 1, 6]
    lines = entries(read_facts(opened, history))
    assert found.epochs_dropped == 2  # of the two that failed, one of which trained in vain
    assert found.epochs_done == sum(line.trained for line in lines) - 1
    assert all(line.planned == line.trained + line.away for line in lines)
    assert [line.experiments for line in lines] == [9, 3, 1]
    winner = statuses.index(Status.SUCCESS)
    story = explain(definition, history, winner).story
    assert "promoted because it was among the best one of 3" in story[1]
    assert "this was the last rung" in story[3]
    assert all(
        each.reason.startswith("rank ")
        for each in experiments(history, definition.plan)
        if each.status is Status.STOPPED
    )


def test_before_the_end_whoever_may_go_on_waits(record: Record) -> None:
    """Of nine that start six have ended: two of them go on, the others wait for a third to be let on."""
    opened = OpenedStudy.read(record)
    whole = opened.history()
    made = [each for each in whole.decisions if each.index < 8]
    runs = {(issued.number, rung) for each in made for issued, rung in each.runs()}
    seen = {(each.experiment, each.rung) for decision in made for each in decision.consumed}
    study_then = type(whole)(whole.metric, tuple(made), {run: whole.results[run] for run in runs & seen})
    found = experiments(study_then, opened.definition.plan)
    assert {each.status for each in found} <= {Status.WAITING, Status.PENDING, Status.FAILURE}
    assert Status.WAITING in {each.status for each in found}
    state = progress(opened.definition, study_then)
    assert state.state == "running"
    assert (state.epochs_done, state.epochs_planned) == (6, 9 + 3 * 2 + 6)
    assert state.epochs_dropped == 1  # of the one that failed


# -- a sampler that learns --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["asha", "asynchronous_hyperband", "hyperband", "successive_halving"])
def test_a_sampler_that_learns_says_from_which_rung_and_every_decision_is_made_again(algorithm: str) -> None:
    settings = {"algorithm": algorithm, "R": 9, "nu": 3, "sampler": "tpe", **NO_FINAL}
    if algorithm in {"asha", "successive_halving"}:
        settings["max_recommendations"] = 27
    record, history = recorded(MemoryStore(), mixed(settings), failing=[3])
    opened = OpenedStudy.read(record)
    compared = list(Replay(record, opened.definition))
    assert [each.difference for each in compared] == [None] * len(history.decisions)
    assert [text for key, text in problems(record) if key.startswith(("decisions/", "results/"))] == []
    begun = [each for decision in history.decisions for each in decision.issued if each.resume_epoch == 0]
    # all experiments of successive halving begin before the first one goes on, so it has one rung to learn from
    words = "TPE on" if algorithm == "successive_halving" else "; learned from all rungs: "
    learned = [each for each in begun if words in each.reason]
    story = explain(opened.definition, history, learned[-1].number).story
    assert "proposed by tpe, which had seen" in story[0]
    assert words in story[0]


def test_barriers_stay_where_experiments_of_hyperband_begin_one_by_one() -> None:
    settings = {"algorithm": "hyperband", "R": 9, "nu": 3, "sampler": "tpe", **NO_FINAL}
    record, history = recorded(MemoryStore(), mixed(settings))
    definition = OpenedStudy.read(record).definition
    (stage,) = definition.plan.search
    (with_barriers,) = (mixed({**settings, "sampler": "uniform"}).plan.search,)
    assert [(r.size, r.epochs) for r in stage.rungs] == [(r.size, r.epochs) for s in with_barriers for r in s.rungs]
    promoted = [each for decision in history.decisions for each in decision.issued if each.resume_epoch]
    assert all("the best 3 go on" in each.reason or "the best 1 go on" in each.reason for each in promoted[:4])
    stopped = next(each for each in experiments(history, definition.plan) if each.status is Status.STOPPED)
    assert "stopped: only the best 3 are promoted" in explain(definition, history, stopped.number).story[1]


def test_a_study_that_began_before_learns_from_one_rung() -> None:
    settings = {"algorithm": "asha", "R": 9, "nu": 3, "sampler": "tpe", "max_recommendations": 27, **NO_FINAL}
    record, history = recorded(MemoryStore(), replace(mixed(settings), rules=4))
    reasons = [each.reason for decision in history.decisions for each in decision.issued if "TPE on" in each.reason]
    assert any("; learned from the " in reason for reason in reasons)
    assert not any("all rungs" in reason for reason in reasons)
    opened = OpenedStudy.read(record)
    assert [each.difference for each in Replay(record, opened.definition)] == [None] * len(history.decisions)


@pytest.mark.parametrize("algorithm", ["asha", "hyperband"])
def test_a_search_that_is_extended_learns_from_the_one_before_and_repeats_nothing(algorithm: str) -> None:
    settings = {"algorithm": algorithm, "R": 9, "nu": 3, "sampler": "tpe", **NO_FINAL}
    record, history = recorded(MemoryStore(), mixed(settings))
    before = len(history.decisions)
    definition = OpenedStudy.read(record).definition
    assert extend(record, definition, Extension(R=27), "line").extended
    opened = OpenedStudy.read(record)
    walk(record, opened.definition)
    history = record.history(opened.definition)
    after = history.decisions[before:]
    assert after
    begun = [each for decision in after for each in decision.issued if each.resume_epoch == 0]
    first = next(each for each in begun if "TPE on" in each.reason)
    assert "TPE on" in first.reason
    assert "learned from all rungs" in first.reason
    tried = [str(sorted(each.values.items())) for d in history.decisions for each in d.issued if not each.resume_epoch]
    assert len(tried) - len(set(tried)) == 1  # the best of before, which is tried again
    assert [each.difference for each in Replay(record, opened.definition)] == [None] * len(history.decisions)
    assert [text for key, text in problems(record) if key.startswith(("decisions/", "results/"))] == []
