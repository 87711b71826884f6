"""What tests of a real cluster share: a study of the small network for it, its images, and commands as users type them.

AUTOML_TEST_IMAGES names the command that builds an image and gives it to the cluster; KUBECONFIG and AWS_... lead to
the cluster and its S3 server. The namespace has what manifests/base puts there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..small_network import NETWORK, PROGRAM

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Images:
    """The tags of the two images: the brain's, and one that trains and holds nothing of ours."""

    brain: str
    small: str

    def build(self, folder: Path) -> Images:
        """Builds both, the brain's from this tree. Skips where no command gives images to a cluster."""
        build = os.environ.get("AUTOML_TEST_IMAGES")
        if not build:
            pytest.skip("AUTOML_TEST_IMAGES names no command that gives images to a cluster")
        (folder / "small.py").write_text(PROGRAM)
        (folder / "Dockerfile").write_text("ARG BASE=python:3.11-slim\nFROM ${BASE}\nCOPY small.py /small.py\n")
        command(build, "build", self.brain, str(ROOT), "-f", str(ROOT / "containers/brain/Dockerfile"))
        command(build, "build", self.small, str(folder), "-f", str(folder / "Dockerfile"))
        return self

    def study(self, folder: Path, text: str, run: str, name: str = "small", cluster: str = "") -> Path:
        """The study file, in `folder`, of a study of the small network; cluster: more of its `cluster` settings."""
        folder.mkdir(exist_ok=True)
        network = NETWORK.format(program="/small.py").replace("localhost/small:1", self.small)
        (folder / "small.yaml").write_text(network)
        endpoint = json.dumps(os.environ["AWS_ENDPOINT_URL"])
        path = folder / f"{name}.yaml"
        path.write_text(
            f"name: {name}\nnetwork: small.yaml\n{text}run: {{{run}, jobs: 6}}\n"
            f"cluster: {{brain_image: {self.brain}, endpoint: {endpoint}, cpu: 0.05, memory: 128Mi{cluster}}}\n"
        )
        return path


def command(*words: str) -> str:
    """What a command writes on standard output. Fails the test when the command fails."""
    done = attempt(*words)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
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
        timeout=600,
        env={**os.environ, **environment},
    )
