"""What a picture of predictions shows: the picture, the truth, and what was found, beside each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

MOST = 256  # pixels in a direction; of larger pictures the upper left corner is shown

RIGHT, FALSE, MISSED = (235, 235, 235), (230, 120, 0), (0, 110, 230)


def shown(image: Tensor) -> NDArray[np.uint8]:
    """A picture (3, h, w) of any range of values as (h, w, 3), from its darkest to all but its brightest pixels."""
    pixels = image.detach().cpu().float().numpy()[:, :MOST, :MOST]
    low, high = np.percentile(pixels, (0.5, 99.5))
    spread = np.clip((pixels - low) / max(high - low, 1e-6), 0, 1)
    return np.ascontiguousarray((spread * 255).astype(np.uint8).transpose(1, 2, 0))


def compared(truth: NDArray[np.int64], predicted: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The true mask, and the predicted one: grey where it is right, orange where it is false, blue where it misses."""
    truth, predicted = truth[:MOST, :MOST], predicted[:MOST, :MOST]
    true_grey = np.zeros((*truth.shape, 3), np.uint8)
    true_grey[truth > 0] = RIGHT
    judged = np.zeros_like(true_grey)
    judged[(predicted > 0) & (predicted == truth)] = RIGHT
    judged[(predicted > 0) & (predicted != truth)] = FALSE
    judged[(predicted == 0) & (truth > 0)] = MISSED
    return true_grey, judged
