"""Sections of a train spec that programs which classify pictures share."""

from __future__ import annotations

from dataclasses import dataclass

from automl.trainers.settings import train
from automl.trainers.settings.spec import number, optional_path, switch, text, whole


@dataclass(frozen=True)
class Model:
    """The network, one of timm."""

    name: str = text("the network, by timm's name; this is its smallest ResNet", "test_resnet")
    image_size: int = whole(8, "pictures are brought to so many pixels in each direction", 32)
    dropout: float = number(0, 0.95, "share of the features that is dropped before the last layer", 0.0)
    pretrained: bool = switch(
        "start from timm's weights, which are downloaded unless they are in its cache", default=False
    )
    weights: str | None = optional_path("a file of weights to start from, for this network", free=False)


@dataclass(frozen=True)
class Augment:
    """How pictures are changed anew in every epoch."""

    flip: bool = switch("mirror every second picture, left to right", default=True)
    shift: int = whole(0, "move a picture by up to so many pixels in each direction", 2)


@dataclass(frozen=True)
class Data(train.Data):
    """The pictures: Fashion-MNIST, or a folder."""

    limit: int | None = whole(1, "use only so many training pictures; null: all", None)
    validation_share: float = number(
        0, 0.4, "of pictures that are not in parts: the share that validates, and as many are held out", 0.15
    )
