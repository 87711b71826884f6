"""Searches with short trainings: each spends the epochs that it says, and goes on from what it trained."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.problem.search_space import Parameter, SearchSpace
from automl.search.schedules.hyperband import Hyperband
from benchmarks import run_epochs
from benchmarks.epoch_peers import PEERS
from benchmarks.epoch_running import EpochRun, read, run
from benchmarks.epoch_searches import Asked, Maker, OurStudy, our_study, ours, repeated
from benchmarks.peers import not_installed
from benchmarks.problem import Array
from benchmarks.tables import Table

STUDIES = ("asha+tpe", "asha+neighbours:stop", "hyperband+uniform", "hyperband+tpe", "successive_halving+sobol")
OTHER_TOOL = pytest.mark.filterwarnings("ignore")  # they use what is deprecated, and divide by zero
SPACE = SearchSpace((
    Parameter("rate", "float", low=1e-5, high=1e-1, log=True),
    Parameter("width", "int", low=8, high=72, log=True),
    Parameter("depth", "int", low=3, high=9),
    Parameter("decay", "float", low=0.0, high=1.0),
    Parameter("kind", "categorical", options=("a", "b", "c")),
))  # fmt: skip


def maker_of(name: str) -> Maker:
    """The maker of a search; the test is skipped where a library of another tool is not installed."""
    if name not in PEERS:
        return our_study(name)
    libraries, maker = PEERS[name]
    if missing := not_installed(libraries):
        pytest.skip(f"{' and '.join(missing)} is not installed")
    return maker


def curve_of(values: dict[str, Any], epochs: int) -> Array:
    """A falling curve; the best is in the middle of the ranges."""
    heights = (math.log10(values["rate"]) + 3) ** 2 + (values["decay"] - 0.5) ** 2 + abs(values["depth"] - 6)
    return np.asarray(heights + 1.0 / np.arange(1, epochs + 1))


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


@pytest.mark.parametrize("name", [*(pytest.param(peer, marks=OTHER_TOOL) for peer in PEERS), *STUDIES])
def test_a_search_spends_its_epochs_and_its_best_only_becomes_better(name: str, curves: Path) -> None:
    problem, maker = Table(curves / "bowl.npz"), maker_of(name)
    finished = run(name, maker, problem, 0, 5)
    spent, losses = zip(*finished.best, strict=True)
    assert spent == tuple(sorted(spent))
    assert losses == tuple(sorted(losses, reverse=True))
    assert spent[-1] <= 5 * 9 + 8
    if name != "random":
        assert spent[0] == 1, "the first training is a short one"
        assert finished.proposals > 15
    assert run(name, maker, problem, 0, 5).best == finished.best


@OTHER_TOOL
@pytest.mark.parametrize("name", ["optuna_tpe_median", "optuna_tpe_halving", "optuna_tpe_hyperband"])
def test_optunas_pruners_see_every_epoch_and_stop_some(name: str) -> None:
    search = maker_of(name)(SPACE, 27, 0, 20)
    lengths: list[int] = []
    values: dict[str, object] = {}
    while len(lengths) < 40:
        asked = search.ask() or pytest.fail("it ended")
        assert not SPACE.check(asked.values)
        if asked.epochs == 1:
            lengths.append(1)
            values = dict(asked.values)
        else:
            assert (dict(asked.values), asked.epochs) == (values, lengths[-1] + 1)
            lengths[-1] = asked.epochs
        search.tell(asked, curve_of(values, 27))
    assert lengths[0] == 27, "nothing is known that could stop the first one"
    assert min(lengths) < 27


@OTHER_TOOL
@pytest.mark.parametrize("name", ["syne_asha", "syne_bohb", "syne_bohb_logarithms"])
def test_syne_tune_trains_until_it_stops_and_keeps_to_the_space(name: str) -> None:
    np.random.seed(7)
    expected = np.random.random()
    np.random.seed(7)
    search = maker_of(name)(SPACE, 27, 0, 20)
    asked: list[Asked] = []
    for _ in range(120):
        asked.append(search.ask() or pytest.fail("it ended"))
        search.tell(asked[-1], curve_of(dict(asked[-1].values), 27))
    assert not [problem for one in asked for problem in SPACE.check(one.values)]
    assert [one.epochs for one in asked[:4]] == [1, 3, 9, 27], "nothing is known that could stop the first one"
    for before, after in pairwise(asked):
        assert after.epochs == 1 or (after.values == before.values and after.epochs == 3 * before.epochs)
    assert np.random.random() == expected, "its chance is its own"
    begun = sum(one.epochs == 1 for one in asked)
    assert 40 < begun < 100, "some of these 120 are stopped after an epoch, and others go on"


@OTHER_TOOL
def test_syne_tune_takes_log_scaled_numbers_as_their_logarithms_where_it_is_told_so() -> None:
    rates = {}
    for name in ("syne_bohb", "syne_bohb_logarithms"):
        search = maker_of(name)(SPACE, 27, 0, 20)
        values: list[float] = []
        while len(values) < 150:
            asked = search.ask() or pytest.fail("it ended")
            search.tell(asked, np.full(27, asked.values["rate"]))  # the smaller the better
            values += [asked.values["rate"]] * (asked.epochs == 1)
        rates[name] = np.median(np.log10(values[60:]))
    assert rates["syne_bohb_logarithms"] < rates["syne_bohb"] - 0.3


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


def test_with_resume_stop_a_training_goes_on_until_it_is_stopped() -> None:
    study = OurStudy("asha+uniform:stop", SPACE, 27, 0, 5)
    asked: list[Asked] = []
    while len(asked) < 100:
        asked.append(study.ask() or pytest.fail("it ended"))
        study.tell(asked[-1], curve_of(dict(asked[-1].values), 27))
    for before, after in pairwise(asked):
        assert after.epochs == 1 or (after.values == before.values and after.epochs == 3 * before.epochs)
    assert any(decision.stopped for decision in study.history.decisions)


@pytest.mark.parametrize("name", ["asha+uniform", "asha+uniform:stop"])
def test_a_study_lasts_for_its_budget(name: str) -> None:
    study, trained = OurStudy(name, SPACE, 50, 3, 20), dict[str, int]()
    while sum(trained.values()) < 20 * 50:
        asked = study.ask() or pytest.fail(f"it ended after {sum(trained.values())} epochs")
        trained[str(asked.values)] = asked.epochs
        study.tell(asked, curve_of(dict(asked.values), 50))


def test_several_workers_ask_before_the_others_have_ended_and_share_the_epochs(curves: Path) -> None:
    problem = Table(curves / "bowl.npz")
    one, four = (run("asha+uniform", our_study("asha+uniform"), problem, 0, 10, workers=workers) for workers in (1, 4))
    assert one.best[0][0] == 1
    assert four.best[0][0] == 4
    assert all(spent % 4 == 0 for spent, _ in four.best)
    assert four.best[0][1] == one.best[0][1], "both begin with the defaults"
    study = OurStudy("asha+uniform", SPACE, 27, 0, 5)
    asked = [study.ask() or pytest.fail("it ended") for _ in range(4)]
    assert len({str(each.values) for each in asked}) == 4
    for each in reversed(asked):  # ends in any order
        study.tell(each, curve_of(dict(each.values), 27))
    assert len(study.history.results) == 4


def test_settings_of_a_sampler_stand_behind_the_name_of_a_study(curves: Path) -> None:
    problem = Table(curves / "bowl.npz")
    names = ("asha+neighbours", "asha+neighbours:draws=64", "asha+neighbours:draws=2:starts=20")
    usual, same, other = (run(name, our_study(name), problem, 0, 10) for name in names)
    assert usual.best == same.best
    assert usual.best != other.best


def test_it_runs_what_is_missing_and_reports(curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--tables", str(curves), "--results", str(tmp_path / "results"), "--trainings", "5"]
    for seeds in ("0-0", "0-1", "0-1"):
        assert run_epochs.main([*places, "--seeds", seeds, "--searches", "random,asha,asha_tpe,asha+tpe"]) == 0
    report = capsys.readouterr().out
    assert "| asha+tpe |" in report
    assert "Ratio of rte@5 to random" in report
    assert "Ratio of rte@5 to asha_tpe" in report
    (bowl, together) = (line for line in report.split("rte@5 to asha_tpe")[-1].splitlines()[4:6])
    assert bowl.removeprefix("| bowl") == together.removeprefix("| all"), "it is the only problem"
    assert "(" in bowl.split("|")[2]
    runs = list(read(tmp_path / "results" / "epoch_runs.jsonl"))
    assert len(runs) == len({one.key for one in runs}) == 4 * 2
    assert run_epochs.main([*places, "--seeds", "0-1", "--workers", "4", "--searches", "asha+tpe"]) == 0
    assert "| asha_tpe |" not in capsys.readouterr().out, "the report is of searches with as many workers"
    runs = list(read(tmp_path / "results" / "epoch_runs.jsonl"))
    assert len(runs) == len({one.key for one in runs}) == 4 * 2 + 2


def test_a_tool_that_is_not_installed_is_skipped_with_a_message(
    curves: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEERS, "absent", (("no_such_library",), PEERS["asha"][1]))
    places = ["--tables", str(curves), "--results", str(tmp_path / "results"), "--trainings", "5", "--seeds", "0-0"]
    assert run_epochs.main([*places, "--searches", "absent,random"]) == 0
    assert "absent is skipped: it needs no_such_library, not installed here" in capsys.readouterr().err


def test_what_is_not_there_is_said(curves: Path, tmp_path: Path) -> None:
    places = ["--tables", str(curves), "--results", str(tmp_path / "results")]
    with pytest.raises(SystemExit, match="no search is called aha; there are random, asha,"):
        run_epochs.main([*places, "--searches", "aha"])
    with pytest.raises(SystemExit, match="neighbours has no setting draw; it has starts, draws,"):
        run_epochs.main([*places, "--searches", "asha+neighbours:draw=3"])
    with pytest.raises(SystemExit, match="hyperband\\+uniform:stop: only a study without a barrier has resume: stop"):
        run_epochs.main([*places, "--searches", "hyperband+uniform:stop"])
    with pytest.raises(SystemExit, match="asha has one worker; with --workers 4 there are hyperband\\+neighbours"):
        run_epochs.main([*places, "--searches", "asha", "--workers", "4"])
    with pytest.raises(SystemExit, match="no table is called boul; there are bowl, flat"):
        run_epochs.main([*places, "--problems", "boul"])
    with pytest.raises(SystemExit, match="holds learning curves"):
        run_epochs.main([*places, "--problems", "flat"])
    assert {"hyperband+uniform", "asha+tpe", "asynchronous_hyperband+portfolio"} <= set(ours())
