"""The S3 server and Argo's controller die, and studies are only delayed. It hits whatever runs, so it runs alone."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from automl.stores import open_store
from tests.cluster.clusters import Cluster, Images, command
from tests.cluster.disturbed import HALVING, WAITING, Disturbed, assert_same, compiled, until

OUTAGE = 20.0  # seconds that the store is away


def died(name: str) -> None:
    """kill -9 of a process of the test cluster."""
    pid = Path(os.environ["AUTOML_TEST_CLUSTER_HOME"], "run", f"{name}.pid").read_text()
    os.kill(int(pid), signal.SIGKILL)


def test_the_death_of_controller_and_store_delays_studies_and_changes_nothing(images: Images, tmp_path: Path) -> None:
    up = os.environ.get("AUTOML_TEST_CLUSTER")
    if not up:
        pytest.skip("AUTOML_TEST_CLUSTER names no command that starts what died")
    bucket = f"{os.environ['AUTOML_TEST_S3']}/{tmp_path.name}-{time.time_ns()}"
    study = Disturbed(compiled(tmp_path / "waiting", WAITING), open_store(f"{bucket}/training"))
    begins = Disturbed(compiled(tmp_path / "quick", HALVING), open_store(f"{bucket}/begins"))
    study.submit()
    attempts = study.all_in_training(0)
    died("workflow-controller")
    for attempt in attempts:
        study.release(attempt)
    until("results without a controller", lambda: len(study.store.list("results/")) == 3)
    assert study.record.decision(0, 1) is None
    command(up)
    last = study.in_training(0, 1)
    died("s3")
    study.release(last)
    begins.submit()
    until(
        "a first step without a store",
        lambda: any(pod["status"]["phase"] == "Running" for pod in begins.pods().values()),
    )
    time.sleep(OUTAGE)
    command(up)
    (tmp_path / "here").mkdir()
    undisturbed = Cluster(tmp_path / "here", "").run_here(HALVING)
    for each in (study, begins):
        assert each.ended() == "Succeeded", command("argo", "get", each.workflow)
        assert_same(each, undisturbed)
        assert set(each.attempts().values()) == {1}
        assert not each.trained_twice()
