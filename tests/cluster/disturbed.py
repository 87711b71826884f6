"""A study on Argo that a test disturbs: it waits for the moment, strikes, and counts what was trained twice."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from automl.stores import Store
from automl.study.record import Record
from tests.cluster.clusters import IMAGES, begun, command, decisions, ended

T = TypeVar("T")
HALVING = "algorithm: successive_halving\nR: 3\nmax_epochs: 9\nfinal: {repeats: 0}\n"  # 3 to epoch 3, 1 to epoch 9
WAITING = f"{HALVING}train_spec: {{train.waits_at: [2, 5]}}\n"  # once in each rung
PATIENCE = 600.0  # seconds for anything that is waited for, on a machine that is busy
_KILL = """\
import os, pathlib
for each in pathlib.Path("/proc").glob("[0-9]*"):
    if b"/small.py" in (each / "cmdline").read_bytes().split(b"\\0")[1:2]:
        os.kill(int(each.name), 9)
"""


def until(what: str, question: Callable[[], T], patience: float = PATIENCE) -> T:
    """The first answer that is true. Raises AssertionError when there is none in time."""
    end = time.monotonic() + patience
    while not (found := question()):
        assert time.monotonic() < end, f"waited {patience:.0f} s for {what}"
        time.sleep(0.5)
    return found


def compiled(folder: Path, text: str, run: str = "", endpoint: str | None = None, cluster: str = "") -> Path:
    """The workflow of a study that says where it lies when it is submitted; cluster: more of its `cluster` settings."""
    folder.mkdir()
    study = IMAGES.study(folder / "there", text, f"{run}store: s3://bucket/prefix", cluster=cluster)
    if endpoint is not None:
        study.write_text(study.read_text().replace(os.environ["AWS_ENDPOINT_URL"], endpoint))
    path = study.with_name("workflow.yaml")
    command("automl", "compile", str(study), "-o", str(path))
    return path


@dataclass
class Disturbed:
    """One study: its workflow, which may be submitted more often. struck: attempts that were cut off."""

    compiled: Path
    store: Store
    workflow: str = ""
    struck: list[str] = field(default_factory=list)

    @property
    def record(self) -> Record:
        return Record(self.store)

    def submit(self) -> None:
        self.workflow = begun("submit", str(self.compiled), "-p", f"store={self.store.uri}")

    def argo(self, word: str) -> None:
        command("argo", word, self.workflow)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(command("argo", "get", self.workflow, "-o", "json"))
        return found

    def succeeded(self) -> Counter[str]:
        """The pods that Argo knows to have succeeded, by template."""
        nodes = self.state()["status"]["nodes"].values()
        return Counter(n["templateName"] for n in nodes if (n["type"], n["phase"]) == ("Pod", "Succeeded"))

    def ended(self) -> str:
        """The phase in which the workflow ends."""
        phase: str = ended(self.workflow)["status"]["phase"]
        return phase

    def is_at_rest(self) -> bool:
        """Whether all its pods have ended.

        Argo's retry deletes them and makes others of the same names: while one still ends it takes that for the new
        one, and finds out minutes later, when its informers are filled anew, that it is gone.
        """
        return all(pod["status"]["phase"] in ("Succeeded", "Failed") for pod in self.pods().values())

    def in_training(self, experiment: int, rung: int) -> str:
        """Waits for a checkpoint of an attempt that was not cut off, which then waits; its name, the uid of its pod."""
        attempt = until(f"a checkpoint of experiment {experiment} in rung {rung}", lambda: self._new(experiment, rung))
        assert self.record.result(experiment, rung) is None, "it should have waited"
        return attempt

    def lose(self, experiment: int, rung: int) -> None:
        """Deletes pod after pod of a run until it is given up.

        Argo replaces a pod that it has not seen start yet without counting that as a retry.
        """

        def over() -> bool:
            return self.record.result(experiment, rung) is not None

        while True:
            until(f"an end of experiment {experiment}", lambda: over() or self._new(experiment, rung))
            if over():
                return
            self.delete(self._new(experiment, rung), "--force", "--grace-period=0")

    def _new(self, experiment: int, rung: int) -> str:
        """The attempt with the newest checkpoint, if it was not cut off."""
        attempts = [each.manifest.split("/")[2] for each in self.record.checkpoints(experiment, rung)]
        return next((attempt for attempt in attempts if attempt not in self.struck), "")

    def all_in_training(self, rung: int) -> list[str]:
        return [self.in_training(experiment, rung) for experiment in (range(3) if rung == 0 else range(1))]

    def pods(self) -> dict[str, dict[str, Any]]:
        """By uid."""
        label = f"workflows.argoproj.io/workflow={self.workflow}"
        found = json.loads(command("kubectl", "-n", "argo", "get", "pods", "-l", label, "-o", "json"))
        return {pod["metadata"]["uid"]: pod for pod in found["items"]}

    def delete(self, attempt: str, *how: str) -> None:
        """Deletes the pod of an attempt, once Argo has seen it run.

        One that goes before that by force is waited for until Argo's informers are filled anew, which takes minutes.
        """
        assert self.delete_unless_ended(attempt, *how), "it should have waited"

    def delete_unless_ended(self, attempt: str, *how: str) -> bool:
        """The same for a pod that may end by itself before Argo has seen it run; whether it was deleted."""
        name = self.pods()[attempt]["metadata"]["name"]
        phase = until(f"Argo to see {name} run", lambda: self._phase(name).removeprefix("Pending"))
        if phase != "Running":
            return False
        command("kubectl", "-n", "argo", "delete", "pod", name, "--wait=false", *how)
        self.struck.append(attempt)
        return True

    def _phase(self, pod: str) -> str:
        """What Argo says of a pod; empty where it does not know it."""
        node = f"{self.workflow}-{pod.rpartition('-')[2]}"
        return str(self.state()["status"]["nodes"].get(node, {}).get("phase", ""))

    def kill(self, attempt: str, container: str = "main", *, only_training: bool = False) -> None:
        """kill -9 of everything in a container but its first process, which is Argo's; or of the training alone."""
        name = self.pods()[attempt]["metadata"]["name"]
        words = ["python", "-c", _KILL] if only_training else ["sh", "-c", "kill -9 -1"]
        command("kubectl", "-n", "argo", "exec", name, "-c", container, "--", *words)
        self.struck.append(attempt)

    def release(self, attempt: str) -> None:
        """Lets an attempt that waits go on to its end."""
        name = self.pods()[attempt]["metadata"]["name"]
        command("kubectl", "-n", "argo", "exec", name, "-c", "main", "--", "sh", "-c", ": >/automl/run/go")

    def attempts(self) -> Counter[tuple[str, str]]:
        """How many attempts there were, by experiment and rung."""
        folders = {tuple(key.split("/")[:3]) for key in self.store.list("experiment_") if "/rung_" in key}
        return Counter((experiment, rung) for experiment, rung, _ in folders)

    def trained(self) -> Counter[tuple[str, str, int]]:
        """How often every epoch was trained, by experiment and rung: from the status lines of all attempts."""
        found: Counter[tuple[str, str, int]] = Counter()
        for key in self.store.list("experiment_"):
            parts = key.split("/")
            if len(parts) == 4 and parts[3] == "status.json":
                lines = (self.store.get(key) or b"").splitlines()
                found.update((parts[0], parts[1], json.loads(line)["epoch"]) for line in lines)
        return found

    def trained_twice(self) -> Counter[tuple[str, str]]:
        """By experiment and rung, the epochs beyond one each."""
        twice: Counter[tuple[str, str]] = Counter()
        for (experiment, rung, _), times in self.trained().items():
            twice[experiment, rung] += times - 1
        return +twice


def assert_same(study: Disturbed, here: Store) -> None:
    """The same decisions byte for byte, and the same best model but for its log and repeated status lines."""
    assert decisions(study.store) == decisions(here)
    for key in here.list("best_model/"):
        if key.endswith(("manifest.json", "model_9.json")):
            assert study.store.get(key) == here.get(key), key
    lines = [set((store.get("best_model/status.json") or b"").splitlines()) for store in (study.store, here)]
    assert lines[0] == lines[1]
    assert study.store.list("best_model/") == here.list("best_model/")
