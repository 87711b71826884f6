"""Makes the half-done studies beside this file with the code of today: `python -m tests.studies_of_before.make`.

Run it from the root of the repository, on Linux; see README.md.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from automl.stores import Store, open_store

from ..stores.s3_server import S3Server
from .argo import ROOT, Gone, Workflow, image

HERE = Path(__file__).parent
PACE = {"SECONDS_AN_EPOCH": "0.5"}  # slow enough to strike between a checkpoint and the result
CLI = (sys.executable, "-m", "automl.cli")


def main() -> None:
    """Makes all three."""
    walked("hyperband", 0, 1)
    walked("bayesian", 0, 3)
    shutil.rmtree(HERE / "bayesian" / "record" / ".work")  # as if its machine had burned
    in_pods("pods", 0, 1)


def walked(name: str, stage: int, index: int) -> None:
    """A study that 'automl run' has begun and did not end: its runner was held, trained past, and killed."""
    place = HERE / name / "record"
    shutil.rmtree(place, ignore_errors=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **PACE}
    with subprocess.Popen((*CLI, "run", "study.yaml"), cwd=place.parent, env=environment) as runner:
        while not is_half_done(open_store(str(place)), stage, index):
            assert runner.poll() is None, "it came to its end"
            time.sleep(0.02)
        runner.send_signal(signal.SIGSTOP)
        time.sleep(0.7)  # its training writes one more checkpoint, which is not stored
        runner.kill()
    for path in place.rglob(".work/attempts/*/spec.json"):
        path.unlink()  # it names folders of this machine, and nobody reads it again
    say(name, (path for path in place.rglob("*") if path.is_file()))


def in_pods(name: str, stage: int, index: int) -> None:
    """A study that a compiled workflow has begun and did not end: the pod that trained was killed."""
    compiled, record = HERE / name / "study.argo.yaml", HERE / name / "record"
    shutil.rmtree(record, ignore_errors=True)
    subprocess.run((*CLI, "compile", "study.yaml", "-o", compiled.name), cwd=compiled.parent, check=True)
    manifest: dict[str, Any] = yaml.safe_load(compiled.read_text())
    server = S3Server()
    os.environ |= {"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    store = open_store(f"s3://bucket/a/{name}")
    with tempfile.TemporaryDirectory() as folder:
        volume = Path(folder) / "volume"
        had = {**image(Path(folder) / "image", volume), **PACE}
        told = {"AWS_ENDPOINT_URL": server.url}
        try:
            Workflow(manifest, volume, had, told, lambda: is_half_done(store, stage, index)).run()
            raise AssertionError("it came to its end")
        except Gone:
            pass
    for key in store.list(""):
        store.fetch(key, record / key)
    server.stop()
    say(name, (path for path in record.rglob("*") if path.is_file()))


def is_half_done(store: Store, stage: int, index: int) -> bool:
    """Whether this decision stands, with a result of the run before the last, and of that one only a checkpoint."""
    if store.get(f"decisions/{stage}/{index}.json") is None:
        return False
    keys = set(store.list(""))
    manifests = [key for key in keys if f"/rung_{index}/" in key and key.endswith("/manifest.json")]
    trained = {key.split("/")[0].removeprefix("experiment_") for key in manifests}
    settled = {number for number in trained if f"results/{number}/{index}.json" in keys}
    return bool(settled) and trained != settled


def say(name: str, paths: Iterable[Path]) -> None:
    """How large it is, and that it knows no folder of this machine."""
    bodies = {path: path.read_bytes() for path in paths}
    print(f"{name}: {len(bodies)} files, {sum(map(len, bodies.values()))} bytes")
    for path, body in bodies.items():
        assert str(ROOT).encode() not in body, path
        assert tempfile.gettempdir().encode() + b"/" not in body, path


if __name__ == "__main__":
    main()
