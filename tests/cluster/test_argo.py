"""Studies on a real Argo: compiled, submitted by the plain `argo` command, compared with the same study run here.

AUTOML_TEST_IMAGES names the command that builds an image and gives it to the cluster; KUBECONFIG and AWS_... lead to
the cluster and its S3 server. The namespace has what manifests/base puts there.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from automl.stores import Store
from tests.cluster.clusters import ROOT, Cluster, Images, begun, command, decisions, ended, nodes, outputs, trainings

HYPERBAND = "algorithm: hyperband\nsampler: uniform\nR: 9\nmax_epochs: 9\n"
BAYESIAN = "algorithm: bayesian\nmax_recommendations: 8\nparallel: 4\nmax_epochs: 2\n"
EXAMPLES = sorted((ROOT / "workflows/examples").glob("*.argo.yaml"))
SHORT = "algorithm: hyperband\nsampler: uniform\nR: 3\nmax_epochs: 3\n"
CHAIN = "algorithm: bayesian\nmax_recommendations: 2\nmax_epochs: 1\nfinal: {repeats: 1}\n"


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
    assert_pages_name_what_was_tried(workflow, store, step="step" if text == BAYESIAN else "rung")


def assert_pages_name_what_was_tried(workflow: dict[str, Any], store: Store, step: str) -> None:
    """Every training by its number and values, every part of a stage by its place, and what was found in words."""
    pods, circles = nodes(workflow, "train"), nodes(workflow, "train", "Retry")
    assert len(pods) == len(circles) == len(store.list("results/"))
    for pod in pods:
        assert re.fullmatch(r"experiment\(\d+:(\d+) (defaults|x=[0-9.e-]+|.* again)\)\(0\)", pod.name), pod
        assert f":{pod.inputs['experiment']} {pod.inputs['values']})" in pod.name
        assert re.fullmatch(rf"score 0\.\d+ at epoch {pod.inputs['epochs']}(, the best so far)?", pod.outputs["score"])
    assert "0.defaults" in {circle.name for circle in circles}
    assert any(re.fullmatch(r"\d+\.x-0\.\d+", circle.name) for circle in circles), circles
    titles = {node.name for node in nodes(workflow, "rung", "DAG")}
    assert titles >= {f"{step}-{1 if step == 'step' else 0}"}
    groups = [node for node in workflow["status"]["nodes"].values() if node["type"] == "StepGroup"]
    assert {len(group["children"]) for group in groups} == {1}, "a rung is below the one before, and nothing is folded"
    assert "final-judgement" in {node.name for node in nodes(workflow, "stage", "Steps")}
    assert outputs(workflow)["summary"].startswith("score 0.")
    assert f"best model: {store.uri}/best_model/" in outputs(workflow)["summary"]
    assert [each["name"] for each in workflow["status"]["outputs"]["parameters"]][:2] == ["bucket", "report_key"]
    labels = {name: workflow["metadata"]["labels"].get(name) for name in ("automl/study", "automl/metric")}
    assert labels == {"automl/study": "small", "automl/metric": "score"}
    assert store.uri.endswith(workflow["metadata"]["labels"]["automl/store"].rpartition("-")[2])
    assert_complete(workflow)


def assert_complete(workflow: dict[str, Any]) -> None:
    """That Argo's progress has come to its end, also with trainings that failed."""
    lacking = [
        {name: node.get(name) for name in ("displayName", "phase", "progress", "message")}
        for node in workflow["status"]["nodes"].values()
        if node["type"] == "Pod" and len(set(node["progress"].split("/"))) > 1
    ]
    assert lacking == []
    done, total = workflow["status"]["progress"].split("/")
    assert done == total


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


def test_an_extended_study_goes_on_when_it_is_submitted_again(cluster: Cluster) -> None:
    first, store = cluster.submit(CHAIN)
    assert "final-judgement" in {node.name for node in nodes(first, "stage", "Steps")}
    before = decisions(store), trainings(store)
    command("automl", "extend", store.uri, "--to", "3")
    again, _ = cluster.submit(CHAIN)
    assert again["status"]["phase"] == "Succeeded"
    assert before[0].items() <= decisions(store).items()
    assert len(trainings(store) - before[1]) == 2, "one more experiment, and its judgement"
    here = cluster.run_here(CHAIN)
    command("automl", "extend", here.uri, "--to", "3")
    assert decisions(store) == decisions(cluster.run_here(CHAIN))
    assert_pages_name_what_was_tried(again, store, step="step")
    stages = [node.name for node in nodes(again, "stage", "Steps")]
    assert stages == ["final-judgement", "final-judgement", "search.1-experiments"]


def test_a_training_that_crashes_is_data_and_the_workflow_succeeds(cluster: Cluster) -> None:
    workflow, store = cluster.submit(f"{SHORT}train_spec: {{train.fault: crash}}\n")
    assert workflow["status"]["phase"] == "Succeeded"
    found = json.loads(store.get("controller.json") or b"")
    assert found["best"]["experiment"] == 0
    assert {each["status"] for each in found["experiments"][1:3]} == {"failure"}
    assert "exit code 1: it crashed" in found["experiments"][1]["reason"]
    failed = [pod for pod in nodes(workflow, "train") if pod.phase != "Succeeded"]
    assert len(failed) == len([key for key in store.list("results/") if b"it crashed" in (store.get(key) or b"")])
    for pod in failed:
        assert (pod.phase, pod.outputs["score"]) == ("Failed", "error: exit code 1: it crashed")
        assert pod.message == "main: Error (exit code 1): error: exit code 1: it crashed"
    assert {pod.phase for pod in nodes(workflow, "rung", "DAG")} == {"Succeeded"}
    assert_complete(workflow)
    assert {pod.outputs["score"] for pod in nodes(workflow, "train", "Retry") if pod.phase == "Failed"} == {
        "error: exit code 1: it crashed"
    }


def test_a_training_that_takes_too_long_is_stopped_and_says_its_limit(cluster: Cluster) -> None:
    slow = "final: {repeats: 0}\ntrain_spec: {train.fault: hang}\n"
    workflow, store = cluster.submit(f"{SHORT}{slow}", "timeout_minutes: 0.1, ")
    assert workflow["status"]["phase"] == "Succeeded"
    found = json.loads(store.get("controller.json") or b"")
    assert found["experiments"][1]["reason"] == "timeout: ran longer than 0.1 minutes"
    failed = [pod for pod in nodes(workflow, "train") if pod.phase == "Failed"]
    assert {pod.outputs["score"] for pod in failed} == {"timeout: ran longer than 0.1 minutes"}
    assert_complete(workflow)
    assert len(failed) == len([key for key in store.list("results/") if b"timeout" in (store.get(key) or b"")])


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
