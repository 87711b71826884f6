"""Trains a network to read number plates: convolutions, a recurrent layer, and CTC (CRNN, Shi et al. 2015).

    python -m automl.trainers.plate_recognition --spec SPEC.yaml --results DIR
    python -m automl.trainers.plate_recognition --help      # every key of the spec

The same task as TAO's lprnet, not the same network. program.py says how it ends.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from automl.trainers import program
from automl.trainers.settings import loop, train
from automl.trainers.settings.spec import number, whole

_EXAMPLE = """
spec.yaml             train: {lr: 5e-3, schedule: one-cycle}
                      data: {path: my_plates}

my_plates/labels.csv  file,text,part
                      1.jpg,B4711,train
                      2.jpg,AB123,val

part (train, val or test) may be left out
"""


@dataclass(frozen=True)
class Train(loop.Train):
    """How it is trained."""

    batch_size: int = whole(2, "plates in a step, on every device", 32, moves=True)
    lr: float = number(0, 1e9, "learning rate; with a schedule the highest", 3e-3, open_low=True)
    gradient_clip: float = number(0, 1e9, "the longest gradient, in the Euclidean norm; 0: no limit", 5.0)


@dataclass(frozen=True)
class Model:
    """The network. A plate is brought to `width` x `height` pixels, grey."""

    width: int = whole(32, "of a plate, in pixels; a quarter of it is the most characters that can be read", 96)
    height: int = whole(16, "of a plate, in pixels", 24)
    channels: int = whole(4, "channels of the first block of convolution; the others have 2 and 4 times as many", 16)
    recurrent: int = whole(8, "features of the recurrent layer, in each direction", 48)
    dropout: float = number(0, 0.95, "share of the features that is dropped before the last layer", 0.1)


@dataclass(frozen=True)
class Data(train.Data):
    """The plates: drawn by a generator, or a folder."""

    plates: int = whole(32, "how many are drawn for training, and a quarter as many for each other part", 2000)
    distortion: float = number(0, 1, "how far drawn plates are turned, blurred, shaded and noisy", 0.5)
    limit: int | None = whole(1, "use only so many training plates; null: all", None)
    validation_share: float = number(
        0, 0.4, "of pictures that are not in parts: the share that validates, and as many are held out", 0.15
    )


@dataclass(frozen=True)
class Settings:
    """A whole train spec."""

    train: Train
    model: Model
    data: Data


main = program.Program(
    name="plate_recognition",
    description="Trains a network to read number plates.",
    example=_EXAMPLE,
    settings=Settings,
)

if __name__ == "__main__":
    sys.exit(main())
