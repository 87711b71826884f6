"""The steps of a workflow's pods, as processes, in a search in a bucket that has ended early: each ends at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automl.execution.steps.propose import propose
from automl.search.history import Result
from automl.stores import Store, open_store
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.simulation.studies import ASHA, HALVING, study


def pod(step: str, store: Store, folder: Path, **variables: object) -> subprocess.CompletedProcess[str]:
    """A step in a process of its own, as in a pod."""
    program = (
        "import pathlib, sys; from automl.execution import pod_contract as contract;"
        "contract.OUTPUTS = pathlib.Path(sys.argv[2]); contract.WORK = pathlib.Path(sys.argv[3]);"
        "sys.argv = ['pod', sys.argv[1]]; from automl import pod; pod.main()"
    )
    told = {f"AUTOML_{name}": str(value) for name, value in {"STORE": store.uri, **variables}.items()}
    return subprocess.run(
        [sys.executable, "-c", program, step, str(folder / "outputs"), str(folder / "work")],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("settings", "index"), [(HALVING, "RUNG"), (ASHA, "TURN")])
@pytest.mark.usefixtures("s3_server")
def test_pods_in_a_bucket_end_at_once(settings: dict[str, Any], index: str, tmp_path: Path) -> None:
    """Brain steps and trainings as processes of their own, which talk to a server."""
    store = open_store("s3://bucket/a/line")
    record = Record(store)
    definition = study(settings, until={"target": 1000.0, "then": "stop"}, final={"repeats": 0})
    begin(record, definition, "a study\n")
    last = 0 if index == "RUNG" else 3
    for number in range(last + 1):
        propose(record, definition, 0, number)
    for number in range(2):
        record.store_result(Result(number, 0, ("a-1",), 1, 1.0, ((1, 0.5),), best_value=0.5))
    trained = pod("stage-in", store, tmp_path, STAGE=0, **{index: last}, EXPERIMENT=3, ATTEMPT="a-2", GPUS=0)
    assert trained.returncode == 0, trained.stderr
    if index == "RUNG":  # Argo asks for the next rung when the pods of this one are over
        for number in range(2, 9):
            record.store_result(Result(number, 0, ("a-1",), 1, 1.0, ((1, 0.5),), best_value=0.5))
    asked = pod("propose", store, tmp_path, STAGE=0, **{index: last + 1})
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout == "not needed: the search ended early: loss 0.5 reaches the target of 1000\n"
    assert json.loads((tmp_path / "outputs/experiments").read_text()) == []
    if index == "TURN":
        (tmp_path / "work").rename(tmp_path / "before")
        skipped = pod("stage-in", store, tmp_path, STAGE=0, TURN=2, EXPERIMENT=2, ATTEMPT="a-3", GPUS=0)
        assert skipped.returncode == 0, skipped.stderr
        assert "experiment 2 is not needed: the search ended early" in skipped.stdout
        assert (tmp_path / "work/skip").exists()
    collected = pod("collect", store, tmp_path)
    assert (collected.returncode, collected.stderr) == (0, "")
