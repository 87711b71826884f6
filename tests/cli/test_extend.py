"""The command `extend` with real trainings: a search that is over goes on to a larger R."""

from __future__ import annotations

import json
from pathlib import Path

from tests.command_line import automl, files_below, refused
from tests.small_network import write_small_study

SMALL = "name: study\nnetwork: small.yaml\nalgorithm: hyperband\nR: 3\nmax_epochs: 3\nfinal: {repeats: 1}\n"


def test_a_study_is_extended_and_run_again(tmp_path: Path) -> None:
    write_small_study(tmp_path, study=SMALL)
    refused(automl("extend", "study.yaml", "--R", "9", cwd=tmp_path), "no study lies in")
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path).code == 0
    refused(automl("extend", "study", cwd=tmp_path), "neither --to nor --R", "one of --to N")
    refused(automl("extend", "study", "--to", "9", "--R", "9", cwd=tmp_path), "--to and --R", "one of --to N")
    refused(automl("extend", "study", "--R", "1", cwd=tmp_path), "--R: '1'", "a whole number from 2")
    refused(automl("extend", "study", "--R", "3", cwd=tmp_path), "R: 3, where the search has R: 3")
    ran = automl("extend", "study.yaml", "--R", "9", cwd=tmp_path)
    assert (ran.code, ran.out) == (
        0,
        "the search has R = 3 and now extends to R = 9: 12 more experiments, 36 epochs, and 9 for the longest training "
        "instead of 3; next: automl run study.yaml\n",
    )
    ran = automl("extend", "study.yaml", "--R", "9", cwd=tmp_path)
    assert (ran.code, ran.out) == (0, "the search already extends to R = 9; next: automl run study.yaml\n")
    before = files_below(tmp_path / "study/results")
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path).code == 0
    assert {name: files_below(tmp_path / "study/results")[name] for name in before} == before
    assert json.loads(automl("verify", "study", "-o", "json", cwd=tmp_path).out)["notes"] == []
    assert [path.name for path in (tmp_path / "study/best_model").glob("model_*")] == ["model_9.json"]
    for command in ("verify study", "replay study", "report study", "why study 14", "status study.yaml", "gc study"):
        ran = automl(*command.split(), "-o", "json", cwd=tmp_path)
        assert (ran.code, ran.err) == (0, ""), ran.out
    found = json.loads(automl("status", "study", "-o", "json", cwd=tmp_path).out)
    assert (found["state"], found["experiments"]["planned"]) == ("done", 19)
    (tmp_path / "study.yaml").write_text(SMALL.replace("R: 3", "R: 4"))
    refused(automl("run", "study.yaml", cwd=tmp_path), "another R", "'automl extend' raises it")
