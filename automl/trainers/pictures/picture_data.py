"""Pictures as data: Fashion-MNIST, which comes with the package, and folders of a user's own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset
from torchvision.datasets.folder import IMG_EXTENSIONS

from automl.errors import SpecError
from automl.trainers.loop.data_digest import digest_of_arrays, digest_of_files
from automl.trainers.pictures.picture_files import read_pixels
from automl.trainers.settings.fashion_mnist import PACKAGED_DATA
from automl.trainers.settings.pictures import Data

_VALIDATION, _TEST = ("val", "validation", "valid"), ("test", "held_out")


class PicturesInMemory(Dataset[tuple[Tensor, Tensor]]):
    """images: uint8 (n, channels, size, size). labels: (n,) or (n, tasks)."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]


class PictureFiles(Dataset[tuple[Tensor, Tensor]]):
    """Files that are read when they are asked for, as uint8 (3, size, size). labels: (n,) or (n, tasks)."""

    def __init__(self, files: Sequence[Path], labels: Tensor, size: int) -> None:
        self.files, self.labels, self._size = files, labels, (size, size)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(read_pixels(self.files[index], self._size)), self.labels[index]


@dataclass(frozen=True)
class LabelledPictures:
    """Three parts, which classes there are, and the channels of a picture. held_out is None where there is none."""

    train: Dataset[tuple[Tensor, Tensor]]
    validation: Dataset[tuple[Tensor, Tensor]]
    held_out: Dataset[tuple[Tensor, Tensor]] | None
    classes: tuple[str, ...]
    channels: int
    digest: str


def fashion_mnist(part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pictures (n, 28, 28) and labels (n,) of a packaged part: train, validation or held_out."""
    with np.load(PACKAGED_DATA, allow_pickle=False) as file:
        return file[f"{part}_images"], file[f"{part}_labels"]


def classified(settings: Data, size: int) -> LabelledPictures:
    """The pictures that the section `data` names, one class each. Raises SpecError."""
    return _packaged(settings.limit, size) if settings.path is None else _of_folder(Path(settings.path), settings, size)


def resized(images: Tensor, size: int) -> Tensor:
    """Grey pictures, bytes (n, height, width), as bytes (n, 1, size, size)."""
    pixels = images.unsqueeze(1)
    if pixels.shape[-2:] == (size, size):
        return pixels
    scaled = nn.functional.interpolate(pixels.float(), (size, size), mode="bilinear", antialias=True)
    return scaled.round().clamp(0, 255).to(torch.uint8)


FASHION = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def _packaged(limit: int | None, size: int) -> LabelledPictures:
    parts, digest = {}, ""
    for part in ("train", "validation", "held_out"):
        images, labels = fashion_mnist(part)
        if part == "train":
            images, labels = images[:limit], labels[:limit]
            digest = digest_of_arrays(images, labels)
        parts[part] = PicturesInMemory(resized(torch.from_numpy(images), size), torch.from_numpy(labels).long())
    return LabelledPictures(**parts, classes=FASHION, channels=1, digest=digest)


def _of_folder(folder: Path, settings: Data, size: int) -> LabelledPictures:
    if not folder.is_dir():
        raise SpecError(f"data.path is {str(folder)!r}, and there is no such folder")
    below = {path.name: path for path in folder.iterdir() if path.is_dir()}
    validation = next((below[name] for name in _VALIDATION if name in below), None)
    if "train" in below and validation is not None:
        test = next((below[name] for name in _TEST if name in below), None)
        files_of = {"train": _classes(below["train"]), "validation": _classes(validation)}
        if test is not None:
            files_of["held_out"] = _classes(test)
    else:
        files_of = _split(_classes(folder), settings.validation_share)
    classes = tuple(files_of["train"])
    for part, files in files_of.items():
        if unknown := sorted(files.keys() - set(classes)):
            raise SpecError(
                f"data.path: the {part} part has a class {unknown[0]!r}, which the training part does not have",
                allowed=", ".join(classes),
            )
    if len(classes) < 2:
        raise SpecError(f"data.path: {folder} has {len(classes)} class", allowed="a folder for each of at least two")
    limit = settings.limit
    files_of["train"] = _alike(files_of["train"], limit) if limit else files_of["train"]
    parts = {part: _part(files, classes, size) for part, files in files_of.items()}
    return LabelledPictures(
        train=parts["train"],
        validation=parts["validation"],
        held_out=parts.get("held_out"),
        classes=classes,
        channels=3,
        digest=digest_of_files(folder, parts["train"].files),
    )


def _classes(folder: Path) -> dict[str, list[Path]]:
    """The files of every class, both in the order of their names."""
    classes = {
        subfolder.name: sorted(path for path in subfolder.rglob("*") if path.suffix.lower() in IMG_EXTENSIONS)
        for subfolder in sorted(folder.iterdir())
        if subfolder.is_dir() and not subfolder.name.startswith(".")
    }
    if not classes:
        raise SpecError(f"data.path: {folder} has no folders", allowed="a folder of pictures for each class")
    for name, files in classes.items():
        if not files:
            raise SpecError(f"data.path: {folder / name} has no pictures", allowed=", ".join(IMG_EXTENSIONS))
    return classes


def _split(classes: dict[str, list[Path]], share: float) -> dict[str, dict[str, list[Path]]]:
    """Three parts of one folder, of every class alike, drawn by the names, so that a new picture moves no other."""
    parts: dict[str, dict[str, list[Path]]] = {"train": {}, "validation": {}, "held_out": {}}
    for name, files in classes.items():
        if len(files) < 3:
            raise SpecError(
                f"data.path: the class {name!r} has {len(files)} pictures", allowed="3 or more, to split them in parts"
            )
        drawn = sorted(files, key=lambda path: hashlib.sha256(path.name.encode()).digest())
        part = min(max(1, round(share * len(files))), (len(files) - 1) // 2)
        parts["validation"][name], parts["held_out"][name] = drawn[:part], drawn[part : 2 * part]
        parts["train"][name] = sorted(drawn[2 * part :])
    return parts


def _alike(classes: dict[str, list[Path]], limit: int) -> dict[str, list[Path]]:
    """The first files of all classes in turn, `limit` in total."""
    taken = sorted(((position, name) for name, files in classes.items() for position in range(len(files))))[:limit]
    return {name: [classes[name][position] for position, of in taken if of == name] for name in classes}


def _part(classes: dict[str, list[Path]], names: Sequence[str], size: int) -> PictureFiles:
    files = [(path, names.index(name)) for name, paths in classes.items() for path in paths]
    return PictureFiles([path for path, _ in files], torch.tensor([label for _, label in files]), size)
