"""What the tests on a cluster share: the images, built once."""

from __future__ import annotations

import fcntl

import pytest

from .clusters import IMAGES, Images


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """The brain's image from this tree, and one that trains and holds nothing of ours; by one of the test workers."""
    shared = tmp_path_factory.getbasetemp()
    if tmp_path_factory.getbasetemp().name.startswith("popen-"):  # a worker's own folder
        shared = shared.parent
    with (shared / "images").open("a+") as built:
        fcntl.flock(built, fcntl.LOCK_EX)
        built.seek(0)
        if not built.read():
            IMAGES.build(tmp_path_factory.mktemp("small"))
            built.write("built\n")
    return IMAGES
