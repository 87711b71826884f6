"""The programs for semantic segmentation, detection and instance segmentation, really training tiny networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from automl.trainers import instance_segmentation, object_detection, semantic_segmentation
from automl.trainers.settings.train import from_spec
from automl.trainers.tasks.semantic_segmentation import LOSSES, SemanticSegmentation
from tests.trainers.lightning_programs import Main, Spec, assert_going_on_is_exact, failure, kpis, train

TRAIN = {"epochs": 1, "schedule_epochs": 3, "schedule": "cosine", "batch_size": 2, "threads": 1, "device": "cpu"}
SEMANTIC: Spec = {"train": TRAIN, "model": {"encoder": "tu-test_resnet", "width": 4}, "data": {"crops": 4, "crop": 32}}
NARROW = {"backbone": "test_resnet", "channels": 16, "head": 16, "proposals": 20}
DETECTION: Spec = {"train": TRAIN, "model": NARROW, "data": {"scenes": 4, "scene": 64, "classes": 2}}
INSTANCES: Spec = {"train": TRAIN, "model": NARROW, "data": {"crops": 4, "crop": 64}}


def of(name: str) -> Spec:
    return DETECTION | {"model": NARROW | {"name": name, "channels": 64}}


PROGRAMS = [
    pytest.param(semantic_segmentation.main, SEMANTIC, id="semantic"),
    pytest.param(instance_segmentation.main, INSTANCES, id="instance"),
    *(pytest.param(object_detection.main, of(name), id=name) for name in object_detection.NAMES),
]


@pytest.mark.parametrize(("main", "small"), PROGRAMS)
def test_going_on_is_as_if_never_stopped(tmp_path: Path, main: Main, small: Spec) -> None:
    assert_going_on_is_exact(main, tmp_path, small)
    with Image.open(tmp_path / "whole" / "checkpoint_epoch_003.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > picture.height


@pytest.mark.parametrize(("main", "small"), PROGRAMS[:3])
def test_the_held_out_part_is_judged_on_request(tmp_path: Path, main: Main, small: Spec) -> None:
    assert train(main, tmp_path, small, data={"held_out": True}) == 0
    assert {"held_out_iou", "held_out_map50"} & kpis(tmp_path)[1].keys()


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"model": {"encoder": "resnet17"}}, "did you mean 'resnet1"),
            ({"data": {"crop": 36}}, "a multiple of 8"),
            ({"data": {"classes": 2}}, "allowed: ce"),
            ({"data": {"path": "/nowhere"}}, "there is no folder /nowhere/images/train"),
        ],
    )
    def test_of_semantic_segmentation(self, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
        assert train(semantic_segmentation.main, tmp_path, SEMANTIC, **changes) == 2
        assert message in failure(tmp_path)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"model": {"name": "yolo"}}, "ssdlite or retinanet or fcos or faster_rcnn"),
            ({"model": {"name": "retinanet", "backbone": "resnet17"}}, "model.backbone is 'resnet17'"),
            (
                {"model": {"name": "retinanet", "backbone": "vit_tiny_patch16_224"}},
                "a feature pyramid cannot stand on it",
            ),
            ({"model": {"name": "fcos"}}, "allowed: 64, 96"),
            ({"data": {"classes": 11}}, "allowed: 1 to 10"),
            ({"data": {"path": "/nowhere"}}, "the annotations /nowhere/train/annotations.json cannot be read"),
        ],
    )
    def test_of_detection(self, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
        assert train(object_detection.main, tmp_path, DETECTION, **changes) == 2
        assert message in failure(tmp_path)


class TestLosses:
    def test_ce_is_torchs(self) -> None:
        torch.manual_seed(1)
        outputs, classes = torch.randn(2, 3, 5, 4), torch.randint(0, 3, (2, 5, 4))
        assert LOSSES["ce"](outputs, classes) == pytest.approx(float(nn.functional.cross_entropy(outputs, classes)))

    def test_dice_is_nothing_for_a_perfect_mask_and_one_for_a_wrong_one(self) -> None:
        classes = torch.zeros((1, 40, 40), dtype=torch.int64)
        classes[0, :, :20] = 1
        right = (classes[:, None] * 2 - 1) * 50.0
        for outputs, dice in ((right, 0.0), (-right, 1.0)):
            extra = LOSSES["bce+dice"](outputs, classes) - LOSSES["bce"](outputs, classes)
            assert float(extra) == pytest.approx(dice, abs=0.01)

    def test_iou_is_that_of_the_pixels(self) -> None:
        task = SemanticSegmentation(from_spec(semantic_segmentation.Settings, SEMANTIC))
        task.network = nn.Identity()
        truth = torch.tensor([[[1, 1, 1, 0], [0, 0, 0, 0]]])
        found = torch.tensor([[[[1.0, 1.0, -1.0, 1.0], [-1.0, -1.0, -1.0, -1.0]]]])
        task.judge((found.expand(1, 1, 2, 4), truth))
        assert task.metrics()["iou"] == pytest.approx(2 / 4)


def test_pictures_and_masks_of_ones_own_with_two_classes(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    for part in ("train", "val"):
        for kind in ("images", "masks"):
            (tmp_path / kind / part).mkdir(parents=True)
        for name in ("a", "b"):
            Image.fromarray(draw.integers(0, 255, (40, 50, 3), np.uint8)).save(
                tmp_path / "images" / part / f"{name}.jpg"
            )
            Image.fromarray(draw.integers(0, 3, (40, 50), np.uint8)).save(tmp_path / "masks" / part / f"{name}.png")
    own = {"data": {"path": str(tmp_path), "classes": 2}}
    assert train(semantic_segmentation.main, tmp_path / "r", SEMANTIC, train={"loss": "ce"}, **own) == 0
    assert 0 < kpis(tmp_path / "r")[1]["val_iou"] < 1
    own["data"]["classes"] = 1
    own["data"]["held_out"] = True
    assert train(semantic_segmentation.main, tmp_path / "s", SEMANTIC, **own) == 2
    assert "no held-out part" in failure(tmp_path / "s")
