"""Studies that older code has begun, and the workflow that it compiled, go on with the code of today.

`tests/studies_of_before/` holds them, half done, as files. Only what users hold on to is used here: the command, the
stores, the manifest of a workflow and the names of stored objects. So this outlives any move of the code below.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from automl.stores import Store, open_store

from .command_line import as_json, automl, files_below
from .stores.conftest import served
from .stores.s3_server import S3Server
from .studies_of_before.argo import ROOT, Workflow, image

STUDIES = ROOT / "tests" / "studies_of_before"
ONCE = re.compile(r"decisions/.*|results/.*|automl_metadata\.json|study\.yaml")
CHECKPOINT = re.compile(r"experiment_(\d+)/rung_(\d+)/(\w+)/checkpoints/(\d+)/manifest\.json")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's AWS settings, a home of its own, and trainings that find their program."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    yield from served(monkeypatch)


@pytest.mark.parametrize("name", ["hyperband", "bayesian"])
def test_a_study_in_a_folder_goes_on(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "studies"
    shutil.copytree(STUDIES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert automl("status", "study.yaml", cwd=copy / name).code == 0
    salvaged = [int(path.stem.split("_")[1]) for path in copy.glob(f"{name}/record/.work/**/results/model_*.json")]
    done(copy / name, "run", "study.yaml", "-j", "2")
    ended_as_it_began(copy / name, str(copy / name / "record"), before(name), salvaged)


@pytest.mark.parametrize("name", ["hyperband", "bayesian"])
def test_a_study_in_a_bucket_goes_on(name: str, server: S3Server, tmp_path: Path) -> None:
    place = filled(server, name)
    done(STUDIES / name, "run", "study.yaml", "-j", "2", "--store", place)
    ended_as_it_began(tmp_path, place, before(name))


def test_a_workflow_that_was_compiled_before_goes_on_when_its_pods_are_gone(server: S3Server, tmp_path: Path) -> None:
    manifest: dict[str, Any] = yaml.safe_load((STUDIES / "pods" / "study.argo.yaml").read_text())
    place = filled(server, "pods")
    assert {"name": "store", "value": place} in manifest["spec"]["arguments"]["parameters"]
    volume = tmp_path / "volume"
    told = {"AWS_ENDPOINT_URL": server.url}
    workflow = Workflow(manifest, volume, image(tmp_path / "image", volume), told)
    workflow.run()
    assert (workflow.pods[0], workflow.pods[-1]) == ("start", "collect")
    ended_as_it_began(tmp_path, place, before("pods"))


def before(name: str) -> dict[str, bytes]:
    """The objects of a study as they were left, by key."""
    return {key: data for key, data in files_below(STUDIES / name / "record").items() if data}


def filled(server: S3Server, name: str) -> str:
    """The address of a study that was put into the bucket of the server."""
    server.objects.update({f"a/{name}/{key}": data for key, data in before(name).items()})
    return f"s3://bucket/a/{name}"


def done(folder: Path, *words: str) -> None:
    found = automl(*words, cwd=folder)
    assert (found.code, found.err) == (0, ""), found


def ended_as_it_began(folder: Path, place: str, objects: dict[str, bytes], salvaged: Iterable[int] = ()) -> None:
    """The study is done and whole, no decision or result of before has changed, and what was trained was gone on from.

    folder: where the commands are given. objects: of before. salvaged: epochs whose checkpoints only the machine had.
    """
    store = open_store(place)
    once = {key: data for key, data in objects.items() if ONCE.fullmatch(key)}
    assert {key: store.get(key) for key in once} == once
    status = as_json(automl("status", place, "-o", "json", cwd=folder))
    assert (status["state"], status["epochs"]["pending"]) == ("done", 0)
    assert "best_model/manifest.json" in store.list("best_model/")
    replayed = automl("replay", place, "-o", "json", cwd=folder)
    assert replayed.code == 0, replayed
    decisions = as_json(replayed)["decisions"]
    assert decisions == len(store.list("decisions/")) > sum(key.startswith("decisions/") for key in objects)
    verified = as_json(automl("verify", place, "-o", "json", cwd=folder))
    assert (verified["problems"], verified["notes"]) == ([], [])
    assert verified["checked"]["decisions"] == decisions
    the_cut_off_training_went_on(store, objects, salvaged)


def the_cut_off_training_went_on(store: Store, objects: dict[str, bytes], salvaged: Iterable[int]) -> None:
    """The one with a checkpoint and no result got one by a second attempt, which went on from the newest checkpoint."""
    left = [match.groups() for key in objects if (match := CHECKPOINT.fullmatch(key))]
    (cut_off,) = [each for each in left if f"results/{each[0]}/{each[1]}.json" not in objects]
    experiment, rung, attempt, epoch = cut_off
    result = json.loads(store.get(f"results/{experiment}/{rung}.json") or b"")
    first, second = result["attempts"]
    assert (result["failure"], first) == (None, attempt)
    log = store.get(f"experiment_{experiment}/rung_{rung}/{second}/log.txt")
    assert log == f"goes on from epoch {max([int(epoch), *salvaged])}\n".encode()


@pytest.mark.parametrize("path", sorted((STUDIES / "rules_5").glob("*.json")), ids=lambda path: path.stem)
def test_a_study_of_rules_5_is_decided_as_it_was(path: Path, tmp_path: Path) -> None:
    """Several metrics, constraints and earlier searches: the same proposals and reasons, byte for byte."""
    objects = {key: text.encode() for key, text in json.loads(path.read_text()).items()}
    record = tmp_path / "record"
    for key, data in objects.items():
        (record / key).parent.mkdir(parents=True, exist_ok=True)
        (record / key).write_bytes(data)
    replayed = automl("replay", str(record), "-o", "json", cwd=tmp_path)
    assert replayed.code == 0, replayed
    decisions = [key for key in objects if key.startswith("decisions/")]
    assert len(decisions) == as_json(replayed)["decisions"] >= 5
    assert json.loads(objects["automl_metadata.json"])["rules"] == 5
