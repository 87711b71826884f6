"""What is added to and taken from a study that was begun, in a bucket as in a folder: extend, enqueue, gc."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.operations.extend import enqueue, extend
from automl.operations.replay import Replay
from automl.operations.verify import verify
from automl.reporting import views
from automl.search.extension import Extension
from automl.stores import Store
from automl.study.keys import EXTENSIONS
from automl.study.opened_study import OpenedStudy
from automl.study.prefetching_record import PrefetchingRecord
from tests.command_line import as_json, automl
from tests.recorded_studies import recorded, walk
from tests.reporting.page.made_records import opened
from tests.simulation.studies import study, uniform_instead_of_a_model
from tests.small_network import write_small_study
from tests.stores.s3_server import Fault, S3Server

CHAIN: dict[str, Any] = {"algorithm": "bayesian", "max_recommendations": 4, "max_epochs": 2, "parallel": 2}
STUDY = """\
name: study
network: small.yaml
algorithm: bayesian
max_recommendations: 3
final: {repeats: 1}
parameters: {train.x: {default: 0.1}}
run: {store: "s3://bucket/a/study"}
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    uniform_instead_of_a_model(monkeypatch)


def test_a_search_is_extended_with_own_values_in_every_kind_of_store(store: Store) -> None:
    record, _ = recorded(store, study(CHAIN))
    before = {key: store.get(key) for key in store.list("decisions/")}
    assert extend(record, opened(record), Extension(8), "study").before.experiments == 4
    extend(record, opened(record), Extension(8), "study")
    assert store.list(f"{EXTENSIONS}/") == ["extensions/0.json"], "asked twice it is extended once"
    enqueue(record, opened(record), ["train.lr=0.3"], "study")
    walk(record, opened(record))
    definition = opened(record)
    held = record.history(definition)
    assert [each.values["train.lr"] for decision in held.decisions for each in decision.issued].count(0.3) >= 1
    assert {key: store.get(key) for key in before} == before
    assert [each.difference for each in Replay(record, definition) if each.difference] == []
    views.rebuild(OpenedStudy.read(record))
    findings = verify(OpenedStudy.read(record), lambda _: None).findings
    assert (findings.problems, findings.notes) == ([], [])


def test_a_search_goes_on_to_a_larger_r_in_every_kind_of_store(store: Store) -> None:
    record, _ = recorded(store, study({"algorithm": "hyperband", "R": 3, "max_epochs": 3}))
    before = {key: store.get(key) for key in store.list("decisions/")}
    for _ in range(2):
        extend(record, opened(record), Extension(R=9), "study")
    assert store.list(f"{EXTENSIONS}/") == ["extensions/0.json"], "asked twice it is extended once"
    walk(PrefetchingRecord(store), opened(record))
    definition = opened(record)
    assert {key: store.get(key) for key in before} == before
    assert [each.difference for each in Replay(record, definition) if each.difference] == []
    views.rebuild(OpenedStudy.read(record))
    findings = verify(OpenedStudy.read(record), lambda _: None).findings
    assert (findings.problems, findings.notes) == ([], [])


@pytest.fixture
def ran(s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a study file whose study has run to its end in the bucket of the server."""
    monkeypatch.setenv("HOME", str(tmp_path))  # where a runner keeps what is under way
    write_small_study(tmp_path, study=STUDY)
    done(tmp_path, "run study.yaml -j 2")
    return tmp_path


def done(folder: Path, command: str) -> str:
    found = automl(*command.split(), cwd=folder)
    assert (found.code, found.err) == (0, ""), command
    return found.out


def told(folder: Path, command: str) -> Any:
    return as_json(automl(*command.split(), "-o", "json", cwd=folder))


def test_a_study_in_a_bucket_is_extended_and_run_again_by_its_commands(ran: Path, s3_server: S3Server) -> None:
    before = {key: data for key, data in s3_server.objects.items() if "/decisions/" in key}
    done(ran, "extend study.yaml --to 5")
    done(ran, "enqueue s3://bucket/a/study train.x=0.45")
    assert {"a/study/extensions/0.json", "a/study/enqueued/0.json"} <= set(s3_server.objects)
    done(ran, "run study.yaml -j 2")
    values = [each["values"]["train.x"] for each in told(ran, "status study.yaml")["experiments_table"]]
    assert 0.45 in values
    assert {key: s3_server.objects[key] for key in before} == before
    assert told(ran, "replay study.yaml")["same"]
    assert told(ran, "verify study.yaml")["whole"]


def test_a_study_in_a_bucket_goes_on_to_a_larger_r_by_its_commands(
    s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    text = STUDY.replace("bayesian", "hyperband").replace("max_recommendations: 3", "R: 3\nmax_epochs: 3")
    write_small_study(tmp_path, study=text)
    done(tmp_path, "run study.yaml -j 2")
    before = {key: data for key, data in s3_server.objects.items() if "/decisions/" in key}
    assert "extends to R = 9: 12 more experiments" in done(tmp_path, "extend study.yaml --R 9")
    done(tmp_path, "run study.yaml -j 2")
    assert {key: s3_server.objects[key] for key in before} == before
    found = told(tmp_path, "status study.yaml")
    assert (found["state"], found["experiments"]["planned"]) == ("done", 19)
    assert told(tmp_path, "replay study.yaml")["same"]
    assert told(tmp_path, "verify study.yaml")["whole"]


def test_in_a_bucket_gc_removes_what_it_lists_and_nothing_else(ran: Path, s3_server: S3Server) -> None:
    before = dict(s3_server.objects)
    listed = told(ran, "gc study.yaml")
    assert s3_server.objects == before
    removed = told(ran, "gc study.yaml --yes")
    gone = set(before) - set(s3_server.objects)
    assert removed["objects"] == listed["objects"] != []
    assert gone == {f"a/study/{key}" for key in listed["objects"]}
    assert set(s3_server.objects) - set(before) == {"a/study/gc/0.json"}
    assert all("/checkpoints/" in key for key in gone)
    assert told(ran, "verify study.yaml")["whole"]
    assert told(ran, "replay study.yaml")["same"]


def test_a_removal_that_the_bucket_refuses_midway_goes_on(ran: Path, s3_server: S3Server) -> None:
    listed = told(ran, "gc study.yaml")["objects"]
    assert len(listed) > 2
    s3_server.fail(Fault("DELETE", 403, "AccessDenied"))
    refused = automl("gc", "study.yaml", "--yes", cwd=ran)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("automl: ")
    assert told(ran, "verify study.yaml")["whole"]
    assert told(ran, "gc study.yaml --yes")["removed"]
    assert not {f"a/study/{key}" for key in listed} & set(s3_server.objects)
    assert told(ran, "verify study.yaml")["whole"]
