"""Pictures with a number at each pixel: crops of them to train on, drawn anew whenever one is asked for, and wholes.

What is drawn comes from torch's global generator, which the loop seeds for every epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from automl.errors import SpecError
from automl.trainers.settings.crops import CHANGES

Image = NDArray[np.float32]
Labels = NDArray[np.int64]
Source = Callable[[], tuple[Image, Labels]]
"""Gives a picture (3, h, w) and the number at each of its pixels (h, w)."""


class Crops(Dataset[tuple[Tensor, Tensor]]):
    """`count` square crops of `size` pixels an epoch, from each source in turn.

    What is smaller than a crop is filled up with black and number 0. Gives the picture (3, size, size), standardised,
    and the numbers (size, size), int64.
    """

    def __init__(self, sources: Sequence[Source], *, count: int, size: int, changes: str) -> None:
        assert changes in CHANGES
        self._sources, self._count, self._size, self._changes = sources, count, size, changes

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not 0 <= index < self._count:
            raise IndexError(index)
        draw = np.random.default_rng(int(torch.randint(2**62, ())))
        image, labels = self._sources[index % len(self._sources)]()
        image, labels = padded(standardised(image), labels, at_least=self._size)
        height, width = labels.shape
        top = int(draw.integers(height - self._size + 1))
        left = int(draw.integers(width - self._size + 1))
        image = image[:, top : top + self._size, left : left + self._size]
        labels = labels[top : top + self._size, left : left + self._size]
        image, labels = _changed(image, labels, draw, self._changes)
        return torch.from_numpy(image.copy()), torch.from_numpy(labels.copy())


class Wholes(Dataset[tuple[Tensor, Tensor]]):
    """Each source as it is, standardised, filled up on the right and below to a multiple of `multiple` pixels.

    The numbers are not filled up: they say how much of a prediction counts.
    """

    def __init__(self, sources: Sequence[Source], *, multiple: int = 1) -> None:
        self._sources, self._multiple = sources, multiple

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, labels = self._sources[index]()
        filled, _ = padded(standardised(image), labels, multiple=self._multiple)
        return torch.from_numpy(filled), torch.from_numpy(labels)


def checked(image: Image, labels: Labels, name: str) -> tuple[Image, Labels]:
    """Both, when they are of one size. Raises SpecError."""
    if image.shape[1:] != labels.shape:
        raise SpecError(
            f"{name}: the picture has {image.shape[2]} x {image.shape[1]} pixels and its mask"
            f" {labels.shape[1]} x {labels.shape[0]}",
            allowed="a mask of the size of its picture",
        )
    return image, labels


def standardised(image: Image) -> Image:
    """Mean 0 and deviation 1, so that how brightly a picture was taken makes no difference."""
    return np.asarray((image - image.mean()) / max(float(image.std()), 1e-6), np.float32)


def padded(image: Image, labels: Labels, *, at_least: int = 1, multiple: int = 1) -> tuple[Image, Labels]:
    """Filled up on the right and below with the picture's least value and number 0."""
    height, width = labels.shape
    down = -height % multiple if height >= at_least else at_least - height
    right = -width % multiple if width >= at_least else at_least - width
    if not down and not right:
        return image, labels
    filled = np.pad(image, ((0, 0), (0, down), (0, right)), constant_values=float(image.min()))
    return filled, np.pad(labels, ((0, down), (0, right)))


def _changed(image: Image, labels: Labels, draw: np.random.Generator, changes: str) -> tuple[Image, Labels]:
    """Mirrored, and turned by quarters, by chance."""
    if changes == "none":
        return image, labels
    if draw.random() < 0.5:
        image, labels = image[:, :, ::-1], labels[:, ::-1]
    if changes == "flips-and-turns":
        quarters = int(draw.integers(4))
        image, labels = np.rot90(image, quarters, axes=(1, 2)), np.rot90(labels, quarters)
    return image, labels
