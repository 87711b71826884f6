"""The steps of a workflow's pods, in this process, in a search that has ended early: each ends at once and says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl.execution import pod_contract
from automl.execution.pod_steps import deciding, training
from automl.search.early_end import Limit
from automl.search.history import Failure, Result
from automl.stores import open_store
from automl.study import summary
from automl.study.definition import Definition
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from tests.simulation.studies import ASHA, BAYESIAN, HALVING, OVERLAPPING, study, uniform_instead_of_a_model

WHY = "the search ended early: 9 epochs reach the limit of 8"


class Pods:
    """The pods of one study, in this process."""

    def __init__(self, definition: Definition, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.patch, self.folder = patch, folder
        patch.setattr(pod_contract, "OUTPUTS", folder / "outputs")
        patch.setattr(pod_contract, "WORK", folder / "work")
        patch.setenv("AUTOML_STORE", str(folder / "line"))
        patch.setenv("AUTOML_ATTEMPT", "a-2")
        self.record = Record(open_store(str(folder / "line")))
        begin(self.record, definition, "a study\n")

    def opened(self) -> OpenedStudy:
        return OpenedStudy.read(self.record)

    def propose(self, stage: int, index: int, name: str = "RUNG") -> list[str]:
        self.patch.setenv("AUTOML_STAGE", str(stage))
        self.patch.setenv(f"AUTOML_{name}", str(index))
        deciding.propose_rung()
        found: list[str] = json.loads((self.folder / "outputs/experiments").read_text())
        return found

    def settle(self, stage: int, index: int) -> None:
        """A result for each training that a decision asks for; the loss is the experiment's number."""
        stored = self.record.decision(stage, index)
        assert stored is not None
        for asked, rung in stored[0].runs():
            history = tuple((epoch, float(asked.number)) for epoch in range(1, asked.epochs + 1))
            loss = float(asked.number)
            self.record.store_result(Result(asked.number, rung, ("a-1",), asked.epochs, 1.0, history, best_value=loss))

    def stage_in(self, experiment: int) -> bool:
        """Whether the pod of a training has nothing to train."""
        self.patch.setenv("AUTOML_EXPERIMENT", str(experiment))
        training.stage_in_training()
        return (self.folder / "work" / pod_contract.SKIP).exists()


def test_a_rung_that_is_not_needed_asks_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pods = Pods(study(HALVING, until={"epochs": 8}), tmp_path, monkeypatch)
    pods.propose(0, 0)
    pods.settle(0, 0)
    capsys.readouterr()
    for rung in (1, 2):
        assert pods.propose(0, rung) == []
        assert capsys.readouterr().out == f"not needed: {WHY}\n"
    end = pods.opened().definition.end
    assert end is not None
    assert end.limit is Limit.EPOCHS
    assert pods.propose(1, 0) != [], "the judgement still comes"
    pods.settle(1, 0)
    for rung in range(1, 9):
        assert pods.propose(1, rung) == []
    deciding.collect()
    assert summary.state(pods.opened().definition, pods.opened().history()) == "done"


def test_a_training_that_has_not_begun_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two trainings of a chain whose steps overlap are under way: one has begun, of the other the pod is to come."""
    uniform_instead_of_a_model(monkeypatch)
    settings = OVERLAPPING | {"max_recommendations": 9, "parallel": 3}
    pods = Pods(study(settings, until={"epochs": 5}, final={"repeats": 0}), tmp_path, monkeypatch)
    for turn in range(3):
        assert pods.propose(0, turn, "TURN") == [str(turn)]
    pods.record.store.put("experiment_1/rung_0/a-1/log.txt", b"it trains\n")
    pods.settle(0, 0)
    capsys.readouterr()
    assert pods.propose(0, 3, "TURN") == []
    assert capsys.readouterr().out == "not needed: the search ended early: 6 epochs reach the limit of 5\n"
    pods.patch.setenv("AUTOML_TURN", "2")
    assert pods.stage_in(2)
    assert "experiment 2 is not needed: the search ended early" in capsys.readouterr().out
    left_out = pods.record.result(2, 0)
    assert left_out is not None
    assert left_out.failure is Failure.ENDED
    (tmp_path / "work" / pod_contract.SKIP).unlink()
    pods.patch.setenv("AUTOML_TURN", "1")
    assert not pods.stage_in(1), "what began may finish"
    pods.settle(0, 1)
    deciding.collect()


def test_pods_that_never_came_are_no_lost_trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pods = Pods(study(ASHA, until={"epochs": 2}, final={"repeats": 0}), tmp_path, monkeypatch)
    for turn in range(4):
        pods.propose(0, turn, "TURN")
    pods.settle(0, 0)
    pods.settle(0, 1)
    assert pods.propose(0, 4, "TURN") == []
    deciding.collect()
    failures = [result.failure for result in pods.opened().history().results.values()]
    assert failures == [None, None, Failure.ENDED, Failure.ENDED]


def test_start_keeps_room_for_the_longest_judgement(tmp_path: Path) -> None:
    """A shorter search may have a race of more rungs: fewer repeats, and more candidates."""
    with_limits = json.loads(deciding._judgements(study(BAYESIAN | {"max_recommendations": 40}, until={"hours": 1})))
    without = json.loads(deciding._judgements(study(BAYESIAN | {"max_recommendations": 40})))
    assert int(with_limits[0]["rungs"]) >= int(without[0]["rungs"])
