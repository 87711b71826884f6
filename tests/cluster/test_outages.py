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
from tests.cluster.test_without_barrier import WAITING as WITHOUT_BARRIER
from tests.cluster.test_without_barrier import check, promoted

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
    asha = Disturbed(compiled(tmp_path / "asha", WITHOUT_BARRIER), open_store(f"{bucket}/asha"))
    trained = (study, asha)
    for each in trained:
        each.submit()
    attempts = [(each, attempt) for each in trained for attempt in each.all_in_training(0)]
    died("workflow-controller")
    for each, attempt in attempts:
        each.release(attempt)
    until("results without a controller", lambda: [len(each.store.list("results/")) for each in trained] == [3, 3])
    assert [study.record.decision(0, 1), asha.record.decision(0, 3)] == [None, None]
    command(up)
    last = [(study, study.in_training(0, 1)), (asha, asha.in_training(promoted(asha), 1))]
    died("s3")
    for each, attempt in last:
        each.release(attempt)
    begins.submit()
    until(
        "a first step without a store",
        lambda: any(pod["status"]["phase"] == "Running" for pod in begins.pods().values()),
    )
    time.sleep(OUTAGE)
    command(up)
    (tmp_path / "here").mkdir()
    undisturbed = Cluster(tmp_path / "here", "").run_here(HALVING)
    for each in (study, begins, asha):
        assert each.ended() == "Succeeded", command("argo", "get", each.workflow)
        if each is asha:
            check(each.store, [3, 1])
        else:
            assert_same(each, undisturbed)
        assert set(each.attempts().values()) == {1}
        assert not each.trained_twice()
