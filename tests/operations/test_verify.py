"""verify: nothing is wrong with a study that ran, and every damage is found and named."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import as_json, automl, edit_json, files_below

Damage = Callable[[Path], object]


def checkpoint_of_the_best(study: Path) -> Path:
    best = json.loads((study / "best_model/manifest.json").read_text())
    last = sorted((study / f"results/{best['experiment']}").iterdir())[-1]
    key: str = json.loads(last.read_text())["best"]["manifest"]
    return (study / key).parent


def add_result(study: Path) -> None:
    data = json.loads((study / "results/0/0.json").read_text())
    (study / "results/77").mkdir()
    (study / "results/77/0.json").write_text(json.dumps({**data, "experiment": 77}))


def add_decision(study: Path) -> None:
    shutil.copy(study / "decisions/0/1.json", study / "decisions/0/2.json")
    edit_json(study / "decisions/0/2.json", lambda data: data.update(index=2))


DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "a weight of best_model": (
        lambda study: next((study / "best_model").glob("model_*")).write_text("{}"),
        r"best_model/model_\d\.json",
        "does not match its sha256 in best_model/manifest.json",
    ),
    "a weight of best_model is gone": (
        lambda study: next((study / "best_model").glob("model_*")).unlink(),
        r"best_model/model_\d\.json",
        "is missing",
    ),
    "best_model says another experiment": (
        lambda study: edit_json(study / "best_model/manifest.json", lambda data: data.update(experiment=99)),
        r"best_model/manifest\.json",
        "was changed after it was written",
    ),
    "a weight of a checkpoint": (
        lambda study: (checkpoint_of_the_best(study) / "0").write_text("{}"),
        r"experiment_\d/rung_\d/[^/]+/checkpoints/\d/0",
        "does not match its sha256",
    ),
    "a manifest is gone": (
        lambda study: (checkpoint_of_the_best(study) / "manifest.json").unlink(),
        r"experiment_\d/rung_\d/[^/]+/checkpoints/\d/manifest\.json",
        "is missing, and results/",
    ),
    "a manifest is of another epoch": (
        lambda study: edit_json(checkpoint_of_the_best(study) / "manifest.json", lambda data: data.update(epoch=9)),
        r"experiment_\d/rung_\d/[^/]+/checkpoints/\d/manifest\.json",
        "is of epoch 9",
    ),
    "a decision was changed": (
        lambda study: edit_json(study / "decisions/0/0.json", lambda data: data["issued"][1].update(reason="mine")),
        r"decisions/0/0\.json",
        "does not match the sha256 that decisions/0/1.json names",
    ),
    "a decision is gone": (
        lambda study: (study / "decisions/0/0.json").unlink(),
        r"decisions/0/1\.json",
        "is an orphan: decisions/0/0.json, on which it builds",
    ),
    "a decision is cut off": (
        lambda study: (study / "decisions/0/0.json").write_text("{"),
        r"decisions/0/0\.json",
        "is not strict JSON",
    ),
    "a decision too many": (add_decision, r"decisions/0/2\.json", "the plan has no such rung"),
    "a result was changed": (
        lambda study: edit_json(study / "results/1/0.json", lambda data: data["history"][-1].__setitem__(1, 0.9)),
        r"results/1/0\.json",
        "has value 0.9, where decisions/0/1.json saw",
    ),
    "a result is gone": (
        lambda study: (study / "results/1/0.json").unlink(),
        r"results/1/0\.json",
        "is missing or damaged, and decisions/0/1.json rests on it",
    ),
    "a result too many": (add_result, r"results/77/0\.json", "is an orphan: no decision has asked for it"),
    "a training too many": (
        lambda study: shutil.copytree(study / "experiment_0/rung_0", study / "experiment_0/rung_7"),
        "experiment_0/rung_7/",
        "is an orphan",
    ),
    "a name that is none": (
        lambda study: shutil.copy(study / "results/1/0.json", study / "results/1/00.json"),
        r"results/1/00\.json",
        "is not a name that a study gives",
    ),
    "a view was changed": (
        lambda study: edit_json(study / "controller.json", lambda data: data.update(study="another")),
        r"controller\.json",
        "was changed after it was written: 'automl rebuild'",
    ),
    "a view is gone": (lambda study: (study / "brain.json").unlink(), r"brain\.json", "is missing: 'automl rebuild'"),
    "the sha256 of the views": (
        lambda study: (study / "views.json").write_text("{"),
        r"views\.json",
        "is not strict JSON",
    ),
    "the study file is gone": (lambda study: (study / "study.yaml").unlink(), r"study\.yaml", "is missing"),
}


def test_nothing_is_wrong_with_a_study_that_ran(studied: Path) -> None:
    found = as_json(automl("verify", "study", "-o", "json", cwd=studied))
    assert (found["whole"], found["problems"], found["notes"]) == (True, [], [])
    checked = found["checked"]
    assert checked["results"] == len(list((studied / "study/results").rglob("*.json")))
    assert checked["checkpoints"] > 0
    assert checked["files"] > checked["checkpoints"]  # best_model's too


@pytest.mark.parametrize(("damage", "name", "says"), DAMAGES.values(), ids=DAMAGES.keys())
def test_what_is_wrong_is_listed(damage: Damage, name: str, says: str, copy: Path) -> None:
    damage(copy / "study")
    before = files_below(copy)
    ran = automl("verify", "study", "-o", "json", cwd=copy)
    assert ran.code == 1
    found = as_json(ran)
    assert not found["whole"]
    assert any(re.fullmatch(name, each["object"]) and says in each["problem"] for each in found["problems"]), found
    table = automl("verify", "study", cwd=copy)
    assert table.code == 1
    assert says in table.out
    assert files_below(copy) == before


def test_a_file_of_the_user_is_only_noted(copy: Path) -> None:
    (copy / "study" / "notes.txt").write_text("mine")
    ran = automl("verify", "study", "-o", "json", cwd=copy)
    assert ran.code == 0
    assert as_json(ran)["notes"] == [{"object": "notes.txt", "note": "is not an object of this study"}]


def test_a_study_that_an_older_version_ended_is_whole(copy: Path) -> None:
    """Its controller.json has fewer keys, and there is no views.json."""
    edit_json(copy / "study" / "controller.json", lambda data: data.pop("verdict"))
    (copy / "study" / "views.json").unlink()
    (copy / "study" / "report-interactive.html").unlink()
    notes = notes_of(copy)
    assert notes.keys() == {"controller.json", "report-interactive.html"}
    assert notes["controller.json"].startswith("is not what this version makes of the record: an older version of")
    assert notes["report-interactive.html"].startswith("is missing: an older version of")


def test_a_view_of_another_version_is_told_from_a_changed_one(copy: Path) -> None:
    controller, views = copy / "study" / "controller.json", copy / "study" / "views.json"
    edit_json(controller, lambda data: data.pop("verdict"))
    (copy / "study" / "report-interactive.html").unlink()

    def written_by_another(data: dict[str, Any]) -> None:
        data["sha256"]["controller.json"] = hashlib.sha256(controller.read_bytes()).hexdigest()
        del data["sha256"]["report-interactive.html"]

    edit_json(views, written_by_another)
    again = "another version of argo-automl: 'automl rebuild' writes it again as this one does"
    assert notes_of(copy) == {
        "controller.json": f"is whole, and as it was written by {again}",
        "report-interactive.html": f"does not exist in {again}",
    }
    edit_json(controller, lambda data: data.update(study="another"))
    problems = as_json(automl("verify", "study", "-o", "json", cwd=copy))["problems"]
    assert [(each["object"], "was changed after it was written" in each["problem"]) for each in problems] == [
        ("controller.json", True)
    ]
    assert automl("rebuild", "study", cwd=copy).code == 0
    assert notes_of(copy) == {}


def test_views_of_before_the_last_result_are_a_problem(copy: Path) -> None:
    """As when the machine failed between the last result and the views of it."""
    controller = copy / "study" / "controller.json"
    edit_json(controller, lambda data: data["experiments"].pop())

    def written_before(data: dict[str, Any]) -> None:
        data["results"] -= 1
        data["sha256"]["controller.json"] = hashlib.sha256(controller.read_bytes()).hexdigest()

    edit_json(copy / "study" / "views.json", written_before)
    ran = automl("verify", "study", "-o", "json", cwd=copy)
    assert ran.code == 1
    (problem,) = as_json(ran)["problems"]
    assert problem["object"] == "controller.json"
    assert problem["problem"].startswith("was written before the last decision or result")


def notes_of(folder: Path) -> dict[str, str]:
    """The notes on a study that is whole, by object."""
    ran = automl("verify", "study", "-o", "json", cwd=folder)
    found = as_json(ran)
    assert (ran.code, found["whole"], found["problems"]) == (0, True, [])
    return {each["object"]: each["note"] for each in found["notes"]}
