"""Scenes to detect articles in: real pictures of Fashion-MNIST, of several sizes, on a background that is drawn.

Scene n of a part is always the same. The articles of the training, validation and held-out scenes come from the parts
of the same names of the packaged pictures, so that no article stands in two of them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from automl.trainers.loop.data_digest import digest_of_arrays
from automl.trainers.pictures.instances import Target
from automl.trainers.settings.fashion_mnist import PACKAGED_DATA

CLASSES = ("trouser", "bag", "sneaker", "T-shirt", "dress", "ankle boot", "pullover", "sandal", "coat", "shirt")
_LABELS = (1, 8, 7, 0, 3, 9, 2, 5, 4, 6)  # Fashion-MNIST's own numbers of the classes
_FIRST = {"train": 0, "validation": 1, "held_out": 2}
_MOST = 4  # articles in a scene
_SCALES = (0.8, 1.5)
_TRIES = 20
_OVERLAP = 0.1  # of the smaller box


class Scenes(Dataset[tuple[Tensor, Target]]):
    """`count` scenes of `size` pixels with the first `classes` of CLASSES; `flips`: mirrored by chance.

    Gives the picture (3, size, size), float32 from 0 to 1, and the boxes and labels of its 1 to 4 articles.
    """

    def __init__(self, part: str, *, count: int, size: int, classes: int, flips: bool = False) -> None:
        articles = _articles(part, classes)
        self._scenes = [_scene(articles, size, np.random.default_rng((_FIRST[part], n))) for n in range(count)]
        self._flips = flips

    def __len__(self) -> int:
        return len(self._scenes)

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        pixels, boxes, labels = self._scenes[index]
        image = torch.from_numpy(pixels).float() / 255
        target = {"boxes": torch.from_numpy(boxes), "labels": torch.from_numpy(labels)}
        image = image.expand(3, -1, -1)
        return mirrored(image, target) if self._flips and bool(torch.rand(()) < 0.5) else (image, target)

    def digest(self) -> str:
        """sha256 of all scenes."""
        return digest_of_arrays(*(array for arrays in self._scenes for array in arrays))


def mirrored(image: Tensor, target: Target) -> tuple[Tensor, Target]:
    """A picture and its target, left and right exchanged."""
    boxes = target["boxes"].clone()
    boxes[:, [0, 2]] = image.shape[-1] - boxes[:, [2, 0]]
    changed = {**target, "boxes": boxes}
    if "masks" in target:
        changed["masks"] = target["masks"].flip(-1)
    return image.flip(-1), changed


@cache
def _articles(part: str, classes: int) -> list[NDArray[np.uint8]]:
    """The pictures (n, 28, 28) of each class."""
    with np.load(PACKAGED_DATA, allow_pickle=False) as file:
        images, labels = file[f"{part}_images"], file[f"{part}_labels"]
    return [images[labels == label] for label in _LABELS[:classes]]


_Scene = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int64]]


def _scene(articles: list[NDArray[np.uint8]], size: int, draw: np.random.Generator) -> _Scene:
    """The pixels (1, size, size), the boxes (n, 4) and the labels (n,) of one scene."""
    canvas = _background(size, draw)
    boxes: list[tuple[int, int, int, int]] = []
    labels: list[int] = []
    for _ in range(int(draw.integers(1, _MOST + 1))):
        kind = int(draw.integers(len(articles)))
        article = _scaled(articles[kind][int(draw.integers(len(articles[kind])))], float(draw.uniform(*_SCALES)))
        height, width = article.shape
        for _ in range(_TRIES):
            top, left = int(draw.integers(size - height + 1)), int(draw.integers(size - width + 1))
            box = (left, top, left + width, top + height)
            if all(_overlap(box, other) < _OVERLAP for other in boxes):
                patch = canvas[top : top + height, left : left + width]
                share = np.minimum(1.0, 2 * article)  # an article's edge lets the background through
                patch[:] = patch * (1 - share) + (0.35 + 0.65 * article) * share
                boxes.append(box)
                labels.append(kind + 1)
                break
    canvas = canvas + draw.normal(0, 0.03, canvas.shape)
    pixels = (np.clip(canvas, 0, 1) * 255).astype(np.uint8)[None]
    return pixels, np.array(boxes, np.float32), np.array(labels, np.int64)


def _background(size: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """Soft clouds, and a few bright and dark bars which are no articles."""
    coarse = torch.from_numpy(draw.uniform(0.1, 0.55, (1, 1, 4, 4)))
    canvas: NDArray[np.float64] = (
        functional.interpolate(coarse, size=(size, size), mode="bilinear", align_corners=True)[0, 0].numpy().copy()
    )
    for _ in range(int(draw.integers(2, 6))):
        height, width = (int(draw.integers(2, size // 2)), int(draw.integers(2, 5)))
        if draw.random() < 0.5:
            height, width = width, height
        top, left = int(draw.integers(size - height)), int(draw.integers(size - width))
        canvas[top : top + height, left : left + width] = draw.uniform(0, 0.8)
    return canvas


def _scaled(article: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
    """The article from 0 to 1, without the black around it."""
    rows, columns = np.flatnonzero(article.max(1) > 16), np.flatnonzero(article.max(0) > 16)
    tight = article[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255
    height, width = (max(4, round(side * scale)) for side in tight.shape)
    alpha = torch.from_numpy(tight)[None, None]
    scaled = functional.interpolate(alpha, size=(height, width), mode="bilinear", align_corners=False)
    return np.asarray(scaled[0, 0].numpy(), np.float32)


def _overlap(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> float:
    """The area that two boxes share, of that of the smaller."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return max(0, width) * max(0, height) / min(areas)
