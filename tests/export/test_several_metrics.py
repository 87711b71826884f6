"""A study of two metrics and a constraint in the forms of other tools, and back from Optuna."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import optuna
import pytest

from automl.export import rows as table
from automl.export.optuna_storage import write
from automl.importing.optuna_study import imported
from automl.opening import open_study
from automl.study.experiments import experiments
from automl.study.opened_study import OpenedStudy
from tests.command_line import automl
from tests.execution.test_objectives import PROGRAM, STUDY


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> OpenedStudy:
    """A study that was trained here, whose constraint most experiments break."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "train.py").write_text(PROGRAM)
    (folder / "study.yaml").write_text(STUDY + "constraints: [{metric: latency_ms, below: 16}]\n")
    ran = automl("run", "study.yaml", "-j", "2", cwd=folder)
    assert ran.code == 0, ran.err
    return open_study(str(folder / "study.yaml"))


def test_the_table_has_a_column_for_each_further_metric(opened: OpenedStudy, tmp_path: Path) -> None:
    table.write_csv(opened.definition, opened.history(), tmp_path / "two.csv")
    rows = list(csv.DictReader((tmp_path / "two.csv").read_text().splitlines()))
    for row in rows:
        latency = 2 + float(row["values.width"]) / 4
        assert float(row["best_value.latency_ms"]) == latency
        assert bool(row["infeasible"]) == (latency > 16)
    assert "latency_ms = 18, over 16 by 2" in rows[0]["infeasible"]


def test_optuna_has_all_metrics_and_by_how_much_a_constraint_is_broken(opened: OpenedStudy, tmp_path: Path) -> None:
    write(opened.definition, opened.history(), tmp_path / "two.db")
    address = f"sqlite:///{tmp_path / 'two.db'}"
    study = optuna.load_study(study_name="two", storage=address)
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    for trial in study.trials:
        assert trial.values is not None
        latency = 2 + trial.params["width"] / 4
        assert trial.values[1] == latency
        assert trial.system_attrs["constraints"] == [pytest.approx(latency - 16)]
    best = {trial.number for trial in study.best_trials}
    assert all(study.trials[number].values[1] <= 16 for number in best)  # Optuna too leaves out what is infeasible


def test_what_went_to_optuna_comes_back_with_its_metrics_and_constraints(opened: OpenedStudy, tmp_path: Path) -> None:
    write(opened.definition, opened.history(), tmp_path / "two.log")
    back = imported(str(tmp_path / "two.log"), None)
    assert back.draft.options["metrics"] == [
        {"name": "val_acc", "goal": "maximize"},
        {"name": "latency_ms", "goal": "minimize"},
    ]
    assert back.draft.options["constraints"] == [{"metric": "latency_ms", "below": 16.0}]
    assert not any("objective" in text for text in back.left_out)


@pytest.mark.parametrize("name", ["courses.log", "courses.db"])
def test_the_values_of_each_metric_at_each_epoch_come_back_from_optuna(
    opened: OpenedStudy, tmp_path: Path, name: str
) -> None:
    study = opened.history()
    write(opened.definition, study, tmp_path / name)
    back = imported(str(tmp_path / name), None)
    search = {stage.index for stage in opened.definition.plan.search}
    every = [one for one in experiments(study, opened.definition.plan) if one.stage in search]
    assert len(back.trials) == len(every)
    for trial, experiment in zip(back.trials, every, strict=True):
        last = experiment.results[-1]
        assert trial.courses == {"val_acc": last.history, **last.measured}
        assert trial.courses["latency_ms"], "the training measures it"
    rows = list(csv.DictReader(back.history().splitlines()))
    assert [json.loads(row["course.val_acc"]) for row in rows] == [
        [list(point) for point in one.history] for one in every
    ]
    assert [json.loads(row["course.latency_ms"]) for row in rows] == [
        [list(point) for point in one.results[-1].measured["latency_ms"]] for one in every
    ]


def test_what_optuna_reported_on_the_way_is_in_the_table_and_what_is_none_is_said(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 's.db'}"
    study = optuna.create_study(storage=address, study_name="theirs", direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("rate", 0.0, 1.0)
        for step in (1, 2, 3):
            trial.report(rate * step, step)
        trial.set_user_attr("measured", "by hand")  # an attribute of theirs, called as one of ours
        return rate * 3

    study.optimize(objective, n_trials=2)
    back = imported(str(tmp_path / "s.db"), None)
    for trial, theirs in zip(back.trials, study.trials, strict=True):
        rate = theirs.params["rate"]
        assert trial.courses == {"value": ((1, rate), (2, rate * 2), (3, rate * 3))}
        assert (trial.epochs, trial.value) == (3, rate * 3)
    assert "user_attrs.measured of trial 0: it holds no values by epoch" in back.left_out
