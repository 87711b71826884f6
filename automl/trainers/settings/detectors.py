"""Sections of a train spec that programs which find objects share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from automl.trainers.settings import loop
from automl.trainers.settings.spec import number, text, whole


@dataclass(frozen=True)
class Train(loop.Train):
    """How it is trained."""

    epochs: int = whole(1, "stop after this many epochs in total", 12, free=True)
    schedule_epochs: int = whole(1, "the learning rate's schedule spans this many epochs", 12)
    lr: float = number(0, math.inf, "learning rate; with a schedule the highest", 1e-3, open_low=True)
    batch_size: int = whole(2, "pictures in a step, on every device", 8, moves=True)
    gradient_clip: float = number(0, math.inf, "the longest gradient, in the Euclidean norm; 0: no limit", 10.0)


@dataclass(frozen=True)
class Detector:
    """What all detectors of torchvision have. The defaults are narrow, so that a CPU trains them."""

    backbone: str = text("the network of timm below the feature pyramid; ssdlite has its own", "resnet10t")
    channels: int = whole(16, "channels of the feature pyramid; torchvision: 256", 64)
    head: int = whole(16, "width of the second stage's layers; torchvision: 1024", 128)
    proposals: int = whole(10, "boxes that the second stage sees; torchvision: 2000 and 1000", 200)
    anchor: int = whole(4, "side of the smallest anchor in pixels; torchvision: 32", 16)
    size: int | None = whole(32, "the shorter side that pictures are brought to; null: they keep their size", None)
