"""A study of two metrics and a constraint in the forms of other tools, and back from Optuna."""

from __future__ import annotations

import csv
from pathlib import Path

import optuna
import pytest

from automl.export import rows as table
from automl.export.optuna_storage import write
from automl.importing.optuna_study import imported
from automl.opening import open_study
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
