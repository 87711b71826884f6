"""Studies on a real Argo: compiled, submitted by the plain `argo` command, compared with the same study run here.

AUTOML_TEST_IMAGES names the command that builds an image and gives it to the cluster; KUBECONFIG and AWS_... lead to
the cluster and its S3 server. The namespace has what manifests/base puts there.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.clusters import ROOT, Cluster, Images, begun, command, decisions, ended, outputs, trainings

HYPERBAND = "algorithm: hyperband\nR: 9\nmax_epochs: 9\n"
BAYESIAN = "algorithm: bayesian\nmax_recommendations: 8\nparallel: 4\nmax_epochs: 2\n"
EXAMPLES = sorted((ROOT / "workflows/examples").glob("*.argo.yaml"))
SHORT = "algorithm: hyperband\nR: 3\nmax_epochs: 3\n"


@pytest.fixture
def cluster(images: Images, tmp_path: Path, bucket: str) -> Cluster:
    return Cluster(tmp_path, bucket)


@pytest.mark.parametrize("text", [HYPERBAND, BAYESIAN], ids=["hyperband", "bayesian"])
def test_a_study_on_argo_decides_as_here_and_leaves_its_best_model(cluster: Cluster, text: str) -> None:
    workflow, store = cluster.submit(text)
    assert workflow["status"]["phase"] == "Succeeded"
    here = cluster.run_here(text)
    assert decisions(store) == decisions(here)
    assert {key: store.get(key) for key in store.list("best_model/")} == {
        key: here.get(key) for key in here.list("best_model/")
    }
    best = json.loads(outputs(workflow)["best"])
    assert best["experiment"] == json.loads(here.get("controller.json") or b"")["best"]["experiment"]
    # no training was started twice
    assert len(trainings(store)) == len(store.list("results/"))


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_accepted_by_the_cluster(path: Path) -> None:
    assert "(server dry run)" in command("kubectl", "-n", "argo", "create", "--dry-run=server", "-f", str(path))


def test_submitted_again_on_the_same_bucket_it_trains_and_decides_nothing_anew(cluster: Cluster) -> None:
    first, store = cluster.submit(SHORT)
    before = decisions(store), trainings(store)
    again = ended(begun("resubmit", first["metadata"]["name"]))
    assert again["status"]["phase"] == "Succeeded"
    assert (decisions(store), trainings(store)) == before


def test_a_training_that_crashes_is_data_and_the_workflow_succeeds(cluster: Cluster) -> None:
    workflow, store = cluster.submit(f"{SHORT}train_spec: {{train.fault: crash}}\n")
    assert workflow["status"]["phase"] == "Succeeded"
    found = json.loads(store.get("controller.json") or b"")
    assert found["best"]["experiment"] == 0
    assert {each["status"] for each in found["experiments"][1:3]} == {"failure"}
    assert "exit code 1: it crashed" in found["experiments"][1]["reason"]


def test_a_training_that_takes_too_long_is_stopped_and_says_its_limit(cluster: Cluster) -> None:
    slow = "final: {repeats: 0}\ntrain_spec: {train.fault: hang}\n"
    workflow, store = cluster.submit(f"{SHORT}{slow}", "timeout_minutes: 0.1, ")
    assert workflow["status"]["phase"] == "Succeeded"
    found = json.loads(store.get("controller.json") or b"")
    assert found["experiments"][1]["reason"] == "timeout: ran longer than 0.1 minutes"


def test_when_nothing_succeeds_the_workflow_fails_and_says_why(cluster: Cluster) -> None:
    workflow, store = cluster.submit(
        f"{SHORT}final: {{repeats: 0}}\ntrain_spec: {{train.fault: crash, train.fault_in: all}}\n"
    )
    assert workflow["status"]["phase"] == "Failed"
    assert store.list("best_model/") == []
    names = {each["id"]: each for each in workflow["status"]["nodes"].values()}
    collect = [each for each in names.values() if each["displayName"].startswith("collect") and each["type"] == "Pod"]
    assert collect
    assert {each["phase"] for each in collect} == {"Failed"}
