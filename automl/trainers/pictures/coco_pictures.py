"""A user's own pictures with objects: annotations in COCO's form beside a folder of pictures. Needs pycocotools."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools.coco import COCO
from torch import Tensor
from torch.utils.data import Dataset

from automl.errors import SpecError
from automl.trainers.loop.data_digest import digest_of_files
from automl.trainers.pictures.instances import Target
from automl.trainers.pictures.picture_files import read_picture
from automl.trainers.pictures.scenes import mirrored


class CocoPictures(Dataset[tuple[Tensor, Target]]):
    """The pictures of one part; crowds and boxes without an area are left out. masks: give the pixels of each object.

    classes: the names of all classes, whose places from 1 on are the labels.
    """

    def __init__(self, part: Path, classes: tuple[str, ...] | None, *, masks: bool, flips: bool) -> None:
        self._folder, self._masks, self._flips = part / "images", masks, flips
        self.file = part / "annotations.json"
        self._coco = _read(self.file)
        names = {category["id"]: str(category["name"]) for category in self._coco.cats.values()}
        self.classes = classes or tuple(names[number] for number in sorted(names))
        unknown = sorted(set(names.values()) - set(self.classes))
        if unknown:
            raise SpecError(f"{self.file} has a category {unknown[0]!r}", allowed=", ".join(self.classes))
        self._label = {number: self.classes.index(name) + 1 for number, name in names.items()}
        self._images = [self._coco.imgs[number] for number in sorted(self._coco.imgs)]
        if not self._images or not self.classes:
            raise SpecError(f"{self.file} has no images or no categories")
        missing = [image["file_name"] for image in self._images if not (self._folder / image["file_name"]).is_file()]
        if missing:
            raise SpecError(f"{len(missing)} pictures of {self.file} are not in {self._folder}, as {missing[0]}")

    def __len__(self) -> int:
        return len(self._images)

    def digest(self) -> str:
        """sha256 of what is learned from."""
        pictures = [self._folder / image["file_name"] for image in self._images]
        return digest_of_files(self.file.parent, pictures, truth=[self.file])

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        entry = self._images[index]
        image = torch.from_numpy(read_picture(self._folder / entry["file_name"]))
        objects = [
            annotation
            for annotation in self._coco.imgToAnns[entry["id"]]
            if not annotation.get("iscrowd")
            and min(annotation["bbox"][2:]) > 0
            and annotation["category_id"] in self._label
        ]
        corners = [
            [x, y, x + width, y + height] for x, y, width, height in (annotation["bbox"] for annotation in objects)
        ]
        target = {
            "boxes": torch.tensor(corners, dtype=torch.float32).reshape(-1, 4),
            "labels": torch.tensor(
                [self._label[annotation["category_id"]] for annotation in objects], dtype=torch.int64
            ),
        }
        if self._masks:
            target["masks"] = self._pixels(objects, entry["file_name"], image.shape[1], image.shape[2])
        return mirrored(image, target) if self._flips and bool(torch.rand(()) < 0.5) else (image, target)

    def _pixels(self, objects: list[dict[str, Any]], name: str, height: int, width: int) -> Tensor:
        masks = np.zeros((len(objects), height, width), np.uint8)
        for index, annotation in enumerate(objects):
            if not annotation.get("segmentation"):
                raise SpecError(f"{self.file}: an object of {name} has no segmentation")
            mask = self._coco.annToMask(annotation)
            if mask.shape != (height, width):
                raise SpecError(f"{self.file}: {name} has other width and height than the picture")
            masks[index] = mask
        return torch.from_numpy(masks)


@dataclass(frozen=True)
class CocoParts:
    """The parts of a folder. held_out is None where there is no folder `test`."""

    train: CocoPictures
    validation: CocoPictures
    held_out: CocoPictures | None
    digest: str


def parts(folder: Path, *, masks: bool, flips: bool) -> CocoParts:
    """The parts below train, val and test. Raises SpecError."""
    train = CocoPictures(folder / "train", None, masks=masks, flips=flips)
    validation = CocoPictures(folder / "val", train.classes, masks=masks, flips=False)
    held_out = None
    if (folder / "test").exists():
        held_out = CocoPictures(folder / "test", train.classes, masks=masks, flips=False)
    return CocoParts(train, validation, held_out, train.digest())


def _read(path: Path) -> Any:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it tells how long it took
            return COCO(path)
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise SpecError(
            f"the annotations {path} cannot be read ({type(error).__name__}: {error})",
            allowed="a file in COCO's form, with images, annotations and categories",
        ) from error
