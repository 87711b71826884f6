"""The target of a picture for torchvision's detectors: the box, class and mask of every object."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.ops import masks_to_boxes

from automl.trainers.pictures.crops import Crops, Wholes

Target = dict[str, Tensor]
"""boxes: float32 (n, 4), left, top, right, bottom in pixels, right and bottom exclusive. labels: int64 (n,), from 1 on.

masks, for instance segmentation: uint8 (n, h, w).
"""

SMALLEST = 12  # pixels that must be left of a nucleus which a crop's border has cut


def target_of(numbers: Tensor) -> Target:
    """The objects of one class in a picture that has their numbers at its pixels (h, w), 0 where there is none."""
    present, areas = torch.unique(numbers, return_counts=True)
    kept = present[(present != 0) & (areas >= SMALLEST)]
    masks = numbers[None] == kept[:, None, None]
    return {
        "boxes": boxes_of(masks),
        "labels": torch.ones(len(kept), dtype=torch.int64),
        "masks": masks.to(torch.uint8),
    }


def boxes_of(masks: Tensor) -> Tensor:
    """The boxes (n, 4) around masks (n, h, w), each of which has a pixel."""
    if len(masks) == 0:
        return torch.zeros((0, 4))
    boxes: Tensor = masks_to_boxes(masks).to(torch.float32)
    boxes[:, 2:] += 1  # torchvision names the last pixel; a box ends after it
    return boxes


def empty(height: int, width: int) -> Target:
    """The target of a picture that shows nothing."""
    return {
        "boxes": torch.zeros((0, 4)),
        "labels": torch.zeros(0, dtype=torch.int64),
        "masks": torch.zeros((0, height, width), dtype=torch.uint8),
    }


class Instances(Dataset[tuple[Tensor, Target]]):
    """Pictures of numbered objects, as pictures with targets."""

    def __init__(self, pictures: Crops | Wholes) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        image, numbers = self._pictures[index]
        return image, target_of(numbers)


def collate(examples: list[tuple[Tensor, Target]]) -> tuple[list[Tensor], list[Target]]:
    """Pictures of any sizes: lists, as torchvision's detectors take them."""
    return [image for image, _ in examples], [target for _, target in examples]


def on_cpu(predictions: list[dict[str, Any]]) -> list[Target]:
    """Predictions or targets where pycocotools can read them."""
    return [
        {name: cast(Tensor, value).detach().cpu() for name, value in prediction.items()} for prediction in predictions
    ]
