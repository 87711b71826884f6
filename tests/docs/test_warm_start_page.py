"""The example of docs/warm_start.md runs as printed, on a small network."""

from __future__ import annotations

from pathlib import Path

from automl.search.algorithms import SAMPLERS
from tests.command_line import automl
from tests.docs.pages import blocks, command_lines, text_of, words
from tests.small_network import write_small_network

PAGE = "docs/warm_start.md"
FIRST = "name: first\nnetwork: small.yaml\nalgorithm: bayesian\nmax_recommendations: 6\nfinal: {repeats: 0}\n"


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    write_small_network(tmp_path)
    (shown,) = blocks(PAGE, "yaml")
    (tmp_path / "first.yaml").write_text(FIRST)
    text = shown.text.replace("fashion_mnist", "small.yaml")
    (tmp_path / "second.yaml").write_text(text + "final: {repeats: 0}\n")
    (tmp_path / "results.csv").write_text("train.x,score,note\n0.45,0.7,a\n0.1,0.5,b\n2,0.9,c\n")
    ran = [automl(*words(line), cwd=tmp_path) for line in command_lines(PAGE)]
    assert [(each.code, each.err) for each in ran] == [(0, "")] * 4
    plan, why = ran[1].out, ran[3].out
    assert "6 of 6 trials of ./first (a study), with train.x; they are no results" in plan
    assert "2 of 3 trials of ./results.csv (a table), with train.x" in plan
    assert "not searched here: note" in plan
    assert "among the best of an earlier search" in why
    assert "./first has no say, but its best are tried (it ranks the 2 results with a correlation of 1.00)" in why
    assert "./results.csv has no say" in why
    assert "measured here" in automl("plan", "--probe", "second.yaml", cwd=tmp_path).out
    status = automl("status", "second", cwd=tmp_path)
    assert "6 of 6 trials of ./first" in status.out
    assert "5 succeeded" in status.out
    (tmp_path / "results.csv").unlink()
    assert automl("run", "second.yaml", cwd=tmp_path).code == 0
    assert automl("replay", "second", cwd=tmp_path).code == 0
    page = automl("report", "second", cwd=tmp_path)
    assert page.code == 0
    assert "6 of 6 trials of ./first" in (tmp_path / "second/report.html").read_text()


def test_what_is_wrong_with_a_source_is_said_before_anything_is_written(tmp_path: Path) -> None:
    write_small_network(tmp_path)
    (tmp_path / "second.yaml").write_text(FIRST.replace("first", "second") + "warm_start: [./results.csv]\n")
    (tmp_path / "results.csv").write_text("train.x,scores\n0.45,0.7\n")
    for command in ("plan", "run"):
        ran = automl(command, "second.yaml", cwd=tmp_path)
        assert ran.code == 2
        assert "warm_start: ./results.csv: it has no column score" in ran.err
        assert "did you mean 'scores'?" in ran.err
        assert not (tmp_path / "second").exists()


def test_the_page_names_the_samplers_that_can() -> None:
    able = [name for name, row in SAMPLERS.items() if row.warms]
    assert "the samplers " + ", ".join(f"`{name}`" for name in able[:-1]) + f" and `{able[-1]}`" in text_of(PAGE)
