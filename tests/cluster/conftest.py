"""What the tests on a cluster share: the images, built once by every worker of the tests."""

from __future__ import annotations

import pytest

from tests.cluster.clusters import IMAGES, Images


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """The brain's image from this tree, and one that trains and holds nothing of ours."""
    return IMAGES.build(tmp_path_factory.mktemp("small"))
