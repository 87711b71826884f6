"""A metric may have any finite value: huge, tiny, equal, denormal. Every decision, page, plot and export holds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from automl.problem.metric import Metric, difference, mean_of
from automl.stores.folder import FolderStore
from tests.command_line import as_json, automl
from tests.recorded_studies import mixed, recorded

LARGEST, SMALLEST = sys.float_info.max, 5e-324
SERIES: dict[str, Callable[[int], float]] = {  # the metric of an experiment, by its number
    "huge": lambda number: LARGEST / (1 + number / 100),
    "huge and below zero": lambda number: -LARGEST / (1 + number / 100),
    "from end to end": lambda number: LARGEST if number % 2 else -LARGEST,
    "huge and equal": lambda _: LARGEST,
    "one huge": lambda number: 1e308 if number == 1 else 0.5 + number / 10,
    "different by 1e-162": lambda number: number * 1e-162,
    "different by rounding": lambda number: 0.5 + number % 2 * 1e-16,
    "denormal": lambda number: SMALLEST * (1 + number % 3),
    "equal": lambda _: 0.25,
    "zeros of both signs": lambda number: -0.0 if number % 2 else 0.0,
    "beyond exact whole numbers": lambda number: float(2**53 + number),
}
HYPERBAND = {"algorithm": "hyperband", "R": 3, "nu": 3, "max_epochs": 3, "final": {"repeats": 2}}
BAYESIAN = {"algorithm": "bayesian", "max_recommendations": 8, "max_epochs": 2, "final": {"repeats": 2}}


def study(folder: Path, settings: dict[str, Any], value: Callable[[int], float]) -> None:
    recorded(FolderStore(folder / "study"), mixed(settings), loss=lambda asked, _epoch: value(asked.number))


@pytest.mark.parametrize("value", SERIES.values(), ids=SERIES)
def test_every_command_holds(value: Callable[[int], float], tmp_path: Path) -> None:
    study(tmp_path, HYPERBAND, value)
    for command in (
        ["rebuild", "study"],
        ["status", "study"],
        ["status", "study", "-o", "openmetrics"],
        ["report", "study"],
        ["why", "study", "1"],
        ["diff", "study", "study"],
        ["export", "study", "rows.csv", "--to", "csv"],
        *(["plot", kind, "study", "-o", f"{kind}.svg"] for kind in ("history", "pareto")),
    ):
        ran = automl(*command, cwd=tmp_path)
        assert (ran.code, ran.err) == (0, ""), command
    report = as_json(automl("report", "study", "-o", "json", cwd=tmp_path))
    verdict = report["verdict"]
    numbers = [verdict["gain"], verdict["default"]["mean"], verdict["best"].get("mean")]  # None: the defaults are best
    assert all(number is None or -LARGEST <= number <= LARGEST for number in numbers)
    assert numbers[1] is not None
    assert "nan" not in (tmp_path / "study/report.html").read_text()


@pytest.mark.parametrize("sampler", ["gaussian_process", "process", "tpe", "portfolio"])
@pytest.mark.parametrize("value", SERIES.values(), ids=SERIES)
def test_a_model_learns_from_them_and_every_decision_replays(
    value: Callable[[int], float], sampler: str, tmp_path: Path
) -> None:
    study(tmp_path, {**BAYESIAN, "sampler": sampler}, value)
    assert automl("replay", "study", cwd=tmp_path).code == 0
    stored = [json.loads(path.read_text()) for path in (tmp_path / "study/decisions/0").iterdir()]
    assert sum(len(decision["issued"]) for decision in stored) == 8


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([LARGEST, LARGEST], LARGEST),
        ([LARGEST, -LARGEST], 0.0),
        ([SMALLEST, SMALLEST], SMALLEST),
        ([0.1, 0.2, 0.3], sum([0.1, 0.2, 0.3]) / 3),
        ([-1e308] * 7, -1e308),
    ],
)
def test_a_mean_is_finite(values: list[float], mean: float) -> None:
    assert mean_of(values) == pytest.approx(mean, rel=1e-15)


def test_a_difference_is_finite() -> None:
    assert difference(LARGEST, -LARGEST) == LARGEST
    assert difference(-LARGEST, LARGEST) == -LARGEST
    assert Metric("loss", "minimize").gain(1.0, over=3.0) == 2.0
    assert Metric("acc", "maximize").gain(-LARGEST, over=LARGEST) == -LARGEST
