"""What the tests on a cluster share: the images."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from ..small_network import PROGRAM
from .test_argo import BRAIN, ROOT, SMALL, command


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """The brain's image from this tree, and one that trains and holds nothing of ours."""
    build = os.environ.get("AUTOML_TEST_IMAGES")
    if not build:
        pytest.skip("AUTOML_TEST_IMAGES names no command that gives images to a cluster")
    context = tmp_path_factory.mktemp("small")
    (context / "small.py").write_text(PROGRAM)
    (context / "Dockerfile").write_text("ARG BASE=python:3.11-slim\nFROM ${BASE}\nCOPY small.py /small.py\n")
    command(build, "build", BRAIN, str(ROOT), "-f", str(ROOT / "containers/brain/Dockerfile"))
    command(build, "build", SMALL, str(context), "-f", str(context / "Dockerfile"))
    return BRAIN, SMALL
