"""Batches of pictures changed at random, on the device they are on. The draws come from torch's global generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from automl.trainers.settings.pictures import Augment


def augmented(images: Tensor, settings: Augment) -> Tensor:
    """A batch (n, channels, height, width) in which every picture is mirrored and moved by itself."""
    if settings.flip:
        chosen = torch.rand(len(images), device=images.device) < 0.5
        images = torch.where(chosen[:, None, None, None], images.flip(-1), images)
    return shifted(images, settings.shift) if settings.shift else images


def shifted(images: Tensor, most: int) -> Tensor:
    """Every picture moved by up to `most` pixels up or down and left or right; the edge is repeated."""
    count, _, height, width = images.shape
    padded = nn.functional.pad(images, (most, most, most, most), mode="replicate")
    down, right = torch.randint(0, 2 * most + 1, (2, count, 1, 1), device=images.device)
    rows = torch.arange(height, device=images.device)[None, :, None] + down
    columns = torch.arange(width, device=images.device)[None, None, :] + right
    every = torch.arange(count, device=images.device)[:, None, None]
    return padded[every, :, rows, columns].movedim(-1, 1).contiguous()


def as_numbers(images: Tensor) -> Tensor:
    """Bytes, 0 to 255, as numbers from -1 to 1."""
    return images.float().div(127.5).sub(1)
