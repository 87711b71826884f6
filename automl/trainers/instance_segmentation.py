"""Trains a Mask R-CNN of torchvision to find objects, their classes and the pixels of each.

    python -m automl.trainers.instance_segmentation --spec SPEC.yaml --results DIR
    python -m automl.trainers.instance_segmentation --help      # every key of the spec

The same task and the same idea as TAO's mask_rcnn, not the same network. program.py says how it ends.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from automl.trainers import program
from automl.trainers.settings.crops import CropData
from automl.trainers.settings.detectors import Detector, Train

_EXAMPLE = """
spec.yaml         train: {lr: 0.002, batch_size: 4}
                  model: {size: 320, channels: 64}
                  data: {path: my_pictures}

my_pictures       train/annotations.json in COCO's form, with a segmentation for every object, and the pictures in
                  train/images; the same below val, and below test for the held-out part; the classes are the
                  categories of train/annotations.json. They are trained on whole: data.crop is of the nuclei alone
"""


@dataclass(frozen=True)
class Settings:
    """A whole train spec."""

    train: Train
    model: Detector
    data: CropData


main = program.Program(
    name="instance_segmentation",
    description="Trains a Mask R-CNN that finds objects and the pixels of each.",
    example=_EXAMPLE,
    settings=Settings,
)

if __name__ == "__main__":
    sys.exit(main())
