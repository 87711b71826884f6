"""Trains any classifier of timm to tell which of several classes a picture shows.

    python -m automl.trainers.classification --spec SPEC.yaml --results DIR
    python -m automl.trainers.classification --help      # every key of the spec

The same task as TAO's multiclass_classification, not the same networks. program.py says how it ends.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from automl.trainers import program
from automl.trainers.settings import loop
from automl.trainers.settings.pictures import Augment, Data, Model
from automl.trainers.settings.spec import number

_EXAMPLE = """
spec.yaml         train: {optimizer: sgd, lr: 0.1, schedule: one-cycle}
                  model: {name: resnet18, image_size: 64}
                  data: {path: my_pictures}

my_pictures       a folder for each class with its pictures: cat/1.jpg, dog/7.png ...; or such folders below
                  train and val, and below test for the held-out part
"""


@dataclass(frozen=True)
class Train(loop.Train):
    """How it is trained."""

    label_smoothing: float = number(0, 0.99, "share of a label that is spread over all classes", 0.0)


@dataclass(frozen=True)
class Settings:
    """A whole train spec."""

    train: Train
    model: Model
    augment: Augment
    data: Data


main = program.Program(
    name="classification",
    description="Trains a classifier of pictures: any network of timm.",
    example=_EXAMPLE,
    settings=Settings,
)

if __name__ == "__main__":
    sys.exit(main())
