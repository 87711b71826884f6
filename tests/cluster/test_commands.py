"""submit, watch, pause, stop and resume as a user types them, against a real Kubernetes, Argo and S3 server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from automl.stores import Store, open_store
from tests.cluster.clusters import Images, attempt, command
from tests.cluster.doors import Door

SHORT = "algorithm: hyperband\nsampler: uniform\nR: 3\nmax_epochs: 3\nfinal: {repeats: 0}\n"
HANGING = f"{SHORT}train_spec: {{train.fault: hang}}\n"  # all experiments but the defaults
# who runs tests in the background has Ctrl-C ignored, and what they start inherits that
_WATCH = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from automl.cli import main; main()"
SERVER = ("--server", "http://127.0.0.1:2746")


class Studies:
    """Makes study files, each on a bucket of its own, and removes the workflows that came of them."""

    def __init__(self, images: Images, folder: Path, bucket: str) -> None:
        self.images, self.folder, self.bucket = images, folder, bucket
        self.name = f"cli-{bucket[-8:]}"

    def write(self, text: str = SHORT, cluster: str = "") -> str:
        path = self.images.study(self.folder, text, f"store: {self.bucket}", self.name, cluster)
        return str(path)

    @property
    def store(self) -> Store:
        return open_store(self.bucket)

    def workflows(self) -> list[dict[str, Any]]:
        """Those of this study, oldest first."""
        found = command("kubectl", "-n", "argo", "get", "workflows", "-l", f"automl/study={self.name}", "-o", "json")
        items: list[dict[str, Any]] = json.loads(found)["items"]
        return sorted(items, key=lambda each: str(each["metadata"]["creationTimestamp"]))

    def pods(self) -> list[dict[str, Any]]:
        names = ",".join(each["metadata"]["name"] for each in self.workflows())
        chosen = f"workflows.argoproj.io/workflow in ({names})"
        found = command("kubectl", "-n", "argo", "get", "pods", "-l", chosen, "-o", "json")
        items: list[dict[str, Any]] = json.loads(found)["items"]
        return items

    def trainings(self) -> set[str]:
        """Every attempt to train something that has written to the store."""
        return {"/".join(key.split("/")[:3]) for key in self.store.list("") if "/rung_" in key}


@pytest.fixture
def studies(images: Images, tmp_path: Path, bucket: str) -> Iterator[Studies]:
    made = Studies(images, tmp_path, bucket)
    yield made
    command("kubectl", "-n", "argo", "delete", "workflows", "-l", f"automl/study={made.name}", "--wait=false")


def automl(*words: str, code: int = 0, **environment: str) -> str:
    """What a command prints, standard error after standard output."""
    done = attempt("automl", *words, **{"ARGO_NAMESPACE": "argo", **environment})
    assert done.returncode == code, f"{words}: {done.returncode}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def eventually(true: Callable[[], bool], seconds: float = 240) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it has not come true"
        time.sleep(1)


@contextmanager
def watching(*words: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A watch that goes on in the background, and the lines that it has printed so far."""
    with subprocess.Popen(
        [sys.executable, "-c", _WATCH, "watch", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "ARGO_NAMESPACE": "argo"},
    ) as process:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        try:
            yield process, []
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], lines: list[str], pattern: str, seconds: float = 240) -> str:
    """The first line that matches, of those that the process prints."""
    assert process.stdout is not None
    until = time.monotonic() + seconds
    while True:
        line = process.stdout.readline()
        if line:
            lines.append(line.rstrip())
            if re.search(pattern, line):
                return line
            continue
        assert time.monotonic() < until, f"no line matches {pattern}: {lines}"
        assert process.poll() is None, f"it has ended without {pattern}: {lines}"
        time.sleep(0.2)


def test_a_study_is_submitted_watched_to_its_end_and_not_submitted_twice(studies: Studies) -> None:
    study = studies.write()
    said = automl("submit", study, "--dry-run")
    assert "namespace argo (context test) would take it; nothing was created" in said
    assert studies.workflows() == []
    made = json.loads(automl("submit", study, "-o", "json"))
    assert (made["created"], made["store"], made["namespace"]) == (True, studies.bucket, "argo")
    again = automl("submit", study, code=2)
    assert f"the workflow {made['workflow']} of this study is" in again
    assert f"'automl stop {study}' stops it" in again
    seen = automl("watch", made["workflow"])
    assert re.search(r"experiment 0: done, epoch \d, score 0\.\d+\n", seen)
    assert re.search(r"\d+ epochs? pending, .*best 0\.\d+", seen)
    assert f"{made['workflow']} has succeeded; next: automl best {studies.bucket}" in seen
    assert "experiment" in automl("best", studies.bucket)
    done = automl("resume", study)
    assert done == f"{made['workflow']} has succeeded: there is nothing left to do\n"
    assert f"{made['workflow']} has already succeeded" in automl("stop", study)
    assert len(studies.workflows()) == 1


@pytest.mark.parametrize("way", [(), SERVER], ids=["kubernetes", "argo-server"])
def test_what_was_stopped_goes_on_and_trains_nothing_twice_that_was_done(studies: Studies, way: Sequence[str]) -> None:
    study = studies.write(HANGING)
    automl("submit", study, *way)
    eventually(lambda: bool(studies.store.list("results/")))  # of experiment 0, which does not hang
    before = studies.trainings(), {key: studies.store.get(key) for key in studies.store.list("decisions/")}
    done = {key.removeprefix("results/").removesuffix(".json") for key in studies.store.list("results/")}
    assert "checkpoints and decisions stay" in automl("stop", study, *way)
    said = automl("resume", study, *way)
    assert "is stopped; what its store holds is kept" in said
    first, second = studies.workflows()
    assert first["status"]["phase"] == "Failed"
    name = second["metadata"]["name"]
    assert f"created the workflow {name}" in said
    assert f"{name} is already running" in automl("resume", study, *way)
    eventually(lambda: any(each["metadata"]["name"].startswith(f"{name}-train-") for each in studies.pods()))
    automl("stop", name, *way)
    assert f"{name} was stopped; automl resume {name}" in automl("watch", name, *way, code=5)
    for key, data in before[1].items():
        assert studies.store.get(key) == data
    for run in done:
        experiment, rung = run.split("/")
        prefix = f"experiment_{experiment}/rung_{rung}/"
        assert {each for each in studies.trainings() if each.startswith(prefix)} == {
            each for each in before[0] if each.startswith(prefix)
        }


def test_a_deleted_workflow_is_resumed_from_the_study_file(studies: Studies) -> None:
    study = studies.write()
    automl("submit", study, "--watch")
    before = studies.trainings()
    command("kubectl", "-n", "argo", "delete", "workflows", "-l", f"automl/study={studies.name}")
    assert f"no workflow of {study} is in namespace argo" in automl("watch", study, code=2)
    assert f"no workflow of {study} is left in namespace argo; what its store holds is kept" in automl("resume", study)
    automl("watch", study)
    assert studies.trainings() == before


def test_a_paused_study_starts_no_more_pods_until_it_is_resumed(studies: Studies) -> None:
    study = studies.write()
    name = json.loads(automl("submit", study, "-o", "json"))["workflow"]
    assert f"{name} is paused; running trainings finish" in automl("pause", study)
    assert f"{name} is already paused" in automl("pause", study)
    with watching(name) as (process, lines):
        read_until(process, lines, "in namespace argo: paused")
        eventually(lambda: all(each["status"]["phase"] in {"Succeeded", "Failed"} for each in studies.pods()))
        pods = len(studies.pods())
        time.sleep(5)  # what the controller would need to start more
        assert len(studies.pods()) == pods
        assert f"{name} continues" in automl("resume", study)
        read_until(process, lines, "has succeeded")
        assert process.wait(30) == 0


def test_a_watch_says_why_pods_wait_and_ctrl_c_ends_the_watch_alone(studies: Studies) -> None:
    study = studies.write(cluster=", node_selector: {such-a: node}")
    name = json.loads(automl("submit", study, "-o", "json"))["workflow"]
    with watching(study) as (process, lines):
        read_until(process, lines, r"experiment \d rung 0.* waits?: Unschedulable: 0/1 nodes are available")
        process.send_signal(signal.SIGINT)
        read_until(process, lines, f"the workflow continues. To see it again: automl watch {name} -n argo")
        assert process.wait(30) == 130
    assert studies.workflows()[0]["status"]["phase"] == "Running"
    automl("stop", name)


@pytest.mark.parametrize("way", [(), SERVER], ids=["kubernetes", "argo-server"])
def test_when_nothing_succeeds_the_watch_shows_the_logs_and_says_why_it_failed(
    studies: Studies, way: Sequence[str]
) -> None:
    study = studies.write(f"{SHORT}train_spec: {{train.fault: crash, train.fault_in: all}}\n")
    automl("submit", study, *way)
    said = automl("watch", study, "--logs", *way, code=5)
    assert re.search(r"^experiment 1 rung 0 \| it crashed$", said, re.MULTILINE)
    assert "argo=true" not in said  # what Argo's executor writes is no log of a training
    assert re.search(rf"automl: {studies.name}-\w+ failed: none of the \d+ experiments succeeded", said)


def test_a_watch_outlives_a_server_that_goes_away(studies: Studies) -> None:
    study = studies.write()
    automl("submit", study)
    door = Door(2746)
    with watching(study, "--server", door.address) as (process, lines):
        read_until(process, lines, "in namespace argo: running")
        door.shut()
        read_until(process, lines, "does not answer .*; the workflow continues; asking again")
        door.open()
        read_until(process, lines, "it answers again")
        read_until(process, lines, "has succeeded")
        assert process.wait(30) == 0


def test_without_the_store_a_watch_still_shows_the_workflow(studies: Studies) -> None:
    study = studies.write()
    automl("submit", study)
    said = automl("watch", study, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert said.count(f"the record in {studies.bucket} cannot be read from here") == 1
    assert "only pods are shown" in said
    assert "has succeeded" in said


def test_what_the_namespace_lacks_is_named_and_nothing_is_created(studies: Studies) -> None:
    study = studies.write(cluster=", secret: cli-none")
    said = automl("submit", study, code=2)
    assert "has no Secret 'cli-none', which its pods need; kubectl -n argo create secret generic cli-none" in said
    said = automl("submit", study, "-n", "default", code=2)
    assert "namespace default has no service account 'automl-brain'" in said
    assert "there is no namespace 'cli-none'" in automl("submit", study, "-n", "cli-none", code=2)
    assert studies.workflows() == []


def test_the_role_for_people_suffices_for_every_command(studies: Studies, tmp_path: Path) -> None:
    person = studies.name
    kubectl = ("kubectl", "-n", "argo")
    command(*kubectl, "create", "serviceaccount", person)
    command(*kubectl, "create", "rolebinding", person, "--role=automl-submit", f"--serviceaccount=argo:{person}")
    try:
        theirs = str(kubeconfig(tmp_path, command(*kubectl, "create", "token", person).strip()))
        study = studies.write(HANGING)
        said = automl("submit", study, KUBECONFIG=theirs)
        assert "not checked, because your permissions do not show it: Secret automl-s3 in namespace argo" in said
        automl("pause", study, KUBECONFIG=theirs)
        automl("resume", study, KUBECONFIG=theirs)
        automl("stop", study, KUBECONFIG=theirs)
        automl("watch", study, code=5, KUBECONFIG=theirs)
        refused = automl("submit", study, "-n", "default", code=2, KUBECONFIG=theirs)
        assert "you may not list workflows of namespace default" in refused
        assert "the Role automl-submit" in refused
    finally:
        command(*kubectl, "delete", "rolebinding,serviceaccount", person)


def kubeconfig(folder: Path, token: str) -> Path:
    """The cluster of KUBECONFIG with this token as the only key."""
    cluster = json.loads(command("kubectl", "config", "view", "--raw", "--minify", "-o", "json"))["clusters"][0]
    path = folder / "person.json"
    user = {"name": "person", "user": {"token": token}}
    context = {"name": "person", "context": {"cluster": cluster["name"], "user": "person", "namespace": "argo"}}
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "person"}
    path.write_text(json.dumps({**config, "clusters": [cluster], "users": [user], "contexts": [context]}))
    return path
