"""What tests of a real cluster share: a study of the small network for it, its images, and commands as users type them.

AUTOML_TEST_IMAGES names the command that builds an image and gives it to the cluster; KUBECONFIG and AWS_... lead to
the cluster and its S3 server. The namespace has what manifests/base puts there.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from automl.operations.replay import Replay
from automl.stores import Store, open_store
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from tests.small_network import NETWORK, PROGRAM

ROOT = Path(__file__).parents[2]
TAG = os.environ.get("AUTOML_TEST_TAG", "test")
PATIENCE = 600  # seconds for one command; a study here takes one or two minutes on a machine that is idle


@dataclass(frozen=True)
class Images:
    """The tags of the two images: the brain's, and one that trains and holds nothing of ours."""

    brain: str
    small: str

    def build(self, folder: Path) -> Images:
        """Builds both, the brain's from this tree. Skips where nothing gives images to a cluster."""
        (folder / "small.py").write_text(PROGRAM)
        (folder / "Dockerfile").write_text("ARG BASE=python:3.11-slim\nFROM ${BASE}\nCOPY small.py /small.py\n")
        build_image(self.brain, str(ROOT), "-f", str(ROOT / "containers/brain/Dockerfile"))
        build_image(self.small, str(folder), "-f", str(folder / "Dockerfile"))
        return self

    def study(
        self, folder: Path, text: str, run: str, name: str = "small", cluster: str = "", *, program: str = "/small.py"
    ) -> Path:
        """The study file, in `folder`, of a study of the small network; cluster: more of its `cluster` settings."""
        folder.mkdir(exist_ok=True)
        network = NETWORK.format(program=program).replace("localhost/small:1", self.small)
        (folder / "small.yaml").write_text(network)
        endpoint = json.dumps(os.environ["AWS_ENDPOINT_URL"])
        path = folder / f"{name}-study.yaml"
        path.write_text(
            f"name: {name}\nnetwork: small.yaml\n{text}run: {{{run}, jobs: 6}}\n"
            f"cluster: {{brain_image: {self.brain}, endpoint: {endpoint}, cpu: 0.05, memory: 128Mi{cluster}}}\n"
        )
        return path


IMAGES = Images(f"localhost/automl-brain:{TAG}", f"localhost/automl-small:{TAG}")
BRAIN, SMALL = IMAGES.brain, IMAGES.small


@dataclass(frozen=True)
class Cluster:
    """Submits studies of the small network, each to a prefix of its own."""

    folder: Path
    bucket: str

    def study(self, folder: Path, text: str, program: str, run: str) -> Path:
        """The study file, in `folder`, of a study whose training program lies at `program`."""
        return IMAGES.study(folder, text, run, program=program)

    def submit(self, text: str, run: str = "") -> tuple[dict[str, Any], Store]:
        """The workflow after its end, and the store that it has left."""
        study = self.study(self.folder / "there", text, "/small.py", f"{run}store: {self.bucket}")
        compiled = study.with_name("workflow.yaml")
        command("automl", "compile", str(study), "-o", str(compiled))
        return ended(begun("submit", str(compiled))), open_store(self.bucket)

    def run_here(self, text: str) -> Store:
        """The same study by the local runner, in a folder."""
        folder, program = self.folder / "here", self.folder / "small.py"
        program.write_text(PROGRAM)
        command("automl", "run", str(self.study(folder, text, str(program), "store: ./study")))
        return open_store(str(folder / "study"))


def begun(*words: str) -> str:
    """The name of the workflow that `argo` with these words has created."""
    return command("argo", *words, "-o", "name").strip().rpartition("/")[2]


def ended(name: str) -> dict[str, Any]:
    """The workflow after its end. Fails the test when that does not come."""
    try:
        command("argo", "wait", name)
    except subprocess.TimeoutExpired:  # say why: nobody can look at CI's cluster afterwards
        state = command("argo", "get", name), command("kubectl", "-n", "argo", "get", "pods,events")
        pytest.fail(f"{name} did not end:\n{state[0]}\n{state[1][-5000:]}")
    found: dict[str, Any] = json.loads(command("argo", "get", name, "-o", "json"))
    return found


def replayed(store: Store) -> OpenedStudy:
    """The study in a store, all of whose decisions are made again from what each says that it saw."""
    opened = OpenedStudy.read(Record(store))
    assert [each.difference for each in Replay(opened.record, opened.definition) if each.difference] == []
    return opened


def build_image(*words: str) -> None:
    """Builds an image and gives it to the cluster, one at a time. Skips where no command does that."""
    build = os.environ.get("AUTOML_TEST_IMAGES")
    if not build:
        pytest.skip("AUTOML_TEST_IMAGES names no command that gives images to a cluster")
    with (Path(tempfile.gettempdir()) / "automl-test-images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once spoil each other
        done = subprocess.run([build, "build", *words], capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr[-3000:]}"


def command(*words: str) -> str:
    """What a command writes on standard output. Fails the test when it fails, but for a workflow's end."""
    done = attempt(*words)
    assert done.returncode == 0 or words[:2] == ("argo", "wait"), f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def attempt(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command after its end, however it ended."""
    found = shutil.which(words[0])
    assert found, words[0]
    return subprocess.run(
        words,  # a program may look at the name that it was called by
        executable=found,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, **environment},
    )


def decisions(store: Store) -> dict[str, bytes | None]:
    return {key: store.get(key) for key in store.list("decisions/")}


def trainings(store: Store) -> set[str]:
    """Every attempt to train something: experiment, rung and name."""
    return {"/".join(key.split("/")[:3]) for key in store.list("") if "/rung_" in key}


def outputs(workflow: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in workflow["status"]["outputs"]["parameters"]}


@dataclass(frozen=True)
class Node:
    """A node of a workflow's status, as Argo's pages show it."""

    name: str  # in the timeline and in `argo get`; in the graph, where no display name was given
    phase: str
    message: str
    inputs: dict[str, str]
    outputs: dict[str, str]


def nodes(workflow: dict[str, Any], template: str, kind: str = "Pod") -> list[Node]:
    """Those of a template, by name; kind: Argo's own word for what they are."""
    found = [
        Node(
            node["displayName"],
            node["phase"],
            node.get("message", ""),
            {each["name"]: each.get("value", "") for each in node.get("inputs", {}).get("parameters", ())},
            {each["name"]: each.get("value", "") for each in node.get("outputs", {}).get("parameters", ())},
        )
        for node in workflow["status"]["nodes"].values()
        if (node.get("templateName"), node["type"]) == (template, kind)
    ]
    return sorted(found, key=lambda node: node.name)
