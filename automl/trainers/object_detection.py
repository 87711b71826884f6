"""Trains a detector of torchvision, of one stage or two, to find objects and their classes.

    python -m automl.trainers.object_detection --spec SPEC.yaml --results DIR
    python -m automl.trainers.object_detection --help      # every key of the spec

The same task as TAO's detectors, and where the names agree (faster_rcnn, retinanet) the same idea, but not the same
network. program.py says how it ends.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from automl.errors import SpecError
from automl.trainers import program
from automl.trainers.settings import train
from automl.trainers.settings.detectors import Detector, Train
from automl.trainers.settings.spec import choice, switch, whole

_EXAMPLE = """
spec.yaml         train: {lr: 0.002, schedule: one-cycle}
                  model: {name: faster_rcnn, size: 320}
                  data: {path: my_pictures}

my_pictures       train/annotations.json in COCO's form with the pictures in train/images, the same below val, and below
                  test for the held-out part; the classes are the categories of train/annotations.json
"""

NAMES = ("ssdlite", "retinanet", "fcos", "faster_rcnn")
CLASSES = 10  # of the packaged scenes at most


@dataclass(frozen=True)
class Model(Detector):
    """The detector."""

    name: str = choice(NAMES, "the detector; the last one has two stages", "ssdlite")


@dataclass(frozen=True)
class Data(train.Data):
    """The pictures: scenes made of Fashion-MNIST's articles, or a folder."""

    scenes: int = whole(2, "packaged scenes that are trained on; a quarter as many validate, and are held out", 160)
    scene: int = whole(64, "side of a packaged scene in pixels", 96)
    classes: int = whole(1, f"classes of the packaged scenes, 1 to {CLASSES}", 4)
    flips: bool = switch("mirror training pictures by chance, left to right", default=True)


@dataclass(frozen=True)
class Settings:
    """A whole train spec."""

    train: Train
    model: Model
    data: Data


def check(settings: Settings) -> None:
    """Raises SpecError for keys that do not go together."""
    if settings.data.classes > CLASSES:
        raise SpecError(f"data.classes is {settings.data.classes}", allowed=f"1 to {CLASSES}")
    if settings.model.name == "fcos" and (settings.model.channels % 32 or settings.model.channels < 64):
        raise SpecError(
            f"model.channels is {settings.model.channels} with model.name fcos",
            allowed="64, 96, ...: it normalises in 32 groups of two or more",
        )


main = program.Program(
    name="object_detection",
    description="Trains a detector that finds objects and their classes.",
    example=_EXAMPLE,
    settings=Settings,
    check=check,
)

if __name__ == "__main__":
    sys.exit(main())
