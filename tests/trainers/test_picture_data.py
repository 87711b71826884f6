"""The pictures that our trainers of segmentation and detection train on."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from automl.errors import SpecError
from automl.trainers.pictures import coco_pictures
from automl.trainers.pictures.crops import Crops, Wholes
from automl.trainers.pictures.instances import SMALLEST, target_of
from automl.trainers.pictures.nuclei import FILES, nuclei
from automl.trainers.pictures.picture_files import PACKAGED, pairs, read_mask, read_picture, read_pixels
from automl.trainers.pictures.scenes import Scenes, mirrored
from automl.trainers.pictures.strips import FALSE, MISSED, RIGHT, compared

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "make_nuclei.py"


class TestNuclei:
    def test_the_parts_are_the_whole_picture_and_hold_so_many_nuclei(self) -> None:
        found = {part: nuclei(part) for part in ("train", "validation", "held_out")}
        assert {part: len(np.unique(numbers)) - 1 for part, (_, numbers) in found.items()} == {
            "train": 102,
            "validation": 18,
            "held_out": 14,
        }
        assert sum(numbers.size for _, numbers in found.values()) == 512 * 512
        assert all(image.shape == (3, *numbers.shape) for image, numbers in found.values())
        assert len(np.unique(read_mask(FILES[1]))) == 126
        bright = found["train"][0][0]
        assert bright[found["train"][1] > 0].mean() > 2 * bright[found["train"][1] == 0].mean()  # they fit each other

    def test_its_licence_lies_beside(self) -> None:
        licence = (PACKAGED / "nuclei.LICENSE").read_text()
        assert "Copyright (c) 2018-2025, Uwe Schmidt, Martin Weigert" in licence
        assert "Redistributions in binary form must reproduce the above copyright notice" in licence

    def test_the_script_writes_what_a_wheel_holds(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import zipfile

        spec = importlib.util.spec_from_file_location("make_nuclei", SCRIPT)
        assert spec is not None
        assert spec.loader is not None
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
            for name, inside in script.FILES.items():
                with Image.open(PACKAGED / name) as picture:
                    Image.fromarray(np.asarray(picture).astype(np.uint16)).save(tmp_path / "a.tif")
                wheel.write(tmp_path / "a.tif", inside)
        command = ["make_nuclei.py", "--wheel", str(tmp_path / "a.whl")]
        monkeypatch.setattr("sys.argv", [*command, "--check"])
        assert script.main() == 0
        monkeypatch.setattr("sys.argv", [*command, "--target", str(tmp_path)])
        assert script.main() == 0
        assert all(np.array_equal(read_mask(tmp_path / name), read_mask(PACKAGED / name)) for name in script.FILES)


def numbered() -> tuple[np.ndarray, np.ndarray]:
    """A picture whose first channel is its mask."""
    numbers = np.arange(40 * 50).reshape(40, 50)
    return np.repeat(numbers[None].astype(np.float32), 3, axis=0), numbers.astype(np.int64)


class TestCrops:
    @pytest.mark.parametrize("changes", ["none", "flips", "flips-and-turns"])
    def test_picture_and_mask_are_cut_and_changed_alike(self, changes: str) -> None:
        torch.manual_seed(3)
        for image, numbers in map(Crops([numbered], count=20, size=16, changes=changes).__getitem__, range(20)):
            assert image.shape == (3, 16, 16)
            order = image[0].flatten().argsort()
            assert torch.equal(numbers.flatten()[order], numbers.flatten().sort().values)

    def test_the_global_seed_alone_decides(self) -> None:
        crops = Crops([numbered], count=4, size=16, changes="flips-and-turns")
        torch.manual_seed(5)
        first = [crops[place][1] for place in range(4)]
        torch.manual_seed(5)
        assert all(torch.equal(one, crops[place][1]) for place, one in enumerate(first))
        assert not torch.equal(first[0], crops[0][1])

    def test_what_is_too_small_is_filled_up_with_background(self) -> None:
        image, numbers = Crops([numbered], count=1, size=48, changes="none")[0]
        assert image.shape == (3, 48, 48)
        assert int(numbers[40:].sum()) == 0
        whole, kept = Wholes([numbered], multiple=32)[0]
        assert (whole.shape, kept.shape) == ((3, 64, 64), (40, 50))


class TestTargets:
    def test_boxes_are_around_masks_and_scraps_are_left_out(self) -> None:
        numbers = torch.zeros((20, 30), dtype=torch.int64)
        numbers[2:8, 3:9] = 7
        numbers[10:12, 10 : 10 + SMALLEST // 2 - 1] = 9
        target = target_of(numbers)
        assert target["boxes"].tolist() == [[3, 2, 9, 8]]
        assert target["labels"].tolist() == [1]
        assert int(target["masks"].sum()) == 36
        empty = target_of(torch.zeros((4, 5), dtype=torch.int64))
        assert (empty["boxes"].shape, empty["masks"].shape) == ((0, 4), (0, 4, 5))

    def test_a_strip_tells_right_false_and_missed(self) -> None:
        truth, found = np.array([[1, 1, 0, 0]]), np.array([[1, 0, 1, 0]])
        there, seen = compared(truth, found)
        assert [tuple(pixel) for pixel in there[0].tolist()] == [RIGHT, RIGHT, (0, 0, 0), (0, 0, 0)]
        assert [tuple(pixel) for pixel in seen[0].tolist()] == [RIGHT, MISSED, FALSE, (0, 0, 0)]


class TestScenes:
    def test_they_are_the_same_again_and_others_in_another_part(self) -> None:
        digests = {part: Scenes(part, count=3, size=96, classes=4).digest() for part in ("train", "validation")}
        assert digests["train"] == Scenes("train", count=3, size=96, classes=4).digest()
        assert digests["train"] != digests["validation"]

    def test_boxes_lie_in_the_picture_around_something_bright(self) -> None:
        scenes = Scenes("train", count=30, size=96, classes=10)
        labels = set()
        for image, target in map(scenes.__getitem__, range(30)):
            assert image.shape == (3, 96, 96)
            assert 0 <= float(image.min()) <= float(image.max()) <= 1
            assert 1 <= len(target["boxes"]) <= 4
            labels |= set(target["labels"].tolist())
            for left, top, right, bottom in target["boxes"].int().tolist():
                assert 0 <= left < right <= 96
                assert 0 <= top < bottom <= 96
                assert float(image[0, top:bottom, left:right].mean()) > 0.25
        assert labels == set(range(1, 11))

    def test_a_mirrored_box_is_around_the_same_thing(self) -> None:
        image, target = Scenes("train", count=1, size=96, classes=4)[0]
        other, changed = mirrored(image, target)
        for before, after in zip(target["boxes"].int().tolist(), changed["boxes"].int().tolist(), strict=True):
            inside = image[:, before[1] : before[3], before[0] : before[2]]
            assert torch.equal(other[:, after[1] : after[3], after[0] : after[2]], inside.flip(-1))


def write_coco(part: Path, *, segmentation: bool = True, **changes: object) -> None:
    """One picture of 30 x 20 with a box of 10 x 5 at (4, 6), a crowd, and a box without an area."""
    (part / "images").mkdir(parents=True)
    Image.new("RGB", (30, 20), (0, 128, 255)).save(part / "images" / "a.png")
    box = {"image_id": 3, "category_id": 18, "iscrowd": 0, "area": 50, "bbox": [4, 6, 10, 5]}
    if segmentation:
        box["segmentation"] = [[4, 6, 14, 6, 14, 11, 4, 11]]
    content = {
        "images": [{"id": 3, "file_name": "a.png", "width": 30, "height": 20}],
        "categories": [{"id": 18, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": [
            box | {"id": 1},
            box | {"id": 2, "iscrowd": 1, "segmentation": {"size": [20, 30], "counts": [600]}},
            box | {"id": 3, "bbox": [1, 1, 0, 4]},
        ],
    }
    (part / "annotations.json").write_text(json.dumps(content | changes))


class TestCoco:
    def test_boxes_classes_and_masks_are_read(self, tmp_path: Path) -> None:
        write_coco(tmp_path / "train")
        write_coco(tmp_path / "val")
        parts = coco_pictures.parts(tmp_path, masks=True, flips=False)
        image, target = parts.train[0]
        assert parts.train.classes == ("cat", "dog")
        assert image.shape == (3, 20, 30)
        assert image[:, 0, 0].tolist() == pytest.approx([0, 128 / 255, 1])
        assert target["boxes"].tolist() == [[4, 6, 14, 11]]
        assert target["labels"].tolist() == [2]
        assert int(target["masks"][0].sum()) == int(target["masks"][0, 6:11, 4:14].sum()) == 50
        assert parts.held_out is None

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"annotations": 3}, "cannot be read"),
            ({"images": []}, "has no images"),
            ({"images": [{"id": 3, "file_name": "b.png"}]}, "1 pictures of .* are not in"),
        ],
    )
    def test_what_is_no_such_file_is_refused(self, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
        write_coco(tmp_path / "train", **changes)
        with pytest.raises(SpecError, match=message):
            coco_pictures.parts(tmp_path, masks=False, flips=False)

    def test_a_category_of_validation_alone_and_a_missing_mask_are_refused(self, tmp_path: Path) -> None:
        write_coco(tmp_path / "train", segmentation=False)
        write_coco(tmp_path / "val", categories=[{"id": 18, "name": "cow"}])
        with pytest.raises(SpecError, match=r"'cow'.*allowed: cat, dog"):
            coco_pictures.parts(tmp_path, masks=False, flips=False)
        with pytest.raises(SpecError, match=r"a\.png has no segmentation"):
            coco_pictures.CocoPictures(tmp_path / "train", None, masks=True, flips=False)[0]


class TestFiles:
    def test_sixteen_bits_are_read_and_colours_are_no_mask(self, tmp_path: Path) -> None:
        Image.fromarray(np.full((4, 5), 65535, np.uint16)).save(tmp_path / "deep.png")
        assert read_picture(tmp_path / "deep.png").shape == (3, 4, 5)
        assert float(read_picture(tmp_path / "deep.png").max()) == 1
        assert int(read_mask(tmp_path / "deep.png").max()) == 65535
        Image.new("RGB", (4, 4)).save(tmp_path / "colours.png")
        with pytest.raises(SpecError, match="has colours"):
            read_mask(tmp_path / "colours.png")
        (tmp_path / "torn.png").write_bytes((tmp_path / "deep.png").read_bytes()[:-20])
        with pytest.raises(SpecError, match="cannot be read"):
            read_picture(tmp_path / "torn.png")

    def test_sixteen_bits_become_eight_for_a_classifier_and_none_is_cut_off(self, tmp_path: Path) -> None:
        ramp = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
        for name in ("deep.png", "deep.tif"):
            Image.fromarray(ramp).save(tmp_path / name)
            grey = read_pixels(tmp_path / name, (16, 16), "L")
            assert np.array_equal(grey, (ramp // 257).astype(np.uint8)[None])
            assert np.array_equal(read_pixels(tmp_path / name, (16, 16)), np.repeat(grey, 3, axis=0))

    def test_a_picture_without_a_mask_is_named(self, tmp_path: Path) -> None:
        for name in ("images/a.png", "images/b.png", "masks/a.png"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            Image.new("L", (4, 4)).save(tmp_path / name)
        with pytest.raises(SpecError, match=r"1 of the 2 pictures .*, as b\.png"):
            pairs(tmp_path / "images", tmp_path / "masks")
        with pytest.raises(SpecError, match="there is no folder"):
            pairs(tmp_path / "images", tmp_path / "nothing")
