"""Whole searches of programs that behave as TAO's containers do, with the catalogue's network files as they are."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from automl.networks import load_network
from automl.stores import open_store
from automl.study.definition import Definition
from automl.study.options import StudyFile
from automl.study.record import Record
from automl.text import strict_json
from tests.simulation.runs import run

FAKE = Path(__file__).with_name("fake_tao.py")

pytestmark = pytest.mark.usefixtures("quick_runner")


def definition(name: str, **settings: Any) -> Definition:
    network = load_network(name, Path("/nowhere"))
    command = (sys.executable, str(FAKE), *network.command)
    file = {"name": "s", "network": name, "dataset": "/data", "R": 9, "nu": 3, "max_epochs": 9, **settings}
    return Definition(
        StudyFile.model_validate({"algorithm": "hyperband", "final": {"repeats": 0}, **file}),
        network.model_copy(update={"command": command}),
    )


LAST_MODELS = {
    "detectnet_v2": {"model.epoch-9.ckzip", "model.epoch-9.hdf5"},
    "pose_classification": {"train/model_epoch_008_step_00225.pth"},
}


@pytest.mark.parametrize("name", LAST_MODELS)
def test_a_hyperband_runs_to_its_best_model_and_goes_on_from_checkpoints(name: str, tmp_path: Path) -> None:
    study_file = definition(name)
    study = run(study_file, tmp_path / "study")
    plan = study_file.plan
    assert len(study.results) == plan.runs
    assert {result.failure for result in study.results.values()} == {None}
    record = Record(open_store(str(tmp_path / "study")))
    controller = strict_json.load(record.store.get("controller.json") or b"", "it")
    for experiment in controller["experiments"]:
        last = experiment["results"][-1]
        assert [epoch for epoch, _ in experiment["history"]] == list(range(1, last["epochs"] + 1))
        assert last["value"] == experiment["history"][-1][1]
        rungs = len(experiment["results"])
        rates = re.findall(
            rb"epoch (\d+) lr (\S+)", record.store.get(f"experiment_{experiment['number']}/log.txt") or b""
        )
        assert len(set(rates)) == len(dict(rates)), "a promoted training has the learning rates of one undisturbed"
        log = record.store.get(f"experiment_{experiment['number']}/log.txt") or b""
        assert (log.count(b"starts\n"), log.count(b"goes on from epoch")) == (1, rungs - 1)
    best = strict_json.load(record.store.get("best_model/manifest.json") or b"", "it")
    assert best["epoch"] == 9
    assert best["value"] == controller["best"]["value"]
    assert {file["name"] for file in best["files"]} == LAST_MODELS[name]


def test_a_training_that_is_told_all_epochs_is_stopped_at_those_of_its_rung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TAO_SECONDS", "0.3")
    study_file = definition("classification_pyt", algorithm="successive_halving", run={"jobs": 2})
    study = run(study_file, tmp_path / "study")
    assert {result.failure for result in study.results.values()} == {None}
    record = Record(open_store(str(tmp_path / "study")))
    last = {}
    for number, _ in study.results:
        log = (record.store.get(f"experiment_{number}/log.txt") or b"").decode()
        last[number] = [int(epoch) for epoch in re.findall(r"epoch (\d+) lr", log)]
    stopped = [epochs for epochs in last.values() if max(epochs) < 8]
    assert len(stopped) >= 6, "of nine that begin one goes to the end"
    assert {epoch for result in study.results.values() if result.rung == 0 for epoch, _ in result.history} == {1}
