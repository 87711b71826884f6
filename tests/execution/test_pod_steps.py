"""The steps of a workflow's pods, called in this process: what they decide, give up and refuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automl.errors import NotReady, RecordError
from automl.execution import pod_contract
from automl.execution.pod_steps import deciding
from automl.execution.steps.propose import propose
from automl.search.history import MEANINGS, Decision, Failure, Result
from automl.stores import open_store
from automl.study.keys import result_key
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.simulation.studies import HALVING, study


def settle(record: Record, decision: Decision) -> None:
    """A result without checkpoints for every run that the decision asks for; the loss is the experiment's number."""
    for asked in decision.issued:
        loss = float(asked.number)
        result = Result(asked.number, decision.index, ("a1",), asked.epochs, 1.0, ((asked.epochs, loss),))
        record.store_result(replace(result, best_value=loss))


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """A study of nine experiments, then three, then one; its first rung is decided, and experiment 8 left no result."""
    monkeypatch.setattr(pod_contract, "OUTPUTS", tmp_path / "outputs")
    monkeypatch.setenv("AUTOML_STORE", str(tmp_path / "line"))
    record, definition = Record(open_store(str(tmp_path / "line"))), study(HALVING, final={"repeats": 0})
    begin(record, definition, "a study\n")
    settle(record, propose(record, definition, 0, 0))
    record.store.delete(result_key(8, 0))
    return record


def ask(monkeypatch: pytest.MonkeyPatch, rung: int) -> None:
    monkeypatch.setenv("AUTOML_STAGE", "0")
    monkeypatch.setenv("AUTOML_RUNG", str(rung))
    deciding.propose_rung()


def test_a_run_that_left_no_result_is_given_up_before_the_next_rung_is_decided(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(monkeypatch, 1)
    lost = record.result(8, 0)
    assert lost is not None
    assert (lost.failure, lost.message) == (Failure.LOST, MEANINGS[Failure.LOST])
    assert json.loads((tmp_path / "outputs/experiments").read_text()) == ["0", "1", "2"]


def test_a_rung_that_is_not_next_is_refused_and_nothing_is_given_up(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotReady, match="decision 2 of stage 9 halved by 3 was asked for, and only 1 are made"):
        ask(monkeypatch, 2)
    assert record.result(8, 0) is None


def test_a_step_that_is_run_again_answers_the_same_and_gives_nothing_up(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(monkeypatch, 0)
    assert json.loads((tmp_path / "outputs/experiments").read_text()) == [str(number) for number in range(9)]
    assert record.result(8, 0) is None


def test_a_stage_that_did_not_come_to_its_end_is_named_and_its_runs_may_be_tried_again(record: Record) -> None:
    with pytest.raises(RecordError, match="stage 9 halved by 3 ended before its rung 1 was decided"):
        deciding.collect()
    assert record.result(8, 0) is None


def test_what_the_last_rung_lost_is_given_up_when_all_is_collected(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = study(HALVING, final={"repeats": 0})
    ask(monkeypatch, 1)
    settle(record, propose(record, definition, 0, 1))
    ask(monkeypatch, 2)
    deciding.collect()
    lost = record.result(0, 2)
    assert lost is not None
    assert lost.failure is Failure.LOST
    assert json.loads((tmp_path / "outputs/best").read_text())["experiment"] == 0
