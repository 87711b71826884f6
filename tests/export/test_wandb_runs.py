"""Offline runs of Weights & Biases, read back from their files by wandb's own messages."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from automl.export import export
from automl.search.history import History, Status
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.experiments import experiments
from tests.recorded_studies import mixed, recorded
from tests.simulation.studies import HYPERBAND_9

BLOCK, HEAD, FIRST = 32768, 7, 7  # bytes of LevelDB's log format, in which wandb writes its messages


def messages(path: Path) -> Iterator[Any]:
    """The messages of a run's file."""
    record = import_module("wandb.proto.wandb_internal_pb2").Record

    data, at, part = path.read_bytes(), FIRST, b""
    assert data.startswith(b":W&B")
    while at + HEAD <= len(data):
        if BLOCK - at % BLOCK < HEAD:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + HEAD])
        part += data[at + HEAD : at + HEAD + length]
        at += HEAD + length
        if kind in {1, 4}:  # whole, or the last part
            yield record.FromString(part)
            part = b""


class Read:
    """A run as its file has it."""

    def __init__(self, path: Path) -> None:
        self.config: dict[str, Any] = {}
        self.summary: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.exit_code = None
        for each in messages(path):
            kind = each.WhichOneof("record_type")
            if kind == "run":
                self.run = each.run
                self.config |= items(each.run.config.update)
            elif kind == "history":
                self.history.append(items(each.history.item))
            elif kind == "summary":
                self.summary |= items(each.summary.update)
            elif kind == "exit":
                self.exit_code = each.exit.exit_code


def items(found: Any) -> dict[str, Any]:
    return {each.key or ".".join(each.nested_key): json.loads(each.value_json) for each in found}


def exported(definition: Definition, study: History, to: Path) -> list[Read]:
    assert export(definition, study, "wandb", to) == len([each for each in found_of(definition, study) if each.results])
    return [Read(path) for path in sorted(to.glob("wandb/offline-run-*/run-*.wandb"))]


def found_of(definition: Definition, study: History) -> list[Any]:
    return experiments(study, definition.plan)


@pytest.fixture(scope="module")
def small() -> tuple[Definition, History]:
    """The first rung of a search, one of whose experiments has failed."""
    definition = mixed({**HYPERBAND_9, "R": 3})
    _, study = recorded(MemoryStore(), definition, failing=(1,), decisions=1)
    return definition, study


def test_every_experiment_is_a_run_with_its_curve_and_its_values(
    small: tuple[Definition, History], tmp_path: Path
) -> None:
    definition, study = small
    runs = exported(definition, study, tmp_path / "runs")
    (about,) = [each for each in runs if each.run.job_type == "study"]
    assert about.config["algorithm"] == "hyperband"
    assert {each.run.host for each in runs} == {""}
    found = {each.number: each for each in found_of(definition, study)}
    assert about.summary["state"] == "running"
    mine = {each.summary["experiment"]: each for each in runs if each.run.job_type == "experiment"}
    assert set(mine) == set(found)
    for number, each in found.items():
        read = mine[number]
        assert (read.run.display_name, read.run.run_group, read.run.project) == (f"experiment {number}", "line", "line")
        assert each.values.items() <= read.config.items()
        assert [(point["epoch"], point["loss"]) for point in read.history] == list(each.history)
        assert (read.summary["status"], read.exit_code) == (each.status.value, int(each.status is Status.FAILURE))
        assert read.summary.get("reason", "") == each.reason

    again = exported(definition, study, tmp_path / "again")
    assert {each.run.run_id for each in again} == {each.run.run_id for each in runs}
    assert len({each.run.run_id for each in runs}) == len(runs)

    written = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert not {"requirements.txt", "wandb-metadata.json"} & set(written)
    assert not [path for path in tmp_path.iterdir() if path.name not in {"runs", "again"}]
