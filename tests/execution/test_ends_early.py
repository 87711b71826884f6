"""A program that stops by itself when it gets no better, and one that takes no seed: what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import as_json, automl, refused
from tests.execution.test_any_program import ARGUMENTS, lay_out

EARLY = ARGUMENTS.replace("  keep:", "  may_end_early: true\n  keep:")
LAST = '    print(f"epoch {epoch} val_acc={right / len(points):.4f}")\n'
PATIENCE = f"{LAST}    if epoch == 2:\n        break\n"

pytestmark = pytest.mark.usefixtures("quick_runner")


def run(folder: Path, text: str, *, early: bool = True) -> list[dict[str, Any]]:
    """The experiments of a study whose program ends after two of three epochs."""
    lay_out(folder, "arguments", text)
    program = folder / "with_arguments.py"
    assert LAST in program.read_text()
    program.write_text(program.read_text().replace(LAST, PATIENCE if early else LAST))
    automl("run", "study.yaml", "-j", "2", cwd=folder)
    rows: list[dict[str, Any]] = json.loads((folder / "mine/controller.json").read_text())["experiments"]
    return rows


def test_a_program_that_ends_early_is_no_failure_and_the_epochs_it_left_out_are_told(tmp_path: Path) -> None:
    rows = run(tmp_path, EARLY)
    assert [row["status"] for row in rows] == ["success"] * 3
    stored = json.loads((tmp_path / "mine/results/0/0.json").read_text())
    assert (stored["failure"], stored["epochs"], stored["message"]) == (None, 3, "ended by itself after epoch 2 of 3")
    assert [epoch for epoch, _ in stored["history"]] == [1, 2]
    story = " ".join(automl("why", "study.yaml", "0", cwd=tmp_path).out.split())
    assert "it ended by itself after epoch 2 of 3" in story
    assert "lr" in json.loads((tmp_path / "mine/best_model/model.pt").read_text())
    for command in ("replay", "verify"):
        assert automl(command, "study.yaml", cwd=tmp_path).code == 0


def test_its_rungs_are_trained_anew(tmp_path: Path) -> None:
    rows = run(tmp_path, EARLY.replace("algorithm: random\nmax_recommendations: 3", "algorithm: asha\nR: 3"))
    assert {row["status"] for row in rows} == {"success", "stopped"}
    assert [result["epochs"] for row in rows for result in row["results"] if result["rung"]] == [3]


def test_one_that_may_not_end_early_fails_as_before(tmp_path: Path) -> None:
    rows = run(tmp_path, ARGUMENTS)
    assert {result["failure"] for row in rows for result in row["results"]} == {"short"}


def test_one_that_runs_to_the_end_has_nothing_to_tell(tmp_path: Path) -> None:
    run(tmp_path, EARLY, early=False)
    assert json.loads((tmp_path / "mine/results/0/0.json").read_text())["message"] == ""


def test_an_experiment_cannot_go_on_from_where_it_ended_early(tmp_path: Path) -> None:
    rule = '  checkpoints: {pattern: "at_{epoch}", resume: in_place}\n  keep:'
    text = EARLY.replace("  keep:", rule).replace("random\nmax_recommendations: 3", "asha\nR: 3")
    lay_out(tmp_path, "arguments", text)
    refused(automl("plan", "study.yaml", cwd=tmp_path), "may end early", "resume: none")


@pytest.mark.parametrize("seeded", [True, False])
def test_fresh_seeds_are_told_where_the_command_takes_one(seeded: bool, tmp_path: Path) -> None:
    text = ARGUMENTS.replace("repeats: 0", "repeats: 2").replace("max_recommendations: 3", "max_recommendations: 6")
    if not seeded:
        text = text.replace('--seed, "{seed}", ', "")
    run(tmp_path, text, early=False)
    verdict = as_json(automl("status", "study.yaml", "-o", "json", cwd=tmp_path))["verdict"]
    decided = json.loads((tmp_path / "mine/decisions/1/0.json").read_text())
    assert all(("fresh seed" in issued["reason"]) is seeded for issued in decided["issued"])
    if verdict is not None:
        assert verdict["fresh_seeds"] is seeded
