"""Studies of several metrics and of constraints, trained here from the first line to best_model and the judgement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl.analysis.status import status
from automl.analysis.trade_off import Place, trade_off
from automl.opening import open_study
from automl.operations.replay import Replay
from automl.operations.verify import verify
from automl.study.opened_study import OpenedStudy
from tests.command_line import automl

PROGRAM = """
import json, pathlib, sys
epochs, width, out = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
start = int(sys.argv[4]) if len(sys.argv) > 4 else 0
for epoch in range(start + 1, epochs + 1):
    line = {"epoch": epoch, "val_acc": 1 - 0.5 / width ** 0.5 - 0.3 / epoch}
    if epoch == 1:  # once, as a size or a latency is measured
        line["latency_ms"] = 2 + width / 4
    (out / f"model_{epoch}.txt").write_text(str(width))
    with (out / "status.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\\n")
"""
STUDY = """
name: two
algorithm: successive_halving
R: 4
nu: 2
max_epochs: 4
metrics: [{name: val_acc, goal: maximize}, {name: latency_ms, goal: minimize}]
final: {repeats: 1}
network:
  command: [python, train.py, "{epochs}", "{width}", "{results}"]
  status: {reader: json_lines, path: status.jsonl}
  checkpoints: {pattern: "model_{epoch}.txt", resume: arguments, arguments: ["{epoch}"]}
  parameters: {width: {low: 1, high: 100, default: 64}}
"""


def trained(folder: Path, text: str, code: int = 0) -> tuple[OpenedStudy, str]:
    """The study of a text, run to its end; and what the command has printed."""
    (folder / "train.py").write_text(PROGRAM)
    (folder / "study.yaml").write_text(text)
    ran = automl("run", "study.yaml", "-j", "2", cwd=folder)
    assert ran.code == code, ran.err
    return open_study(str(folder / "study.yaml")), ran.out + ran.err


def shown(folder: Path, *arguments: str, code: int = 0) -> str:
    """What a command says of the study."""
    ran = automl(arguments[0], "study.yaml", *arguments[1:], cwd=folder)
    assert ran.code == code, ran.err
    return ran.out + ran.err


def check_whole(opened: OpenedStudy) -> None:
    assert [one for one in Replay(opened.record, opened.definition) if one.difference] == []
    findings = verify(opened, lambda _part: None).findings
    assert (findings.problems, findings.notes) == ([], [])


@pytest.mark.parametrize("algorithm", ["successive_halving", "asha"])
def test_a_study_of_two_metrics_has_a_front_and_keeps_its_knee(tmp_path: Path, algorithm: str) -> None:
    text = STUDY.replace("successive_halving", algorithm)
    opened, _ = trained(tmp_path, text)
    check_whole(opened)
    history = opened.history()
    front = trade_off(opened.definition, history)
    assert front is not None
    chosen = [point for point in front.points if point.place is Place.CHOSEN]
    assert len(chosen) == 1
    latencies = {number: result.measured for (number, _), result in history.results.items()}
    assert all(set(measured) == {"latency_ms"} for measured in latencies.values())  # also of those that went on
    model = json.loads((tmp_path / "two" / "best_model" / "manifest.json").read_text())
    assert model["measured"]["latency_ms"] == 2 + model["values"]["width"] / 4
    current = status(opened.record, opened.definition)
    assert current.to_json()["trade_off"]["metrics"][1] == {"name": "latency_ms", "goal": "minimize"}
    assert "the knee of the front of val_acc, latency_ms" in shown(tmp_path, "status")
    assert "latency_ms" in shown(tmp_path, "best")


def test_under_a_constraint_the_best_is_the_best_of_those_that_meet_it(tmp_path: Path) -> None:
    one = "metric: {name: val_acc, goal: maximize}\nconstraints: [{metric: latency_ms, below: 16}]"
    text = STUDY.replace(STUDY.splitlines()[6], one)
    opened, printed = trained(tmp_path, text)
    check_whole(opened)
    best = status(opened.record, opened.definition).best
    assert best is not None
    assert best.values["width"] <= 56  # the defaults have 64, and more would be better
    assert "the defaults do not: latency_ms = 18, over 16 by 2" in printed
    assert "infeasible: latency_ms = 18, over 16 by 2" in " ".join(shown(tmp_path, "why", "0").split())


def test_where_nothing_is_feasible_that_is_said_and_no_model_is_kept(tmp_path: Path) -> None:
    _, said = trained(tmp_path, STUDY + "constraints: [{metric: latency_ms, below: 1}]\n", code=5)
    assert "no experiment meets the constraints (latency_ms below 1): nearest is experiment" in said
    assert not (tmp_path / "two" / "best_model").exists()
    assert "no experiment meets the constraints" in shown(tmp_path, "best", code=2)


def test_a_metric_that_is_never_reported_is_named_at_the_first_training(tmp_path: Path) -> None:
    opened, said = trained(tmp_path, STUDY + "constraints: [{metric: latency, below: 9}]\n", code=5)
    assert "name it as the training reports it" in said
    first = opened.history().results[0, 0]
    assert "latency was never reported in status.jsonl" in first.message
    assert "reported were: latency_ms, val_acc" in first.message
    assert "infeasible" in shown(tmp_path, "status")


def test_a_point_of_the_front_can_be_fetched_by_its_number(tmp_path: Path) -> None:
    trained(tmp_path, STUDY)
    assert "of experiment 0, epoch 1: in zero" in shown(tmp_path, "download", "zero", "--experiment", "0")
    assert (tmp_path / "zero" / "model_1.txt").read_text() == "64"
    assert "there is no experiment 99" in shown(tmp_path, "download", "other", "--experiment", "99", code=2)
    assert "already exists" in shown(tmp_path, "download", "zero", "--experiment", "0", code=2)
    assert not (tmp_path / "other").exists()
