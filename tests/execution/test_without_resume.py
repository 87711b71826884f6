"""A program that cannot go on from a checkpoint, with every algorithm that has rungs: each rung is trained anew."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import as_json, automl, refused
from tests.execution.test_any_program import ARGUMENTS, PROGRAMS
from tests.small_network import NETWORK

ALGORITHMS = ("successive_halving", "hyperband", "asha", "asynchronous_hyperband")
ANEW = ARGUMENTS.split("algorithm:")[0].replace("  epochs: 3", "  epochs: 9") + "R: 9\nfinal: {repeats: 1}\n"
UNJUDGED = ANEW.replace("repeats: 1", "repeats: 0")
SAYS_WHAT_IT_WAS_TOLD = "open({!r}, 'a').write(f'{{args.epochs}} {{args.lr}}\\n')\n"

pytestmark = pytest.mark.usefixtures("quick_runner")


def lay_out(folder: Path, text: str) -> Path:
    """The study of an argparse program, which notes in the file that is returned what it was started with."""
    told = folder / "told.txt"
    told.touch()
    program = (PROGRAMS / "with_arguments.py").read_text()
    marker = "args = parser.parse_args()\n"
    assert marker in program
    note = SAYS_WHAT_IT_WAS_TOLD.format(str(told))
    (folder / "with_arguments.py").write_text(program.replace(marker, marker + note))
    (folder / "study.yaml").write_text(text)
    return told


def controller(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / "mine/controller.json").read_text())["experiments"]
    return rows


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_rung_is_trained_anew_for_as_many_epochs_as_the_plan_says(algorithm: str, tmp_path: Path) -> None:
    told = lay_out(tmp_path, f"{UNJUDGED}algorithm: {algorithm}\ncosts: {{minutes_per_epoch: 2, gpus: 1}}\n")
    planned = as_json(automl("plan", "study.yaml", "-o", "json", cwd=tmp_path))
    totals = planned["totals"]
    assert totals["search_epochs"] == totals["search_epochs_from_scratch"]
    assert all(rung["from_epoch"] == 0 for stage in planned["stages"] for rung in stage["rungs"])
    assert totals["training_minutes"] == 2 * totals["search_epochs"]
    ran = automl("run", "study.yaml", "-j", "2", cwd=tmp_path)
    assert ran.code == 0, ran
    started = [int(line.split()[0]) for line in told.read_text().splitlines()]
    assert sum(started) == totals["search_epochs"]
    runs = [(row["number"], result) for row in controller(tmp_path) for result in row["results"]]
    assert Counter(started) == Counter(result["epochs"] for _, result in runs)
    stored = [json.loads(path.read_text()) for path in (tmp_path / "mine/results").glob("*/*.json")]
    assert len(stored) == len(runs)
    assert all([epoch for epoch, _ in one["history"]] == [*range(1, one["epochs"] + 1)] for one in stored)
    status = as_json(automl("status", "study.yaml", "-o", "json", cwd=tmp_path))
    assert status["epochs"] == {"done": sum(started), "pending": 0, "dropped": 0}
    for command in ("replay", "verify"):
        assert automl(command, "study.yaml", cwd=tmp_path).code == 0


def test_the_model_of_the_longest_training_of_the_best_is_kept(tmp_path: Path) -> None:
    told = lay_out(tmp_path, f"{UNJUDGED}algorithm: hyperband\n")
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path).code == 0
    best = as_json(automl("best", "study.yaml", "-o", "json", cwd=tmp_path))
    model = json.loads((tmp_path / "mine/best_model/model.pt").read_text())
    assert model["lr"] == best["values"]["lr"]
    assert f"9 {model['lr']}" in told.read_text().splitlines()


def test_the_plan_says_loudly_that_and_why_it_trains_anew(tmp_path: Path) -> None:
    lay_out(tmp_path, f"{ANEW}algorithm: hyperband\n")
    said = " ".join(automl("plan", "study.yaml", cwd=tmp_path).out.split())
    assert "resume: none because mine has no 'checkpoints' rule" in said
    assert "45 epochs where 36 would do from checkpoints" in said


def test_why_and_the_report_tell_that_a_rung_began_anew(tmp_path: Path) -> None:
    lay_out(tmp_path, f"{ANEW}algorithm: asha\n")
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path).code == 0
    gone = next(row["number"] for row in controller(tmp_path) if len(row["results"]) == 3)
    story = " ".join(automl("why", "study.yaml", str(gone), cwd=tmp_path).out.split())
    assert "rung 1, epochs 1 to 3, anew" in story
    assert "rung 2, epochs 1 to 9, anew" in story
    decided = [json.loads(path.read_text()) for path in sorted((tmp_path / "mine/decisions/0").glob("*.json"))]
    again = [issued for decision in decided for issued in decision["issued"] if issued["rung"]]
    assert {issued["resume_epoch"] for issued in again} == {0}
    assert all(issued["reason"].endswith("; trained anew from epoch 0") for issued in again)
    page = re.sub(r"<[^>]+>", " ", (tmp_path / "mine/report.html").read_text())
    assert "trained anew from epoch 0" in page


def test_a_search_that_is_extended_goes_on_anew(tmp_path: Path) -> None:
    told = lay_out(tmp_path, f"{ANEW}algorithm: successive_halving\nmax_recommendations: 3\n".replace("R: 9", "R: 3"))
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path).code == 0
    before = len(told.read_text().splitlines())
    assert automl("extend", "study.yaml", "--R", "9", cwd=tmp_path).code == 0
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path).code == 0
    added = [int(line.split()[0]) for line in told.read_text().splitlines()[before:]]
    assert sorted(added) == [9, 9, 9, 27, 27, 27]  # the larger brackets, and their judgement
    assert automl("replay", "study.yaml", cwd=tmp_path).code == 0


@pytest.mark.parametrize("where", ["network", "study"])
def test_a_program_with_checkpoints_trains_anew_where_the_file_says_so(where: str, tmp_path: Path) -> None:
    program = tmp_path / "small.py"
    shutil.copy(Path(__file__).parents[1] / "simulation/least_squares.py", program)
    anew = "resume: none\n"
    (tmp_path / "small.yaml").write_text(NETWORK.format(program=program) + (anew if where == "network" else ""))
    text = "name: mine\nnetwork: small.yaml\nalgorithm: hyperband\n" + (anew if where == "study" else "")
    (tmp_path / "study.yaml").write_text(text)
    planned = as_json(automl("plan", "study.yaml", "-o", "json", cwd=tmp_path))
    assert planned["totals"]["search_epochs"] == planned["totals"]["search_epochs_from_scratch"]
    assert any(note.startswith("resume: none: each rung") for note in planned["notes"])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("algorithm: random\nresume: none\n", ("resume: none is no option of algorithm: random", "leave it out")),
        ("algorithm: asha\nresume: checkpoint\n", ("mine, which has no 'checkpoints' rule", "resume: none")),
        ("algorithm: asha\nresume: nothing\n", ('resume: "nothing"', "none")),
        ("algorithm: asha\nresume: null\nresum: none\n", ("resum is not known", "did you mean 'resume'")),
    ],
)
def test_bad_input_is_refused(more: str, says: tuple[str, ...], tmp_path: Path) -> None:
    lay_out(tmp_path, ANEW.replace("R: 9\n", "") + more)
    refused(automl("plan", "study.yaml", cwd=tmp_path), *says)


def test_a_network_that_trains_anew_hands_no_checkpoint_over(tmp_path: Path) -> None:
    text = ANEW.replace("  keep:", '  resume: none\n  environment: {FROM: "{checkpoint}"}\n  keep:')
    lay_out(tmp_path, f"{text}algorithm: asha\n")
    refused(automl("plan", "study.yaml", cwd=tmp_path), "{checkpoint} with resume: none")
