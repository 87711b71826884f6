"""The turns of a stage without a barrier in pods, called in this process: what they decide, wait for and give up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from automl.errors import RecordError
from automl.execution import pod_contract
from automl.execution.pod_steps import deciding
from automl.execution.steps.propose import propose
from automl.search.history import Decision, Failure, Result
from automl.stores import open_store
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.simulation.studies import ASHA, OVERLAPPING, study

SETTINGS = {**ASHA, "max_recommendations": 3, "R": 3, "final": {"repeats": 0}}  # three to epoch 3, one to epoch 9


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setattr(pod_contract, "OUTPUTS", tmp_path / "outputs")
    monkeypatch.setenv("AUTOML_STORE", str(tmp_path / "line"))
    monkeypatch.setenv("AUTOML_STAGE", "0")
    record = Record(open_store(str(tmp_path / "line")))
    begin(record, study(SETTINGS), "a study\n")
    return record


def take(turn: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The experiments that a turn is to train."""
    monkeypatch.setenv("AUTOML_TURN", str(turn))
    deciding.propose_rung()
    found: list[str] = json.loads((tmp_path / "outputs/experiments").read_text())
    return found


def settle(record: Record, index: int) -> None:
    stored = record.decision(0, index)
    assert stored is not None
    for asked, rung in stored[0].runs():
        loss = float(asked.number)
        result = Result(asked.number, rung, ("a1",), asked.epochs, 1.0, ((asked.epochs, loss),))
        record.store_result(replace(result, best_value=loss))


def test_every_turn_gets_a_training_of_its_own_and_the_same_when_it_is_run_again(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [take(turn, tmp_path, monkeypatch) for turn in (0, 1, 2)] == [["0"], ["1"], ["2"]]
    assert [take(turn, tmp_path, monkeypatch) for turn in (2, 0, 1)] == [["2"], ["0"], ["1"]]
    assert len(record.decisions(0)) == 3


def test_a_turn_that_is_first_to_look_leaves_the_others_theirs(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [take(turn, tmp_path, monkeypatch) for turn in (2, 1, 0)] == [["2"], ["1"], ["0"]]


def test_a_turn_waits_for_a_result_and_takes_who_goes_on(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for turn in range(3):
        take(turn, tmp_path, monkeypatch)
    settle(record, 1)
    settle(record, 2)
    monkeypatch.setattr(deciding, "time", SimpleNamespace(sleep=lambda _seconds: settle(record, 0)))
    assert take(3, tmp_path, monkeypatch) == ["0"]  # experiment 0 has the lowest loss, and its result came last
    assert "waits for the result of 1 training\n" in capsys.readouterr().out
    stored = record.decision(0, 3)
    assert stored is not None
    assert [(issued.number, rung, issued.resume_epoch) for issued, rung in stored[0].runs()] == [(0, 1, 3)]


def test_a_turn_for_which_nothing_is_left_ends_and_stores_nothing(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for turn in range(3):
        take(turn, tmp_path, monkeypatch)
        monkeypatch.setenv("AUTOML_TURN", str(turn))
        deciding.settle()  # all three pods are lost
    lost = record.result(0, 0)
    assert lost is not None
    assert lost.failure is Failure.LOST
    assert take(3, tmp_path, monkeypatch) == []
    assert len(record.decisions(0)) == 3


def test_what_has_a_result_is_not_given_up(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take(0, tmp_path, monkeypatch)
    settle(record, 0)
    deciding.settle()
    kept = record.result(0, 0)
    assert kept is not None
    assert kept.failure is None
    monkeypatch.setenv("AUTOML_TURN", "1")
    deciding.settle()  # its decision was never made
    assert len(record.decisions(0)) == 1


def test_a_search_that_ended_early_is_named_and_what_trains_is_not_given_up(record: Record) -> None:
    propose(record, study(SETTINGS), 0, 0)
    with pytest.raises(RecordError, match="stage ASHA of 3 ended before training 1 was decided"):
        deciding.collect()
    assert record.result(0, 0) is None


@pytest.mark.parametrize(("settings", "turns"), [(SETTINGS, "4"), (OVERLAPPING, "6")])
def test_start_says_how_many_turns_there_are_at_most(settings: dict[str, Any], turns: str) -> None:
    definition = study(settings)
    (stage,) = json.loads(deciding._stages(definition, definition.plan.search))
    assert (stage["stage"], stage["rungs"]) == ("0", turns)


def test_two_turns_at_once_share_what_there_is(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another turn stores the decision between the look and the write: each acts on what is stored."""
    commit = Record.commit

    def late(self: Record, decision: Decision) -> Decision:
        monkeypatch.setattr(Record, "commit", commit)
        other = propose(Record(self.store), study(SETTINGS), 0, decision.index)
        assert other.issued[0].number == decision.issued[0].number
        return commit(self, decision)

    monkeypatch.setattr(Record, "commit", late)
    assert take(1, tmp_path, monkeypatch) == ["1"]
    assert len(record.decisions(0)) == 2
