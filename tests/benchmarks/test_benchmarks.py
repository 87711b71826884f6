"""The benchmark scores what it says, finds what was recorded, and goes on where it was stopped."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import peers, run
from benchmarks.functions import FUNCTIONS
from benchmarks.optimiser import our_sampler
from benchmarks.running import read
from benchmarks.running import run as search
from benchmarks.scores import equivalents, mean_score, ratio, reference, share_no_worse
from benchmarks.tables import Table

GRID = [
    {"name": "lr", "scale": "log", "levels": [0.01, 0.1, 1.0]},
    {"name": "opt", "scale": "cat", "levels": ["adam", "sgd"]},
]


def table(folder: Path, **arrays: Any) -> Table:
    np.savez(folder / "tiny.npz", space=json.dumps(GRID), kind="grid", **arrays)
    return Table(folder / "tiny.npz")


def test_a_configuration_takes_the_nearest_cell_of_a_grid_on_the_parameters_own_scale(tmp_path: Path) -> None:
    losses = np.arange(6.0)[:, None] + [0.0, 0.5]
    grid = table(tmp_path, seeds=losses)
    training = grid.train({"lr": 0.2, "opt": "sgd"}, np.random.default_rng(0))
    assert training.true == 3.25
    assert training.observed in {3.0, 3.5}
    assert grid.true_losses({"lr": [0.04, 0.4], "opt": ["adam", "adam"]}).tolist() == [2.25, 4.25]


def test_the_best_checkpoint_of_a_recorded_curve_counts(tmp_path: Path) -> None:
    curves = np.array([[3.0, 1.0, 2.0]] * 6)
    assert table(tmp_path, err=curves).train({"lr": 1.0, "opt": "adam"}, np.random.default_rng(0)).observed == 1.0


def test_points_take_the_nearest_recorded_configuration(tmp_path: Path) -> None:
    space = json.dumps([{"name": "a", "scale": "log", "low": 0.01, "high": 1.0}])
    points = np.geomspace(0.01, 1.0, 9)[:, None]
    np.savez(tmp_path / "points.npz", space=space, kind="points", X=points, loss=np.arange(9.0)[:, None])
    recorded = Table(tmp_path / "points.npz")
    assert recorded.true_losses({"a": [0.011, 0.11, 0.9]}).tolist() == [0.0, 4.0, 8.0]


def test_random_trial_equivalents_count_random_trials() -> None:
    losses = np.arange(1.0, 1000.0)
    assert equivalents([share_no_worse(losses, 100.0)]) == pytest.approx(1000 / 99.5 - 1, rel=0.02)
    score = mean_score({"one": [0.1, 0.1], "other": [0.001, 0.001]})
    assert (score.mean, score.low, score.high) == pytest.approx((99.0, 99.0, 99.0))
    assert score.runs == 4
    assert ratio({"one": [0.01]}, {"one": [0.1]}).mean == pytest.approx(11.0)


def test_random_search_is_worth_about_its_number_of_trials(tmp_path: Path) -> None:
    problem = FUNCTIONS["branin_mixed"]
    losses = reference(problem, tmp_path)
    assert len(losses) == 50_000
    maker = peers.PEERS["random"][1]
    best = [search("random", maker, problem, seed, trainings=20).incumbents[-1] for seed in range(100)]
    # The logarithm of the best share of n draws has the mean -(1 + 1/2 + ... + 1/n), of 20 draws -3.6.
    expected = math.exp(sum(1 / number for number in range(1, 21))) - 1
    assert equivalents([share_no_worse(losses, loss) for loss in best]) == pytest.approx(expected, rel=0.35)


@pytest.mark.parametrize("parallel", [1, 4])
def test_our_samplers_begin_with_the_defaults_and_ask_as_many_as_wanted(parallel: int) -> None:
    problem = FUNCTIONS["rosen_mixed"]
    finished = search("ours", our_sampler("sobol"), problem, 0, trainings=6, parallel=parallel)
    assert len(finished.incumbents) == 6
    assert finished.incumbents[0] == problem.loss(problem.space.defaults())
    assert list(finished.incumbents) == sorted(finished.incumbents, reverse=True)


def test_a_benchmark_goes_on_where_it_was_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--results", str(tmp_path), "--problems", "branin_mixed", "--trainings", "10"]
    arguments += ["--optimisers", "random,ours:uniform", "--yardstick", "random"]
    assert run.main([*arguments, "--seeds", "0-0"]) == 0
    first = list(read(tmp_path / "runs.jsonl"))
    assert run.main([*arguments, "--seeds", "0-2"]) == 0
    runs = list(read(tmp_path / "runs.jsonl"))
    assert runs[:2] == first
    assert [(one.optimiser, one.seed) for one in runs] == [
        (name, seed) for seed in range(3) for name in ("random", "ours:uniform")
    ]
    assert "| ours:uniform |" in capsys.readouterr().out


def test_a_peer_without_its_library_is_skipped_with_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(peers.PEERS, "absent", (("no_such_library",), peers.UniformDraws))
    arguments = ["--results", str(tmp_path), "--problems", "branin_mixed", "--optimisers", "absent,random"]
    assert run.main([*arguments, "--seeds", "0-0", "--trainings", "2"]) == 0
    assert {one.optimiser for one in read(tmp_path / "runs.jsonl")} == {"random"}
    assert "absent is skipped: it needs no_such_library, not installed here" in capsys.readouterr().err


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no problem is called moon"):
        run.main(["--results", str(tmp_path), "--problems", "moon"])
    with pytest.raises(SystemExit, match="no optimiser is called sun"):
        run.main(["--results", str(tmp_path), "--problems", "branin_mixed", "--optimisers", "sun"])


@pytest.mark.parametrize("peer", ["optuna_tpe_begun", "skopt"])
def test_a_peer_asks_for_configurations_of_the_space(peer: str) -> None:
    assert not peers.missing_libraries(peer)
    problem = FUNCTIONS["levy_mixed"]
    optimiser = peers.PEERS[peer][1](problem.space, 0, 8)
    for _ in range(2):
        asked = optimiser.ask(2)
        assert [problem.space.check(values) for values in asked] == [(), ()]
        optimiser.tell([(values, problem.loss(values)) for values in asked])
