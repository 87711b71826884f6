"""Studies on a real Argo: compiled, submitted by the plain `argo` command, compared with the same study run here.

AUTOML_TEST_IMAGES names the command that builds an image and gives it to the cluster; KUBECONFIG and AWS_... lead to
the cluster and its S3 server. The namespace has what manifests/base puts there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from automl.stores import Store, open_store

from ..small_network import NETWORK, PROGRAM

pytestmark = pytest.mark.xdist_group("argo")  # one after the other, in one worker that has built the images once
ROOT = Path(__file__).parents[2]
TAG = os.environ.get("AUTOML_TEST_TAG", "test")
BRAIN, SMALL = f"localhost/automl-brain:{TAG}", f"localhost/automl-small:{TAG}"
HYPERBAND = "algorithm: hyperband\nR: 9\nmax_epochs: 9\n"
BAYESIAN = "algorithm: bayesian\nmax_recommendations: 8\nparallel: 4\nmax_epochs: 2\n"
PATIENCE = 300  # seconds for one command; a study here takes one or two minutes
SHORT = "algorithm: hyperband\nR: 3\nmax_epochs: 3\n"


@dataclass(frozen=True)
class Cluster:
    """Submits studies of the small network, each to a prefix of its own."""

    folder: Path
    bucket: str

    def study(self, folder: Path, text: str, program: str, run: str) -> Path:
        """The study file, in `folder`, of a study whose training program lies at `program`."""
        folder.mkdir()
        (folder / "small.yaml").write_text(NETWORK.format(program=program).replace("localhost/small:1", SMALL))
        endpoint = json.dumps(os.environ["AWS_ENDPOINT_URL"])
        path = folder / "study.yaml"
        path.write_text(
            f"name: small\nnetwork: small.yaml\n{text}run: {{{run}, jobs: 6}}\n"
            f"cluster: {{brain_image: {BRAIN}, endpoint: {endpoint}, cpu: 0.05, memory: 128Mi}}\n"
        )
        return path

    def submit(self, text: str, run: str = "") -> tuple[dict[str, Any], Store]:
        """The workflow after its end, and the store that it has left."""
        study = self.study(self.folder / "there", text, "/small.py", f"{run}store: {self.bucket}")
        compiled = study.with_name("workflow.yaml")
        command("automl", "compile", str(study), "-o", str(compiled))
        return self.wait("submit", str(compiled)), open_store(self.bucket)

    def wait(self, *words: str) -> dict[str, Any]:
        name = command("argo", *words, "-o", "name").strip().rpartition("/")[2]
        try:
            command("argo", "wait", name)
        except subprocess.TimeoutExpired:  # say why: nobody can look at CI's cluster afterwards
            state = command("argo", "get", name), command("kubectl", "-n", "argo", "get", "pods,events")
            pytest.fail(f"{name} did not end:\n{state[0]}\n{state[1][-5000:]}")
        found: dict[str, Any] = json.loads(command("argo", "get", name, "-o", "json"))
        return found

    def run_here(self, text: str) -> Store:
        """The same study by the local runner, in a folder."""
        folder, program = self.folder / "here", self.folder / "small.py"
        program.write_text(PROGRAM)
        command("automl", "run", str(self.study(folder, text, str(program), "store: ./study")))
        return open_store(str(folder / "study"))


def command(*words: str) -> str:
    found = shutil.which(words[0])
    assert found, words[0]
    done = subprocess.run(words, executable=found, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0 or "wait" in words[:2], f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def cluster(images: Sequence[str], tmp_path: Path, bucket: str) -> Cluster:
    return Cluster(tmp_path, bucket)


def decisions(store: Store) -> dict[str, bytes | None]:
    return {key: store.get(key) for key in store.list("decisions/")}


def trainings(store: Store) -> set[str]:
    """Every attempt to train something: experiment, rung and name."""
    return {"/".join(key.split("/")[:3]) for key in store.list("") if "/rung_" in key}


def outputs(workflow: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in workflow["status"]["outputs"]["parameters"]}


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


def test_submitted_again_on_the_same_bucket_it_trains_and_decides_nothing_anew(cluster: Cluster) -> None:
    first, store = cluster.submit(SHORT)
    before = decisions(store), trainings(store)
    again = cluster.wait("resubmit", first["metadata"]["name"])
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
