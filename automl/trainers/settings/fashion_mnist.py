"""The train spec of the Fashion-MNIST program: every key, its default, what it may be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from automl.trainers.settings import train
from automl.trainers.settings.spec import number, optional_path, whole

PACKAGED_DATA = Path(__file__).parent.parent / "data" / "fashion_mnist.npz"


@dataclass(frozen=True)
class Model:
    """The network: three blocks of convolution, with `width`, 2 x `width` and 4 x `width` channels."""

    width: int = whole(1, "channels of the first block", 8)
    dropout: float = number(0, 0.95, "share of the features that is dropped before the last layer", 0.1)


@dataclass(frozen=True)
class Data(train.Data):
    """The pictures."""

    path: str | None = optional_path("an .npz file as scripts/make_fashion_mnist.py makes it; null: the packaged one")
    limit: int | None = whole(1, "use only the first so many training pictures; null: all", None)


@dataclass(frozen=True)
class Settings:
    """A whole train spec."""

    train: train.Train
    model: Model
    data: Data
