"""The pictures that the package ships."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import zipfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from automl.trainers.settings.fashion_mnist import PACKAGED_DATA

SOURCE = Path("/usr/share/datasets/fashion-mnist")
SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "make_fashion_mnist.py"
PARTS = {"train": 450, "validation": 150, "held_out": 200}  # pictures of each class


@pytest.fixture(scope="module")
def arrays() -> dict[str, NDArray[np.uint8]]:
    with np.load(PACKAGED_DATA, allow_pickle=False) as file:
        return dict(file)


def test_every_part_has_as_many_pictures_of_each_class(arrays: dict[str, NDArray[np.uint8]]) -> None:
    assert arrays.keys() == {f"{part}_{what}" for part in PARTS for what in ("images", "labels")}
    for part, each in PARTS.items():
        images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
        assert images.dtype == np.uint8
        assert images.shape == (10 * each, 28, 28)
        assert np.bincount(labels).tolist() == [each] * 10


def test_the_arrays_are_the_ones_that_were_chosen(arrays: dict[str, NDArray[np.uint8]]) -> None:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(arrays[name].tobytes())
    assert digest.hexdigest() == "4bbc461a0218b796aeab497ab07a21a9ac13f4d757f97af3138cf7dc75ca7668"


def test_no_picture_stands_in_two_parts(arrays: dict[str, NDArray[np.uint8]]) -> None:
    seen = [{image.tobytes() for image in arrays[f"{part}_images"]} for part in PARTS]
    assert sum(len(part) for part in seen) == len(set().union(*seen)) == 8000


def test_any_prefix_of_the_training_part_has_all_classes(arrays: dict[str, NDArray[np.uint8]]) -> None:
    assert np.bincount(arrays["train_labels"][:160], minlength=10).min() >= 5  # data.limit takes a prefix


def test_the_time_stamps_are_fixed_and_the_licence_lies_beside() -> None:
    with zipfile.ZipFile(PACKAGED_DATA) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    licence = PACKAGED_DATA.with_suffix(".LICENSE").read_text()
    assert "Copyright: 2017, Zalando SE" in licence
    assert "The above copyright notice and this permission notice shall be included" in licence


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/make_fashion_mnist.py as a module."""
    spec = importlib.util.spec_from_file_location("make_fashion_mnist", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_same_arrays_give_the_same_bytes(script: ModuleType, arrays: dict[str, NDArray[np.uint8]]) -> None:
    few = {name: array[:50] for name, array in arrays.items()}
    first, second = script.npz(few), script.npz(few)
    assert first == second
    with np.load(io.BytesIO(first), allow_pickle=False) as file:
        assert all(np.array_equal(file[name], few[name]) for name in few)


@pytest.mark.skipif(not SOURCE.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_the_script_chooses_the_packaged_arrays(script: ModuleType, arrays: dict[str, NDArray[np.uint8]]) -> None:
    chosen = script.chosen(SOURCE)
    assert list(chosen) == list(arrays)
    assert all(np.array_equal(chosen[name], arrays[name]) for name in arrays)
