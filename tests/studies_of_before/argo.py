"""Walks a compiled workflow as Argo does, one pod after the other: every container is a process of this machine.

What runs is what the manifest says: command, arguments and environment, with the tags replaced. Only the folder
/automl, the volume of a pod, lies elsewhere, in the manifest as in the code that runs.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
VOLUME = "/automl"
_TAG = re.compile(r"\{\{(.+?)\}\}")
_SECONDS = 120  # that a pod may take


class Gone(Exception):
    """The pod that ran was killed, and the workflow is gone with it."""


def image(folder: Path, volume: Path) -> dict[str, str]:
    """The environment of an image with the code of this machine, for which /automl is the folder `volume`."""
    found = importlib.util.find_spec("automl")
    assert found is not None
    for package in found.submodule_search_locations or []:
        shutil.copytree(package, folder / "automl", ignore=shutil.ignore_patterns("__pycache__", "trainers"))
    for path in (folder / "automl").rglob("*.py"):
        path.write_text(re.sub(rf"""(["']){VOLUME}\b""", rf"\g<1>{volume}", path.read_text()))
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
    return {"PATH": programs, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


@dataclass
class Workflow:
    """A workflow that is walked.

    volume: stands for /automl. environment: what the image has. instead: environment in place of what the manifest
    says. strike: asked while a pod runs; when it says yes, that pod is killed.
    """

    manifest: Mapping[str, Any]
    volume: Path
    environment: Mapping[str, str]
    instead: Mapping[str, str]
    strike: Callable[[], bool] = lambda: False
    pods: list[str] = field(default_factory=list)  # the templates of those that have run

    def __post_init__(self) -> None:
        self._spec = self.manifest["spec"]
        self._templates = {each["name"]: each for each in self._spec["templates"]}
        given = self._spec["arguments"]["parameters"]
        self._parameters = {f"workflow.parameters.{each['name']}": each["value"] for each in given}

    def run(self) -> None:
        """Walks it to its end. Raises Gone."""
        self._walk(self._spec["entrypoint"], {})

    def _walk(self, name: str, inputs: Mapping[str, str]) -> dict[str, str]:
        """What a template puts out. Its tasks are taken in the order in which they stand."""
        template = self._templates[name]
        scope = self._parameters | {f"inputs.parameters.{key}": value for key, value in inputs.items()}
        if "container" in template:
            return self._pod(template, scope)
        tasks = template["dag"]["tasks"] if "dag" in template else [each for step in template["steps"] for each in step]
        for task in tasks:
            given = task.get("arguments", {"parameters": []})["parameters"]
            for item in _items(task, scope):
                arguments = {each["name"]: _filled(each["value"], scope | item) for each in given}
                outputs = self._walk(task["template"], arguments)
                scope |= {f"tasks.{task['name']}.outputs.parameters.{key}": value for key, value in outputs.items()}
        return {}

    def _pod(self, template: Mapping[str, Any], scope: Mapping[str, str]) -> dict[str, str]:
        self.pods.append(template["name"])
        shutil.rmtree(self.volume, ignore_errors=True)
        self.volume.mkdir(parents=True)
        uid = uuid.uuid4().hex
        for container in template.get("initContainers", []):
            self._wait([self._start(container, scope, uid)])
        side_by_side = [template["container"], *template.get("sidecars", [])]
        self._wait([self._start(container, scope, uid) for container in side_by_side])
        told = template.get("outputs", {}).get("parameters", [])
        return {each["name"]: Path(self._moved(each["valueFrom"]["path"])).read_text() for each in told}

    def _start(self, container: Mapping[str, Any], scope: Mapping[str, str], uid: str) -> subprocess.Popen[bytes]:
        words = [self._moved(word) for word in (*container["command"], *container.get("args", []))]
        said = {each["name"]: _value(each, scope, uid) for each in container["env"]}
        environment = {**self.environment, **said, **self.instead}
        program = shutil.which(words[0], path=environment["PATH"])
        assert program is not None, f"there is no {words[0]}"
        return subprocess.Popen(words, executable=program, env=environment, cwd=self.volume, start_new_session=True)

    def _wait(self, processes: list[subprocess.Popen[bytes]]) -> None:
        """Until all of them have ended well. Nothing that they have started lives on, as in a pod that ends."""
        end = time.monotonic() + _SECONDS
        try:
            while any(process.poll() is None for process in processes):
                assert time.monotonic() < end, f"a pod of {self.pods[-1]} does not end"
                if self.strike():
                    raise Gone
                time.sleep(0.02)
            assert [process.returncode for process in processes] == [0] * len(processes), self.pods[-1]
        finally:
            for process in processes:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _moved(self, text: str) -> str:
        return text.replace(f"{VOLUME}/", f"{self.volume}/")


def _items(task: Mapping[str, Any], scope: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """What `item` is each time that a task is done."""
    if "withSequence" in task:
        for number in range(int(_filled(task["withSequence"]["count"], scope))):
            yield {"item": str(number)}
    elif "withParam" in task:
        for each in json.loads(_filled(task["withParam"], scope)):
            yield {f"item.{key}": value for key, value in each.items()} if isinstance(each, dict) else {"item": each}
    else:
        yield {}


def _value(variable: Mapping[str, Any], scope: Mapping[str, str], uid: str) -> str:
    """Of an environment variable: a text, the uid of the pod, or a key of a Secret, which is its own name here."""
    if "value" in variable:
        return _filled(variable["value"], scope)
    source = variable["valueFrom"]
    if "fieldRef" in source:
        assert source["fieldRef"]["fieldPath"] == "metadata.uid"
        return uid
    return str(source["secretKeyRef"]["key"])


def _filled(text: str, scope: Mapping[str, str]) -> str:
    return _TAG.sub(lambda tag: scope[tag[1]], text)
