"""What the tests on a cluster share: the images, built once for all workers of the tests."""

from __future__ import annotations

import fcntl
import os

import pytest

from tests.cluster.clusters import IMAGES, Images


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """The brain's image from this tree, and one that trains and holds nothing of ours."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    run = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent  # the workers share it
    with (run / "images.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run / "images.built").exists():
            IMAGES.build(tmp_path_factory.mktemp("small"))
            (run / "images.built").touch()
    return IMAGES
