"""The programs on folders of a user's own, from weights of his own, and what they say when weights cannot be had."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from automl.trainers import (
    classification,
    instance_segmentation,
    multitask_classification,
    object_detection,
    plate_recognition,
    semantic_segmentation,
)
from tests.trainers.lightning_programs import Main, Spec, checkpoint, failure, kpis, train
from tests.trainers.test_classification import SMALL
from tests.trainers.test_multitask_and_plates import MULTITASK, PLATES
from tests.trainers.test_segmentation_and_detection import DETECTION, INSTANCES, SEMANTIC


def picture(path: Path, number: int) -> str:
    """A small picture of noise, in colours; its name below the folder of all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(number).integers(0, 255, (24, 32, 3), np.uint8)).save(path)
    return path.name


def folders(root: Path, *parts: str, classes: Sequence[str] = ("cat", "dog")) -> Path:
    for part in parts or ("",):
        for name in classes:
            for number in range(8):
                picture(root / part / name / f"{number}.png", number)
    return root


def table(root: Path, columns: str, rows: Sequence[str]) -> Path:
    for number in range(len(rows)):
        picture(root / f"{number}.png", number)
    lines = [f"file,{columns}", *(f"{number}.png,{row}" for number, row in enumerate(rows))]
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def coco(root: Path) -> Path:
    for part in ("train", "val", "test"):
        names = [picture(root / part / "images" / f"{number}.png", number) for number in range(4)]
        images = [{"id": at, "file_name": name, "width": 32, "height": 24} for at, name in enumerate(names)]
        annotations: list[dict[str, Any]] = [
            {
                "id": at + 1,
                "image_id": at,
                "category_id": 1 + at % 2,
                "bbox": [4, 3, 12, 10],
                "area": 120,
                "iscrowd": 0,
                "segmentation": [[4, 3, 16, 3, 16, 13, 4, 13]],
            }
            for at in range(len(names))
        ]
        kinds = [{"id": 1, "name": "car"}, {"id": 2, "name": "van"}]
        text = json.dumps({"images": images, "annotations": annotations, "categories": kinds})
        (root / part / "annotations.json").write_text(text)
    return root


_FEW = {"batch_size": 2}


@pytest.mark.parametrize("parts", [(), ("train", "val", "test")], ids=["one folder", "parts"])
def test_a_folder_for_each_class(tmp_path: Path, parts: tuple[str, ...]) -> None:
    data = {"path": str(folders(tmp_path / "data", *parts)), "limit": 8, "held_out": True}
    assert train(classification.main, tmp_path / "r", SMALL, train=_FEW, data=data) == 0
    assert {"val_accuracy", "held_out_accuracy"} <= kpis(tmp_path / "r")[1].keys()


def test_a_class_that_is_not_trained_on_is_refused(tmp_path: Path) -> None:
    folders(tmp_path / "data", "train", "val")
    folders(tmp_path / "data", "val", classes=["cow"])
    assert train(classification.main, tmp_path / "r", SMALL, data={"path": str(tmp_path / "data")}) == 2
    assert "the validation part has a class 'cow'" in failure(tmp_path / "r")


def test_a_table_of_several_labels(tmp_path: Path) -> None:
    rows = [
        f"{colour},{kind},{part}" for part in ("train", "val", "test") for colour in "rg" for kind in ("car", "van")
    ]
    data = {"path": str(table(tmp_path / "data", "colour,kind,part", rows)), "limit": None, "held_out": True}
    assert train(multitask_classification.main, tmp_path / "r", MULTITASK, train=_FEW, data=data) == 0
    assert {"val_accuracy_colour", "val_accuracy_kind", "held_out_mean_accuracy"} <= kpis(tmp_path / "r")[1].keys()


def test_a_table_of_plates_without_parts(tmp_path: Path) -> None:
    data = {"path": str(table(tmp_path / "data", "text", ["AB1", "BA2", "A12"] * 6))}
    assert train(plate_recognition.main, tmp_path / "r", PLATES, train=_FEW, data=data) == 0
    assert "val_plate_accuracy" in kpis(tmp_path / "r")[1]


@pytest.mark.parametrize(
    ("main", "small"), [(object_detection.main, DETECTION), (instance_segmentation.main, INSTANCES)]
)
def test_annotations_in_cocos_form(tmp_path: Path, main: Main, small: Spec) -> None:
    data = {"path": str(coco(tmp_path / "data")), "held_out": True}
    assert train(main, tmp_path / "r", small, model={"size": 64}, data=data) == 0
    assert {"val_map50", "held_out_map50"} <= kpis(tmp_path / "r")[1].keys()


@pytest.mark.parametrize("changed", ["labels", "a picture"])
def test_going_on_with_other_data_is_refused(tmp_path: Path, changed: str) -> None:
    root = table(tmp_path / "data", "text,part", ["AB1,train", "BA2,train", "A12,train", "B21,val"])
    spec = {"path": str(root)}
    assert train(plate_recognition.main, tmp_path / "r", PLATES, train=_FEW, data=spec) == 0
    moved = {"path": str(root.rename(tmp_path / "moved"))}
    assert train(plate_recognition.main, tmp_path / "r", PLATES, train=_FEW, data=moved) == 0
    if changed == "labels":
        (tmp_path / "moved" / "labels.csv").write_text(
            (tmp_path / "moved" / "labels.csv").read_text().replace("AB1", "BB1")
        )
    else:
        Image.new("RGB", (32, 24)).save(tmp_path / "moved" / "0.png")
    assert train(plate_recognition.main, tmp_path / "r", PLATES, train=_FEW | {"epochs": 2}, data=moved) == 2
    assert "the data's sha256 was" in failure(tmp_path / "r")


class TestWeights:
    """`model.weights`: a file that the user has."""

    STILL: Spec = SMALL | {"train": SMALL["train"] | {"optimizer": "sgd", "lr": 1e-12, "weight_decay": 0.0}}

    def test_it_is_what_the_training_begins_with(self, tmp_path: Path) -> None:
        assert train(classification.main, tmp_path / "first", SMALL) == 0
        given = checkpoint(tmp_path / "first", 1)["network"]
        torch.save(given, tmp_path / "mine.pt")
        model = {"weights": str(tmp_path / "mine.pt")}
        assert train(classification.main, tmp_path / "then", self.STILL, train={"seed": 5}, model=model) == 0
        found = checkpoint(tmp_path / "then", 1)["network"]
        assert all(torch.allclose(given[name], found[name]) for name in given if name.endswith("weight"))
        assert train(classification.main, tmp_path / "else", self.STILL, train={"seed": 5}) == 0
        assert not torch.allclose(given["fc.weight"], checkpoint(tmp_path / "else", 1)["network"]["fc.weight"])

    def test_what_is_no_such_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "text.pt").write_text("no weights")
        torch.save({"other": torch.zeros(3)}, tmp_path / "other.pt")
        torch.save({"code": Path()}, tmp_path / "code.pt")  # an object, which takes pickle to run code
        for name, message in {
            "none.pt": "there is no such file",
            "text.pt": "cannot be read",
            "other.pt": "0 of",
            "code.pt": "cannot be read",
        }.items():
            assert train(classification.main, tmp_path, SMALL, model={"weights": str(tmp_path / name)}) == 2, name
            assert message in failure(tmp_path)


@pytest.mark.parametrize(
    ("main", "small", "model"),
    [
        (classification.main, SMALL, {"pretrained": True}),
        (semantic_segmentation.main, SEMANTIC, {"pretrained": "imagenet"}),
    ],
)
def test_weights_that_cannot_be_downloaded_are_a_wrong_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, main: Main, small: Spec, model: dict[str, Any]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # as the variable of the same name does
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    assert train(main, tmp_path, small, model=model) == 2
    assert "cannot be had" in failure(tmp_path)
    assert "set it to" in failure(tmp_path)
