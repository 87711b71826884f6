"""A metric may have any finite value: of each series in numbers.yaml every command, page, plot and decision holds."""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from automl.problem.metric import Metric, difference, mean_of
from automl.stores.folder import FolderStore
from tests.command_line import as_json, automl
from tests.recorded_studies import mixed, recorded

LARGEST = sys.float_info.max
SERIES: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("numbers.yaml").read_text())
HYPERBAND = {"algorithm": "hyperband", "R": 3, "nu": 3, "max_epochs": 3, "final": {"repeats": 2}}
BAYESIAN = {"algorithm": "bayesian", "max_recommendations": 8, "max_epochs": 2, "final": {"repeats": 2}}


def study(folder: Path, settings: dict[str, Any], name: str) -> None:
    values = SERIES[name]["values"]
    recorded(
        FolderStore(folder / "study"), mixed(settings), loss=lambda asked, _epoch: values[asked.number % len(values)]
    )


@pytest.mark.parametrize("name", SERIES)
def test_every_command_holds(name: str, tmp_path: Path) -> None:
    study(tmp_path, HYPERBAND, name)
    for command in (
        ["rebuild", "study"],
        ["status", "study"],
        ["status", "study", "-o", "openmetrics"],
        ["report", "study"],
        ["why", "study", "1"],
        ["diff", "study", "study"],
        ["export", "study", "rows.csv", "--to", "csv"],
        *(["plot", kind, "study", "--file", f"{kind}.svg"] for kind in ("history", "pareto")),
    ):
        ran = automl(*command, cwd=tmp_path)
        assert (ran.code, ran.err) == (0, ""), command
    report = as_json(automl("report", "study", "-o", "json", cwd=tmp_path))
    verdict = report["verdict"]
    numbers = [verdict["gain"], verdict["default"]["mean"], verdict["best"].get("mean")]  # None: the defaults are best
    assert all(number is None or -LARGEST <= number <= LARGEST for number in numbers)
    assert numbers[1] is not None
    assert "nan" not in (tmp_path / "study/report.html").read_text()


HARDEST = ["from end to end", "one huge", "different by 1e-162", "denormal"]
LEARNING = [*product(SERIES, ["portfolio"]), *product(HARDEST, ["gaussian_process", "process", "tpe"])]


@pytest.mark.parametrize(("name", "sampler"), LEARNING)
def test_a_model_learns_from_them_and_every_decision_replays(name: str, sampler: str, tmp_path: Path) -> None:
    study(tmp_path, {**BAYESIAN, "sampler": sampler}, name)
    assert automl("replay", "study", cwd=tmp_path).code == 0
    stored = [json.loads(path.read_text()) for path in (tmp_path / "study/decisions/0").iterdir()]
    assert sum(len(decision["issued"]) for decision in stored) == 8


@pytest.mark.parametrize("name", SERIES)
def test_means_and_differences_are_finite_and_right(name: str) -> None:
    values = SERIES[name]["values"]
    assert mean_of(values) == pytest.approx(SERIES[name]["mean"], rel=1e-9, abs=0)
    assert difference(values[-1], values[0]) == pytest.approx(SERIES[name]["difference"], rel=1e-9, abs=0)


def test_a_gain_is_finite() -> None:
    assert Metric("loss", "minimize").gain(1.0, over=3.0) == 2.0
    assert Metric("acc", "maximize").gain(-LARGEST, over=LARGEST) == -LARGEST
