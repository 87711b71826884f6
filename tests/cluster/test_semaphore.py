"""A semaphore that holds trainings back, and is raised while a study runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.stores import open_store
from tests.cluster.clusters import command
from tests.cluster.disturbed import WAITING, Disturbed, compiled, until


@pytest.fixture
def semaphore() -> Iterator[str]:
    """The name of a ConfigMap that lets one train at a time."""
    name = f"limits-{time.time_ns()}"
    command("kubectl", "-n", "argo", "create", "configmap", name, "--from-literal=trainings=1")
    yield name
    command("kubectl", "-n", "argo", "delete", "configmap", name)


@pytest.mark.usefixtures("images")
def test_raised_while_a_study_runs_it_lets_all_train(tmp_path: Path, bucket: str, semaphore: str) -> None:
    workflow = compiled(tmp_path / "held", WAITING, cluster=f", semaphore: {semaphore}/trainings")
    study = Disturbed(workflow, open_store(bucket))
    study.submit()

    def held_back() -> int:
        nodes = study.state()["status"].get("nodes", {}).values()
        return sum("Waiting for" in each.get("message", "") and semaphore in each["message"] for each in nodes)

    until("two trainings to be held back", lambda: held_back() == 2)
    until("the third to train", lambda: any(study.record.checkpoints(number, 0) for number in range(3)))
    assert held_back() == 2
    command(
        "kubectl",
        "-n",
        "argo",
        "patch",
        "configmap",
        semaphore,
        "--type=merge",
        "-p",
        json.dumps({"data": {"trainings": "3"}}),
    )
    for attempt in study.all_in_training(0):  # all wait beside each other
        study.release(attempt)
    study.release(study.in_training(0, 1))
    assert study.ended() == "Succeeded"
