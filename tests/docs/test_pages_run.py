"""The commands of docs/first_study.md and docs/operating.md run here, in the order of the page, on a small network.

Those that need a cluster or a bucket are only parsed, in test_code_blocks.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import automl
from tests.docs.pages import command_lines, words
from tests.simulation.studies import uniform_instead_of_a_model
from tests.small_network import write_small_study

ELSEWHERE = {"submit", "watch", "stop", "pause", "resume", "compile"}
CHAIN = "name: study\nnetwork: small.yaml\nalgorithm: bayesian\nmax_recommendations: 3\nfinal: {repeats: 1}\n"
HALVED = "name: wide\nnetwork: small.yaml\nalgorithm: hyperband\nR: 3\nfinal: {repeats: 1}\n"


def here(name: str) -> list[list[str]]:
    """The commands of a page that need nothing but this machine."""
    found = [words(line) for line in command_lines(f"docs/{name}.md")]
    return [each for each in found if each[0] not in ELSEWHERE and not any("s3://" in word for word in each)]


def test_the_first_study_goes_as_its_page_says(tmp_path: Path) -> None:
    init, *others = here("first_study")
    assert automl(*init, cwd=tmp_path).code == 0
    assert "network: fashion_mnist" in (tmp_path / "first.yaml").read_text()
    planned = automl("plan", "first.yaml", cwd=tmp_path)
    assert (planned.code, planned.err) == (0, "")
    write_small_study(tmp_path).replace(tmp_path / "first.yaml")  # the same in no time
    assert [words[0] for words in others] == ["plan", "run", "status", "report", "best"]
    for each in others:
        ran = automl(*each, cwd=tmp_path)
        assert (ran.code, ran.err) == (0, ""), each
    assert (tmp_path / "study/report.html").is_file()
    assert (tmp_path / "study/best_model").is_dir()


def test_a_study_is_operated_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uniform_instead_of_a_model(monkeypatch)
    write_small_study(tmp_path, study=HALVED).replace(tmp_path / "wide.yaml")
    assert automl("run", "wide.yaml", cwd=tmp_path).code == 0
    write_small_study(tmp_path, study=CHAIN)
    commands = here("operating")
    assert {"run", "status", "extend", "enqueue", "clone", "gc", "verify", "replay"} <= {each[0] for each in commands}
    said = {}
    for each in commands:
        ran = automl(*(word.replace("train.lr", "train.x").replace("81", "9") for word in each), cwd=tmp_path)
        assert (ran.code, ran.err) == (0, ""), each
        said[" ".join(each)] = ran.out
    assert "extends to 6" in said["extend study.yaml --to 6"]
    assert "extends to R = 9" in said["extend wide.yaml --R 81"]
    assert "enqueued as number 0" in said["enqueue study.yaml train.lr=0.01"]
    assert (tmp_path / "again.yaml").is_file()


def test_the_page_names_every_kind_of_failure() -> None:
    from automl.search.history import Failure
    from tests.docs.pages import text_of

    for kind in Failure:
        assert f"\n| `{kind}` |" in text_of("docs/operating.md")
