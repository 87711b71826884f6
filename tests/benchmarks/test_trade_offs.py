"""The benchmark of several losses counts hypervolume, and goes on where it was stopped."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from automl.search.pareto import hypervolume
from benchmarks import run_trade_offs
from benchmarks.table_trade_offs import of_tables
from benchmarks.trade_off_functions import TRADE_OFFS

WORDS = ("--problems", "zdt1", "--optimisers", "ours:uniform,ours:nsga2", "--trainings", "6")


@pytest.mark.parametrize("name", TRADE_OFFS)
def test_a_searched_front_is_below_that_of_the_best_parameters(name: str) -> None:
    problem = TRADE_OFFS[name]
    found = run_trade_offs.run("ours:uniform", problem, 0, 8)
    assert list(found.volumes) == sorted(found.volumes)
    assert found.volumes == run_trade_offs.run("ours:uniform", problem, 0, 8).volumes
    assert problem.highest() > found.volumes[-1]
    if name != "network":
        best = {"rate": 1e-3, "depth": 7, "kind": "a", "decay": 0.3}
        turns = range(51) if name == "dtlz2_of_three" else range(1)
        front = [problem.losses({**best, "share": s / 50, "turn": t / 50}) for s in range(51) for t in turns]
        assert 0.95 * problem.highest() < hypervolume(front, problem.reference) <= problem.highest() + 1e-9


def test_a_table_whose_parameters_say_how_large_the_network_is_has_two_losses(tmp_path: Path) -> None:
    space = [
        {"name": "width", "scale": "intlog", "levels": [4, 16]},
        {"name": "depth", "scale": "int", "levels": [1, 2]},
    ]
    losses = np.array([[0.4], [0.3], [0.2], [0.1]])  # a wider and a deeper one is better
    np.savez(tmp_path / "small.npz", kind="grid", space=json.dumps(space), seeds=losses)
    np.savez(tmp_path / "without.npz", kind="grid", space=json.dumps(space[:1]), seeds=losses[:2])
    (problem,) = of_tables(tmp_path).values()
    assert problem.name == "small_and_size"
    assert problem.losses({"width": 15, "depth": 2}) == (0.1, math.log10(16 * 16 + 16))
    assert problem.reference[0] == 0.25
    cells = [problem.losses({"width": width, "depth": depth}) for width in (4, 16) for depth in (1, 2)]
    assert problem.highest() == pytest.approx(hypervolume(cells, problem.reference))


def test_what_was_run_is_not_run_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_trade_offs.main([*WORDS, "--results", str(tmp_path), "--seeds", "0-0"]) == 0
    lines = (tmp_path / "trade_offs.jsonl").read_text()
    assert run_trade_offs.main([*WORDS, "--results", str(tmp_path), "--seeds", "0-1"]) == 0
    assert (tmp_path / "trade_offs.jsonl").read_text().startswith(lines)
    assert len((tmp_path / "trade_offs.jsonl").read_text().splitlines()) == 4
    assert "ours:nsga2" in capsys.readouterr().out


def test_an_unknown_problem_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="nothing is called zdt9"):
        run_trade_offs.main(["--results", str(tmp_path), "--problems", "zdt9"])
