"""The same in a training pod, whose containers are processes of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.execution.steps.propose import propose
from automl.execution.steps.stage_in import stage_in
from automl.search.history import Failure
from automl.stores import open_store
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.corpus.test_folders import CASES, NETWORK, tree
from tests.simulation.runs import NO_FINAL
from tests.simulation.studies import study
from tests.workflows.test_training_pod import Pod
from workflows.pods import TRAIN


@pytest.mark.parametrize("name", ["linked_folder_that_leads_out", "names_of_every_kind", "results_that_are_removed"])
def test_a_pod_ends_as_the_local_runner_does(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    settings = {"algorithm": "random", "max_recommendations": 1, "max_epochs": 2} | NO_FINAL
    definition = study(settings, {0: case["deed"]}, NETWORK)
    record = Record(open_store(str(tmp_path / "store")))
    begin(record, definition, "a study\n")
    asked = propose(record, definition, 0, 0).issued[0]
    pod = Pod(tmp_path, record)
    assert pod.step("stage-in").wait(60) == 0
    main = pod.container("sh", "-c", TRAIN.replace("/automl/run", str(tmp_path / "run")))
    observe = pod.step("observe")
    assert observe.wait(100) == 0
    assert main.wait(60) == (1 if "failure" in case else 0)  # a training that failed is red in Argo's pages
    result = record.result(0, 0)
    assert result is not None
    assert result.failure == (Failure(case["failure"]) if "failure" in case else None), result.message
    assert case.get("message", "") in result.message
    if "resumed" in case:
        (newest, *_) = record.checkpoints(0, 0)
        assert newest.epoch == 2
        launch = stage_in(record, definition, asked, 0, tmp_path / "next")
        assert tree(launch.folder / "resume") == case["resumed"]
