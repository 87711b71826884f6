"""Searches with short trainings: each spends the epochs that it says, and goes on from what it trained."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from automl.search.schedules.hyperband import Hyperband
from benchmarks import run_epochs
from benchmarks.epoch_peers import PEERS
from benchmarks.epoch_running import EpochRun, read, run
from benchmarks.epoch_searches import our_study, ours, repeated
from benchmarks.tables import Table

SEARCHES = {
    **{name: maker for name, (libraries, maker) in PEERS.items() if all(map(find_spec, libraries))},
    **{
        name: our_study(name) for name in ("asha+tpe", "hyperband+uniform", "hyperband+tpe", "successive_halving+sobol")
    },
}


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    """A folder with a table of 40 x 40 curves of nine epochs: least at x = 0.7, y = 0.2, and falling."""
    levels = np.linspace(0.0, 1.0, 40)
    heights = np.abs(levels[:, None] - 0.7) + np.abs(levels - 0.2)
    loss = heights.reshape(-1, 1) + 1.0 / np.arange(1, 10)
    space = json.dumps([{"name": name, "scale": "lin", "levels": levels.tolist()} for name in "xy"])
    folder = tmp_path / "tables"
    folder.mkdir()
    np.savez(folder / "bowl.npz", space=space, kind="grid", loss=loss)
    np.savez(folder / "flat.npz", space=space, kind="grid", seeds=loss[:, -1:])
    return folder


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_spends_its_epochs_and_its_best_only_becomes_better(name: str, curves: Path) -> None:
    problem = Table(curves / "bowl.npz")
    finished = run(name, SEARCHES[name], problem, 0, 5)
    spent, losses = zip(*finished.best, strict=True)
    assert spent == tuple(sorted(spent))
    assert losses == tuple(sorted(losses, reverse=True))
    assert spent[-1] <= 5 * 9 + 8
    if name != "random":
        assert spent[0] == 1, "the first training is a short one"
        assert finished.proposals > 15
    assert run(name, SEARCHES[name], problem, 0, 5).best == finished.best


def test_how_soon_and_how_good() -> None:
    finished = EpochRun("it", "bowl", 0, 10, 20, ((1, 5.0), (12, 3.0), (40, 1.0)), 0.1, 9, 0.1)
    assert [finished.after(trainings) for trainings in (0, 0.1, 1.2, 3.9, 4)] == [math.inf, 5.0, 3.0, 3.0, 1.0]
    assert [finished.reaches(loss) for loss in (5.0, 4.0, 1.0, 0.5)] == [0.1, 1.2, 4.0, math.inf]


def test_a_repeated_plan_lasts_for_the_epochs_and_numbers_its_experiments_on() -> None:
    plan = Hyperband(R=9, nu=3, epoch_multiplier=1).plan()
    longer = repeated(plan, 2.5 * plan.trained(plan.search, resume=True))
    assert len(longer.stages) == 3 * len(plan.stages)
    assert longer.experiments == 3 * plan.experiments
    numbers = [number for stage in longer.stages for number in range(stage.first, stage.first + stage.experiments)]
    assert numbers == list(range(longer.experiments))


def test_it_runs_what_is_missing_and_reports(curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--tables", str(curves), "--results", str(tmp_path / "results"), "--trainings", "5"]
    for seeds in ("0-0", "0-1", "0-1"):
        assert run_epochs.main([*places, "--seeds", seeds, "--searches", "random,asha,asha_tpe,asha+tpe"]) == 0
    report = capsys.readouterr().out
    assert "| asha+tpe |" in report
    assert "Ratio of rte@5 to random" in report
    runs = list(read(tmp_path / "results" / "epoch_runs.jsonl"))
    assert len(runs) == len({one.key for one in runs}) == 4 * 2


def test_what_is_not_there_is_said(curves: Path, tmp_path: Path) -> None:
    places = ["--tables", str(curves), "--results", str(tmp_path / "results")]
    with pytest.raises(SystemExit, match="no search is called aha; there are random, asha,"):
        run_epochs.main([*places, "--searches", "aha"])
    with pytest.raises(SystemExit, match="no table is called boul; there are bowl, flat"):
        run_epochs.main([*places, "--problems", "boul"])
    with pytest.raises(SystemExit, match="holds learning curves"):
        run_epochs.main([*places, "--problems", "flat"])
    assert {"hyperband+uniform", "asha+tpe", "asynchronous_hyperband+portfolio"} <= set(ours())
