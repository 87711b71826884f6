"""The benchmark of several losses counts hypervolume, and goes on where it was stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.search.pareto import hypervolume
from benchmarks import run_trade_offs
from benchmarks.trade_off_functions import TRADE_OFFS

WORDS = ("--problems", "zdt1", "--optimisers", "ours:uniform,ours:nsga2", "--trainings", "6")


@pytest.mark.parametrize("name", TRADE_OFFS)
def test_a_searched_front_is_below_that_of_the_best_parameters(name: str) -> None:
    problem = TRADE_OFFS[name]
    found = run_trade_offs.run("ours:uniform", problem, 0, 8)
    assert list(found.volumes) == sorted(found.volumes)
    assert found.volumes == run_trade_offs.run("ours:uniform", problem, 0, 8).volumes
    if name.startswith("zdt"):
        best = {"rate": 1e-3, "depth": 7, "kind": "a", "decay": 0.3}
        front = [problem.losses({**best, "share": share / 50}) for share in range(51)]
        assert hypervolume(front, problem.reference) > found.volumes[-1]


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
