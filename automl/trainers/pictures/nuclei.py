"""The packaged picture of nuclei and its parts: real, one picture, 125 nuclei that people have drawn by hand.

    columns 0 to 383                  train        102 nuclei, those that a border cuts counted too
    columns 384 to 511, upper half    validation    18
    columns 384 to 511, lower half    held_out      14

The parts are of one picture, taken with one microscope on one day, and a nucleus on a border has a piece on either
side: what is measured here says nothing about other pictures.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from automl.trainers.loop.data_digest import digest_of_files
from automl.trainers.pictures.picture_files import PACKAGED, read_mask, read_picture

Part = Literal["train", "validation", "held_out"]
FILES = (PACKAGED / "nuclei.png", PACKAGED / "nuclei_mask.png")
_PLACES = {
    "train": (slice(0, 512), slice(0, 384)),
    "validation": (slice(0, 256), slice(384, 512)),
    "held_out": (slice(256, 512), slice(384, 512)),
}


def nuclei(part: Part) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The picture (3, h, w), from 0 to 1, and the number of the nucleus at each pixel (h, w), 0 where there is none."""
    rows, columns = _PLACES[part]
    return (
        np.ascontiguousarray(read_picture(FILES[0])[:, rows, columns]),
        np.ascontiguousarray(read_mask(FILES[1])[rows, columns]),
    )


def digest_of_nuclei() -> str:
    """sha256 of the packaged picture and its masks."""
    return digest_of_files(PACKAGED, [], truth=FILES)
