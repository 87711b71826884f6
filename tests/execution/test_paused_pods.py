"""An outage on a cluster: every step of a workflow sees the same pause, ends with its message, and gives nothing up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automl import pod
from automl.errors import NotReady, StudyPaused
from automl.execution import pod_contract, submission
from automl.execution.pod_steps import deciding, training
from automl.execution.steps.propose import propose
from automl.search.history import Decision, Failure, Result
from automl.stores import open_store
from automl.study import outages
from automl.study.definition import Definition
from automl.study.keys import attempt_prefix
from automl.study.opened_study import begin
from automl.study.record import Record
from automl.text import strict_json
from tests.simulation.studies import HALVING, study

DEFINITION = study(HALVING, final={"repeats": 0})


def settle(record: Record, decision: Decision, failing: range) -> None:
    """A result for every run that the decision asks for: a loss, or a failure before the first epoch."""
    for asked in decision.issued:
        result = Result(asked.number, decision.index, ("a1",), asked.epochs, 1.0, ((asked.epochs, 1.0),))
        if asked.number in failing:
            result = replace(result, epochs=0, history=(), failure=Failure.ERROR, message="no route to [/data]")
        record.store_result(replace(result, best_value=None if asked.number in failing else 1.0))


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """A study of nine experiments in its first rung, of which the last five failed alike."""
    monkeypatch.setattr(pod_contract, "OUTPUTS", tmp_path / "outputs")
    monkeypatch.setattr(pod_contract, "WORK", tmp_path / "work")
    monkeypatch.setattr(pod, "TERMINATION_LOG", tmp_path / "message")
    for name, value in {"STORE": str(tmp_path / "line"), "STAGE": "0", "RUNG": "0", "ATTEMPT": "a-2"}.items():
        monkeypatch.setenv(f"AUTOML_{name}", value)
    record = Record(open_store(str(tmp_path / "line")))
    begin(record, DEFINITION, "a study\n")
    settle(record, propose(record, DEFINITION, 0, 0), range(4, 9))
    return record


def step(monkeypatch: pytest.MonkeyPatch, name: str, rung: int = 0, experiment: int = 0) -> int:
    """The exit code of the pod that runs this step."""
    monkeypatch.setenv("AUTOML_RUNG", str(rung))
    monkeypatch.setenv("AUTOML_EXPERIMENT", str(experiment))
    monkeypatch.setattr("sys.argv", ["pod", name])
    try:
        pod.main()
    except SystemExit as end:
        code = end.code
    else:
        code = 0
    assert isinstance(code, int)
    return code


def test_no_step_goes_on_and_each_ends_with_the_message(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert step(monkeypatch, "propose", rung=1) == 5
    said = (tmp_path / "message").read_text()
    assert said.startswith("the study is paused: 5 trainings in a row failed alike before their first epoch")
    assert "(experiments 4 to 8): no route to [/data]; these failures decided nothing" in said
    assert record.decision(0, 1) is None
    record.store.delete("results/3/0.json")
    for name in ("stage-in", "collect", "propose"):
        (tmp_path / "message").unlink()
        assert step(monkeypatch, name, experiment=3) == 5, name
        assert (tmp_path / "message").read_text() == said
    assert record.result(3, 0) is None  # it was refused, and is not lost
    assert not (tmp_path / "work/skip").exists()
    assert record.store.get("report.html")


def test_the_pod_of_the_last_failure_of_a_row_stores_the_pause(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_EXPERIMENT", "0")
    success, failure = record.result(0, 0), record.result(8, 0)
    assert success is not None
    assert failure is not None
    training._pause_at_a_row(success)
    assert outages.open_pause(record) is None
    monkeypatch.setenv("AUTOML_EXPERIMENT", "8")
    training._pause_at_a_row(failure)
    paused = outages.open_pause(record)
    assert paused is not None
    assert paused.runs == tuple((number, 0) for number in range(4, 9))


def test_submitted_again_it_trains_those_again_and_decides_by_what_becomes_of_them(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert step(monkeypatch, "propose", rung=1) == 5
    monkeypatch.setenv("AUTOML_STUDY", strict_json.dump({**DEFINITION.to_json(), "text": "a study\n"}).decode())
    monkeypatch.setattr(deciding, "open_store", lambda uri, **_probe: open_store(uri))
    assert step(monkeypatch, "start") == 0
    assert step(monkeypatch, "start") == 0  # a step may be run twice
    assert json.loads((tmp_path / "line/retries/0.json").read_text())["runs"] == [[number, 0] for number in range(4, 9)]
    assert not (tmp_path / "line/retries/1.json").exists()
    assert step(monkeypatch, "propose", rung=0) == 0
    assert json.loads((tmp_path / "outputs/experiments").read_text()) == [str(number) for number in range(9)]
    record.retries()
    decision = record.decision(0, 0)
    assert decision is not None
    settle(record, decision[0], range(0))
    assert step(monkeypatch, "propose", rung=1) == 0
    decided = record.decision(0, 1)
    assert decided is not None
    assert not any(outcome.failure for outcome in decided[0].consumed)


def test_what_a_user_had_trained_again_too_late_is_not_lost(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_FAILURES_IN_A_ROW", "0")
    outages.retry(record, [(6, 0)])
    monkeypatch.setenv("AUTOML_RUNG", "1")
    with pytest.raises(NotReady, match="experiment 6 is to be trained again, and the pods of that rung were over"):
        deciding.propose_rung()
    record.store.put(f"{attempt_prefix(6, 0, 'a-3')}log.txt", b"it trains\n")
    assert step(monkeypatch, "propose", rung=1) == 0
    lost = record.result(6, 0)
    assert lost is not None
    assert lost.failure is Failure.LOST


def test_switched_off_the_study_goes_on_with_its_failures(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_FAILURES_IN_A_ROW", "0")
    assert step(monkeypatch, "propose", rung=1) == 0
    assert outages.open_pause(record) is None


def test_a_study_of_small_stages_pauses_when_all_that_there_is_failed(tmp_path: Path) -> None:
    definition: Definition = study({"algorithm": "hyperband", "R": 9, "max_epochs": 9, "sampler": "uniform"})
    record = Record(open_store(str(tmp_path / "small")))
    begin(record, definition, "a study\n")
    for stage in range(len(definition.plan.search)):
        settle(record, propose(record, definition, stage, 0), range(100))
    count = sum(len(decision.issued) for decision in record.history(definition).decisions)
    row = outages.row_of(record.history(definition), definition.plan, count)
    assert row is not None
    assert len(row.runs) == count > max(stage.experiments for stage in definition.plan.search)
    longest = definition.file.run.model_copy(update={"failures_in_a_row": count})
    definition = replace(definition, file=definition.file.model_copy(update={"run": longest}))
    with pytest.raises(StudyPaused):
        outages.check(record, definition, record.history(definition))


def test_the_setting_reaches_the_pods() -> None:
    assert submission.with_settings(DEFINITION, None, None).file.run.failures_in_a_row == 5
    assert submission.with_settings(DEFINITION, None, None, 0).file.run.failures_in_a_row == 0
