"""Every network of ours that trains by Lightning is searched, with few pictures, and each search ends with its best."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trainers.lightning_programs import assert_a_search_ends_with_its_best
from tests.trainers.test_segmentation_and_detection import DETECTION, INSTANCES, SEMANTIC

_FEW = {"model": {"image_size": 16}, "data": {"limit": 200}, "train": {"batch_size": 32}}
_PLATES = {"model": {"channels": 8, "recurrent": 16}, "data": {"plates": 96}, "train": {"batch_size": 32}}


@pytest.mark.parametrize(
    ("network", "spec", "metric"),
    [
        ("image_classification", _FEW, "val_accuracy"),
        ("multitask_image_classification", _FEW, "val_mean_accuracy"),
        ("plate_recognition", _PLATES, "val_plate_accuracy"),
        ("semantic_segmentation", SEMANTIC, "val_iou"),
        ("object_detection", DETECTION, "val_map50"),
        ("instance_segmentation", INSTANCES, "val_map50"),
    ],
)
def test_a_search_ends_with_the_best_of_its_experiments(
    tmp_path: Path, network: str, spec: dict[str, dict[str, object]], metric: str
) -> None:
    train = {"batch_size": spec["train"]["batch_size"]}
    sections = {"train": train, "model": spec["model"], "data": spec["data"]}
    paths = {f"{section}.{key}": value for section, values in sections.items() for key, value in values.items()}
    assert_a_search_ends_with_its_best(tmp_path, network, paths, metric)
