"""Trains a U-Net with any encoder of segmentation-models-pytorch to tell the class of every pixel.

    python -m automl.trainers.semantic_segmentation --spec SPEC.yaml --results DIR
    python -m automl.trainers.semantic_segmentation --help      # every key of the spec

The same task as TAO's unet, not the same network. program.py says how it ends.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from automl.errors import SpecError
from automl.trainers import program
from automl.trainers.settings import loop
from automl.trainers.settings.crops import CropData
from automl.trainers.settings.spec import choice, number, text, whole

_EXAMPLE = """
spec.yaml         train: {optimizer: sgd, lr: 0.02, loss: bce+dice}
                  model: {encoder: mobilenet_v2}
                  data: {path: my_pictures, crop: 256}

my_pictures       images/train and masks/train with files of the same names, the same below images/val and masks/val,
                  and below images/test and masks/test for the held-out part; the grey value of a mask's pixel is the
                  number of its class, 0 the background; with data.classes 1 everything but 0 is the one class
"""


@dataclass(frozen=True)
class Train(loop.Train):
    """How it is trained."""

    epochs: int = whole(1, "stop after this many epochs in total", 4, free=True)
    schedule_epochs: int = whole(1, "the learning rate's schedule spans this many epochs", 4)
    lr: float = number(0, math.inf, "learning rate; with a schedule the highest", 1e-3, open_low=True)
    batch_size: int = whole(2, "crops in a step, on every device", 8, moves=True)
    loss: str = choice(
        ("bce", "bce+dice", "ce"), "binary cross entropy, with the Dice loss, or cross entropy over classes", "bce"
    )


@dataclass(frozen=True)
class Model:
    """The U-Net."""

    encoder: str = text(
        "the encoder, by smp's name, or tu- and timm's name, which holds no layers beyond model.depth", "tu-resnet18"
    )
    depth: int = whole(3, "how often the encoder halves the picture, 3 to 5", 3)
    width: int = whole(4, "channels of the last stage of the decoder; each stage before has twice as many", 16)
    pretrained: str | None = text(
        "weights to start from, which are downloaded: smp's name of them, as imagenet; any of a tu- encoder's", None
    )


@dataclass(frozen=True)
class Data(CropData):
    """The pictures: the nuclei, or a folder."""

    classes: int = whole(1, "classes beside the background", 1)


@dataclass(frozen=True)
class Settings:
    """A whole train spec."""

    train: Train
    model: Model
    data: Data


def check(settings: Settings) -> None:
    """Raises SpecError for keys that do not go together."""
    if settings.data.classes > 1 and settings.train.loss != "ce":
        raise SpecError(
            f"train.loss is {settings.train.loss!r} with data.classes {settings.data.classes}",
            allowed="ce",
            advice="bce is for one class and the background",
        )
    if settings.model.depth > 5:
        raise SpecError(f"model.depth is {settings.model.depth}", allowed="3 to 5")
    if settings.data.crop % 2**settings.model.depth:
        raise SpecError(
            f"data.crop is {settings.data.crop} with model.depth {settings.model.depth}",
            allowed=f"a multiple of {2**settings.model.depth}",
        )


main = program.Program(
    name="semantic_segmentation",
    description="Trains a U-Net that tells the class of every pixel.",
    example=_EXAMPLE,
    settings=Settings,
    check=check,
)

if __name__ == "__main__":
    sys.exit(main())
