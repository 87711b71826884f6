"""More than 500 broken inputs: each gives a typed error of automl.errors or is data, and none a bare traceback."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.analysis.status import status
from automl.errors import AutoMLError, InvalidInput
from automl.execution.steps.diagnosis import Ended
from automl.networks import definition
from automl.networks.status_rule import StatusRule
from automl.operations.download import fetch_best_model
from automl.operations.verify import verify
from automl.reporting import views
from automl.search.history import Decision, Result
from automl.stores.memory import MemoryStore
from automl.study import study_file
from automl.study.best_model import BestModel
from automl.study.manifest import Manifest
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from automl.text import strict_json
from tests.corpus.broken import changed, damaged
from tests.execution.steps.attempts import Attempt, recommendation, trains
from tests.recorded_studies import walk
from tests.simulation.studies import HALVING, RANDOM, study
from tests.small_network import NETWORK as SMALL

STUDY: dict[str, Any] = {
    "name": "study",
    "network": "fashion_mnist",
    "algorithm": "hyperband",
    "R": 9,
    "nu": 3,
    "seed": 4,
    "metric": {"name": "val_loss", "goal": "minimize"},
    "parameters": {"train.lr": {"low": 0.01, "high": 0.1}, "train.batch_size": {"options": [32, 64]}},
    "enqueue": [{"train.lr": 0.02}],
    "final": {"repeats": 1},
    "run": {"jobs": 2, "store": "./here", "timeout_minutes": 3},
    "costs": {"gpus": 1, "minutes_per_epoch": 0.5},
    "cluster": {"memory": "4Gi", "tolerations": [{"key": "gpu", "operator": "Exists"}]},
}
SMALL_NETWORK = yaml.safe_load(SMALL.format(program="small.py"))


@settings(max_examples=100)
@given(changed(STUDY))
def test_study_files(data: Any) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)
    refused_or_read(lambda: study_file.parse(text, "study.yaml", Path()), InvalidInput)


@settings(max_examples=40)
@given(damaged(yaml.safe_dump(STUDY).encode()) | damaged(yaml.safe_dump(SMALL_NETWORK).encode()))
def test_files_that_are_damaged(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.yaml"
        path.write_bytes(data)
        refused_or_read(lambda: study_file.read(path), InvalidInput)
        refused_or_read(lambda: definition.load_network("study.yaml", Path(folder)), InvalidInput)


@settings(max_examples=80)
@given(changed(SMALL_NETWORK))
def test_network_files(data: Any) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)
    refused_or_read(lambda: definition.parse(text, "network.yaml"), InvalidInput)


LINES: dict[str, tuple[dict[str, Any], bytes]] = {
    "tao": (
        {"reader": "tao"},
        b'{"epoch": 1, "kpi": {"loss": 0.5}}\n{"epoch": 2, "kpi": {"loss": "nan"}, "message": "x"}\n',
    ),
    "json_lines": (
        {"reader": "json_lines", "path": "log.json"},
        b'{"epoch": 1, "loss": 0.5}\n{"epoch": 2, "loss": 1e-5}\n',
    ),
    "csv": ({"reader": "csv", "path": "log.csv"}, b'epoch,loss,"a b"\n1,0.5,x\n2,0.25,"y, z"\n'),
    "regex": (
        {"reader": "regex", "patterns": ["epoch (?P<epoch>\\d+).*loss=(?P<loss>{number})"]},
        b"epoch 1: 50% loss=2.0 \repoch 1: 100% loss=0.1\n\x1b[1mepoch 2\x1b[0m loss=9.1e-05\n",
    ),
    "tensorboard": ({"reader": "tensorboard", "path": "events"}, b"\x18" + bytes(7) + b"abcd" + bytes(24) + b"abcd"),
}


@st.composite
def status_files(draw: st.DrawFn) -> tuple[str, bytes]:
    reader = draw(st.sampled_from(sorted(LINES)))
    return reader, draw(damaged(LINES[reader][1]) | st.binary(max_size=60))


@settings(max_examples=100)
@given(status_files())
def test_status_lines(given_file: tuple[str, bytes]) -> None:
    reader, data = given_file
    rule = LINES[reader][0]
    with tempfile.TemporaryDirectory() as folder:
        attempt = attempt_in(folder, {"status": rule})
        path = StatusRule.model_validate(rule).path
        half = len(data) // 2
        file = attempt.launch.log if reader == "regex" else attempt.launch.results / (path or "status.json")
        for part in (data[:half], data[half:]):
            with file.open("ab") as opened:
                opened.write(part)
            attempt.observer.poll(1.0)
        result = attempt.observer.finish(Ended(0), 2.0)
    assert result is not None
    assert Result.from_json(json.loads(strict_json.dump(result.to_json())), "it") == result


NAMES = st.sampled_from([b"model_1", b"model_2", b"a", b"a b", b"\xe8", b".h", b"x" * 255, b"status.json", b"\n"])
ACTS = st.sampled_from(["file", "folder", "pipe", "link", "link out", "no rights", "loop"])


@settings(max_examples=60)
@given(st.lists(st.tuples(st.lists(NAMES, min_size=1, max_size=3), ACTS), max_size=8), st.booleans(), st.data())
def test_checkpoint_folders(entries: list[tuple[list[bytes], str]], folders: bool, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        attempt = attempt_in(folder, {"checkpoints": {"pattern": "model_{epoch}", "folder": folders}})
        for names, act in entries:
            leave(os.path.join(os.fsencode(attempt.launch.results), *names), act)  # noqa: PTH118 - of bytes
            if data.draw(st.booleans()):
                attempt.observer.poll(1.0)
        if (attempt.status).is_file():
            attempt.reports(1, 0.5)
        result = attempt.observer.finish(Ended(0), 2.0)
        assert result is not None
        assert Result.from_json(json.loads(strict_json.dump(result.to_json())), "it") == result


def leave(path: bytes, act: str) -> None:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - of bytes
        if act == "file":
            with open(path, "wb") as file:  # noqa: PTH123
                file.write(b"x")
        elif act == "folder":
            os.mkdir(path)  # noqa: PTH102
        elif act == "pipe":
            os.mkfifo(path)
        elif act == "no rights":
            os.mkdir(path, 0)  # noqa: PTH102
        else:
            os.symlink({"link": b"../model_1", "link out": b"/", "loop": b"."}[act], path)  # noqa: PTH211
    except OSError:
        return  # there is something else already


def attempt_in(folder: str, network: dict[str, Any]) -> Attempt:
    asked = recommendation(epochs=2)
    return Attempt(Path(folder) / "a1", definition=study(RANDOM, network=network), asked=asked)


@cache
def stored() -> dict[str, Any]:
    """The objects of a small study, in which the result of experiment 0 and a checkpoint name each other."""
    record, made = Record(MemoryStore()), study(HALVING | {"max_recommendations": 3, "R": 3}, final={"repeats": 1})
    begin(record, made, "a study\n")
    walk(record, made, failing={1})
    result, asked = record.result(0, 0), record.decisions(0)[0][0].issued[0]
    assert result is not None
    with tempfile.TemporaryDirectory() as folder:
        attempt = Attempt(Path(folder) / "a2", record, made, asked)
        trains(attempt, *(value for _, value in result.history))
        record.store.delete("results/0/0.json")
        attempt.observer.finish(Ended(0), 1.0)
    views.rebuild(OpenedStudy.read(record))
    return {key: record.store.get(key) for key in record.store.list("")}


NO_VIEWS = ("automl_metadata", "decisions/", "results/", "experiment_0/rung_0/a2/checkpoints", "best_model/manifest")
JSON_OBJECTS = sorted(key for key in stored() if key.endswith(".json") and key.startswith(NO_VIEWS))


@st.composite
def broken_records(draw: st.DrawFn) -> tuple[str, bytes]:
    key = draw(st.sampled_from(JSON_OBJECTS))
    if draw(st.integers(0, 9)) == 0:
        return key, draw(damaged(stored()[key]))
    value = draw(changed(json.loads(stored()[key]), times=1))
    return key, json.dumps(value).encode()


@settings(max_examples=40)
@given(broken_records())
def test_stored_records(broken: tuple[str, bytes]) -> None:
    record = Record(MemoryStore())
    for key, data in {**stored(), broken[0]: broken[1]}.items():
        record.store.put(key, data)
    refused_or_read(lambda: status(record, OpenedStudy.read(record).definition))
    if broken[0].startswith("best_model/"):
        with tempfile.TemporaryDirectory() as folder:
            refused_or_read(lambda: fetch_best_model(record, Path(folder) / "model"))
    else:
        refused_or_read(lambda: verify(OpenedStudy.read(record), lambda _part: None))
    refused_or_read(lambda: views.rebuild(OpenedStudy.read(record)))


READERS: dict[str, Callable[[Any], object]] = {
    "decisions/0/1.json": lambda data: Decision.from_json(data, "it").to_json(),
    "results/0/0.json": lambda data: Result.from_json(data, "it").to_json(),
    "best_model/manifest.json": lambda data: BestModel.from_json(data, "it").to_json(),
}


@st.composite
def broken_objects(draw: st.DrawFn) -> tuple[str, Any]:
    key = draw(st.sampled_from(sorted(READERS)))
    return key, draw(changed(json.loads(stored()[key])))


@settings(max_examples=120)
@given(broken_objects())
def test_stored_objects(broken: tuple[str, Any]) -> None:
    """What is read can be written again."""
    refused_or_read(lambda: strict_json.dump(READERS[broken[0]](broken[1])))


@cache
def stored_manifest() -> tuple[str, Any]:
    key = next(key for key in stored() if key.endswith("manifest.json") and key.startswith("experiment_"))
    return key, json.loads(stored()[key])


@settings(max_examples=80)
@given(st.data())
def test_stored_manifests(data: st.DataObject) -> None:
    key, good = stored_manifest()
    record = Record(MemoryStore())
    record.store.put(key, json.dumps(data.draw(changed(good))).encode())

    def write_again() -> None:
        manifest = record.manifest(key)
        assert isinstance(manifest, Manifest)
        strict_json.dump(manifest.to_json())

    refused_or_read(write_again)


def refused_or_read(read: Callable[[], object], kind: type[AutoMLError] = AutoMLError) -> None:
    try:
        read()
    except kind as error:
        given = error.given
    else:
        return
    assert given
