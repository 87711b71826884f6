"""What programs leave on the disk: the study goes on, the reason names the path, and a resumed training has every file.

Each file of folders/ has a deed of a training, and what it must give: `failure` and a part of its `message`, or success
and, in `resumed`, what lies in the folder of the training that goes on (a name that ends with / is an empty folder).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from automl.execution import leftovers
from automl.execution.steps.propose import propose
from automl.execution.steps.salvage import note, salvage
from automl.execution.steps.stage_in import stage_in
from automl.search.agenda import runs_of_decision
from automl.search.history import History
from automl.stores import open_store
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.record import Record
from tests.corpus.training import do
from tests.execution.steps.attempts import Attempt
from tests.simulation.runs import NO_FINAL, forked, objects, run, wait
from tests.simulation.studies import study

CASES: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted(Path(__file__).with_name("folders").glob("*.yaml"))
}
NETWORK: dict[str, Any] = {
    "command": [sys.executable, str(Path(__file__).with_name("training.py")), "{spec}", "{results}"],
    "fields": {"epochs": "epochs", "seed": "seed", "resume_from": "resume_from"},
    "checkpoints": {"pattern": "model_{epoch}", "folder": True},
    "epochs": 2,
    "spec": {"epochs": 2, "seed": 1, "resume_from": None, "faults": {}, "lr": 0.02},
    "parameters": {"lr": {"type": "float", "low": 0.001, "high": 0.4, "automl_enabled": True}},
}


def study_of_deeds(deeds: dict[str, str]) -> Definition:
    """A study whose experiment 0 does nothing odd, and the others a deed each."""
    settings = {"algorithm": "random", "max_recommendations": len(deeds) + 1, "max_epochs": 2} | NO_FINAL
    return study(settings, dict(enumerate(deeds.values(), 1)), NETWORK)


@pytest.fixture(scope="module")
def all_deeds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Definition, History]:
    folder = tmp_path_factory.mktemp("all")
    definition = study_of_deeds({name: case["deed"] for name, case in CASES.items()})
    return folder, definition, run(definition, folder / "study")


def tree(folder: Path) -> dict[str, str]:
    """Every file below the folder with its text, and every empty folder, with / at its end."""
    files = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
    empty = {path: "" for path in folder.rglob("*") if path.is_dir() and not any(path.iterdir())}
    return {f"{path.relative_to(folder)}{'/' * (path in empty)}": text for path, text in {**files, **empty}.items()}


@pytest.mark.parametrize("name", CASES)
def test_an_experiment_ends_as_it_must_and_loses_no_file(
    name: str, all_deeds: tuple[Path, Definition, History], tmp_path: Path
) -> None:
    folder, definition, history = all_deeds
    case, number = CASES[name], list(CASES).index(name) + 1
    result = history.results[number, 0]
    assert result.failure == case.get("failure"), result.message
    assert case.get("message", "") in result.message
    if "resumed" in case:
        record = Record(open_store(str(folder / "study")))
        asked = next(run for run in runs_of_decision(history.decisions[0]) if run.recommendation.number == number)
        launch = stage_in(record, definition, replace(asked.recommendation, resume_epoch=2), 1, tmp_path / "next")
        assert launch.resume is not None
        assert tree(launch.folder / "resume") == case["resumed"]


def test_the_study_ends_well_and_the_same_command_afterwards(all_deeds: tuple[Path, Definition, History]) -> None:
    folder, definition, history = all_deeds
    assert history.results[0, 0].failure is None
    before = objects(folder / "study")
    run(definition, folder / "study")
    assert objects(folder / "study") == before


@pytest.mark.parametrize("name", CASES)
def test_what_a_killed_runner_left_is_taken_up(name: str, tmp_path: Path) -> None:
    definition, record = study_of_deeds({}), Record(MemoryStore())
    run_of_it = next(runs_of_decision(propose(record, definition, 0, 0)))
    asked = run_of_it.recommendation
    attempt = Attempt(tmp_path / "attempts" / "a1", record, definition, asked)
    note(definition, attempt.launch, run_of_it)
    model = attempt.launch.results / "model_1"
    model.mkdir()
    (model / "weights.bin").write_text("1")
    attempt.launch.log.touch()
    assert wait(forked(lambda: do(CASES[name]["deed"], attempt.launch.results, 1)), 60) == 0
    if not attempt.status.exists() and attempt.launch.results.exists():
        attempt.reports(1, 1.0)
    for _ in range(2):
        leftovers.clear(tmp_path / "attempts")
        salvage(record, definition, tmp_path / "attempts")
    assert "child" in name or list((tmp_path / "attempts").iterdir()) == []


RIGHTS = {
    "a folder beside checkpoints": ("(results / 'private').mkdir(0, exist_ok=True)", ""),
    "a folder in a checkpoint": ("(model / 'private').mkdir(0)", "model_1/private cannot be read: Permission denied"),
    "a checkpoint": ("model.chmod(0)", "model_1 cannot be read: Permission denied"),
    "a file": ("(model / 'weights.bin').chmod(0)", "model_1/weights.bin cannot be read: Permission denied"),
    "the log": ("(results.parent / 'log.txt').chmod(0)", ""),
    "the results": ("results.chmod(0) if epoch == 2 else None", "status.json cannot be read: Permission denied"),
}


def study_without_rights() -> Definition:
    return study_of_deeds({what: deed for what, (deed, _) in RIGHTS.items()})


def test_folders_and_files_without_rights(tmp_path: Path) -> None:
    """The rights of files do not bind root, unless it gives up what makes it so."""
    program = "import sys; from tests.corpus import test_folders as t; t.run(t.study_without_rights(), sys.argv[1])"
    command = [sys.executable, "-c", program, str(tmp_path / "study")]
    if os.getuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root cannot give up its rights: there is no setpriv")
        command = [setpriv, "--bounding-set=-dac_override,-dac_read_search", *command]
    for _ in range(2):
        subprocess.run(command, check=True, timeout=300, cwd=Path(__file__).parents[2])
    history = Record(open_store(str(tmp_path / "study"))).history(study_without_rights())
    for number, (what, (_, says)) in enumerate(RIGHTS.items(), 1):
        result = history.results[number, 0]
        assert (result.failure is not None) == bool(says), (what, result.message)
        assert says in result.message, what
    assert list((tmp_path / "study/.work/attempts").iterdir()) == []
