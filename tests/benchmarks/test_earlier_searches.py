"""The benchmark of warm starts on two small tables: it runs, resumes, and its figures are those of the runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import earlier_searches
from benchmarks.earlier_searches import WarmRun, report
from benchmarks.json_lines import lines

LEVELS = np.linspace(0.0, 1.0, 30).tolist()


def write_table(path: Path, best: tuple[float, float]) -> None:
    space = [{"name": name, "scale": "lin", "levels": LEVELS} for name in ("x", "y")]
    x, y = np.meshgrid(LEVELS, LEVELS, indexing="ij")
    losses = (x - best[0]) ** 2 + (y - best[1]) ** 2
    np.savez(path, kind="grid", space=json.dumps(space), seeds=losses.reshape(-1, 1))


def test_a_sibling_is_searched_with_what_the_other_taught(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earlier_searches, "LENGTH", 15)
    write_table(tmp_path / "one.npz", (0.85, 0.15))
    write_table(tmp_path / "other.npz", (0.8, 0.2))
    words = ["--tables", str(tmp_path), "--results", str(tmp_path / "r"), "--problems", "one", "--seeds", "0-1"]
    words += ["--trainings", "8", "--optimisers", "ours:tpe"]
    assert earlier_searches.main(words) == 0
    table = capsys.readouterr().out
    stored = list(lines(tmp_path / "r" / "earlier.jsonl"))
    assert len(stored) == 2 * 4
    assert [line.split("|")[2].strip() for line in table.splitlines()[2:]] == ["none", "sibling", "negated", "shuffled"]
    assert earlier_searches.main(words) == 0
    assert capsys.readouterr().out == table
    assert len(list(lines(tmp_path / "r" / "earlier.jsonl"))) == 8
    runs = [WarmRun(**{**line, "shares": tuple(line["shares"])}) for line in stored]
    reached = {kind: sum(one.trainings_to(0.02) for one in runs if one.kind == kind) for kind in ("none", "sibling")}
    assert reached["sibling"] < reached["none"]


def test_the_figures_compare_equal_seeds() -> None:
    def one(kind: str, seed: int, first: int) -> WarmRun:
        return WarmRun(
            "ours:tpe", "a", "b" if kind == "sibling" else "a", kind, seed, tuple([0.5] * first + [0.01] * (12 - first))
        )

    runs = [one("none", 0, 9), one("none", 1, 7), one("sibling", 0, 4), one("sibling", 1, 2), one("none", 2, 0)]
    line = list(report(runs))[-1]
    assert "| sibling | 4.0 | 100% | -56% " in line
    assert line.endswith("| 2 |")


def test_what_takes_no_earlier_trials_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ours:uniform"):
        earlier_searches.main(["--tables", str(tmp_path), "--results", str(tmp_path), "--optimisers", "ours:uniform"])
