"""Runs in a tracking store of MLflow, read back by its client: what is there, and that nothing is there twice."""

from __future__ import annotations

import shutil
import sqlite3
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from automl.errors import AutoMLError, InvalidInput
from automl.export import export
from automl.search.history import Status
from automl.stores.memory import MemoryStore
from automl.study.experiments import experiments
from automl.study.record import Record
from automl.study.summary import best_of_search
from tests.recorded_studies import mixed, recorded, walk
from tests.simulation.studies import HYPERBAND_9

STATES = {Status.SUCCESS: "FINISHED", Status.STOPPED: "KILLED", Status.FAILURE: "FAILED"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store: to make its tables takes longer than all that is done with them."""
    import_module("automl.export.mlflow_runs")  # turns off what MLflow sends before it is imported
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("empty") / "runs.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def client(empty: Path, tmp_path: Path) -> Any:
    from mlflow.tracking import MlflowClient

    shutil.copy(empty, tmp_path / "runs.db")
    return MlflowClient(f"sqlite:///{tmp_path}/runs.db")


def runs_of(client: Any) -> tuple[Any, dict[int, Any]]:
    """The run of the study, and those of its experiments by number."""
    (place,) = [each for each in client.search_experiments() if each.name != "Default"]
    assert place.name == "line"
    found = client.search_runs([place.experiment_id])
    (parent,) = [each for each in found if "mlflow.parentRunId" not in each.data.tags]
    children = [each for each in found if each is not parent]
    assert {each.data.tags["mlflow.parentRunId"] for each in children} == {parent.info.run_id}
    by_number = {int(each.data.tags["argo_automl.experiment"]): each for each in children}
    assert len(by_number) == len(children)
    return parent, by_number


def curve_of(client: Any, run: Any, name: str = "loss") -> list[tuple[int, float]]:
    return sorted((each.step, each.value) for each in client.get_metric_history(run.info.run_id, name))


def test_mlflow_reads_the_study_and_every_experiment(client: Any, tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition, failing=(3,))
    found = experiments(study, definition.plan)
    assert export(definition, study, "mlflow", tmp_path / "runs.db") == len(found)
    parent, runs = runs_of(client)
    assert set(runs) == {each.number for each in found}
    best = best_of_search(definition, study)
    assert best is not None
    assert parent.data.metrics["best loss"] == best.best_value
    assert parent.data.tags["best"] == f"experiment {best.experiment}"
    assert (parent.data.params["algorithm"], parent.info.status) == ("hyperband", "FINISHED")
    for each in found:
        run = runs[each.number]
        assert run.info.run_name == f"experiment {each.number}"
        assert run.info.status == STATES[each.status]
        assert run.data.tags["status"] == each.status.value
        assert run.data.tags.get("reason", "") == each.reason
        assert {name: str(value) for name, value in each.values.items()}.items() <= run.data.params.items()
        assert curve_of(client, run) == list(each.history)
    assert runs[3].data.tags["reason"].endswith("=it was killed, -9")


def test_exported_again_it_doubles_nothing_and_gets_what_is_new(client: Any, tmp_path: Path) -> None:
    definition, store = mixed(HYPERBAND_9), MemoryStore()
    record, study = recorded(store, definition, decisions=1)
    to = tmp_path / "runs.db"
    export(definition, study, "mlflow", to)
    parent, before = runs_of(client)
    assert (parent.info.status, len(before)) == ("RUNNING", 9)

    walk(Record(store), definition)
    study = record.history(definition)
    found = experiments(study, definition.plan)
    for _ in range(2):
        export(definition, study, "mlflow", to)
        parent, after = runs_of(client)
        assert parent.info.status == "FINISHED"
        assert {number: after[number].info.run_id for number in before} == {
            number: run.info.run_id for number, run in before.items()
        }
        assert len(after) == len(found) > len(before)
        for each in found:
            assert curve_of(client, after[each.number]) == list(each.history)


def test_another_run_of_the_same_study_is_refused_and_nothing_is_written(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition, decisions=1)
    export(definition, study, "mlflow", tmp_path / "runs.db")
    before = rows(tmp_path / "runs.db")
    for each in study.results.values():
        object.__setattr__(each, "attempts", ("b7",))
    with pytest.raises(InvalidInput, match="holds another run of the same study 'line'"):
        export(definition, study, "mlflow", tmp_path / "runs.db")
    assert rows(tmp_path / "runs.db") == before


def rows(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as database:
        tables = ("experiments", "runs", "metrics", "params", "tags")
        counts = {table: database.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}  # noqa: S608
    database.close()
    return counts


@pytest.mark.parametrize("to", ["runs", "runs.txt", "file:///tmp/mlruns", "s3://bucket/x"])
def test_a_place_that_is_no_tracking_store_is_refused(to: str, tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition, decisions=1)
    with pytest.raises(InvalidInput, match="does not say where MLflow keeps its runs"):
        export(definition, study, "mlflow", to)


def test_what_cannot_be_a_store_is_left_as_it_is(tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition, decisions=1)
    mine = tmp_path / "mine.db"
    mine.write_text("my own notes, which are no database")
    with pytest.raises(InvalidInput, match="is not a SQLite file"):
        export(definition, study, "mlflow", mine)
    assert mine.read_text() == "my own notes, which are no database"
    with pytest.raises(InvalidInput, match=r"folder .* does not exist"):
        export(definition, study, "mlflow", tmp_path / "none" / "runs.db")
    with pytest.raises(AutoMLError, match=r"MLflow, http://127\.0\.0\.1:1: "):
        export(definition, study, "mlflow", "http://127.0.0.1:1")
