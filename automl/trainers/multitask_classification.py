"""Trains one network to tell several things of a picture: a backbone of timm and a last layer for each task.

    python -m automl.trainers.multitask_classification --spec SPEC.yaml --results DIR
    python -m automl.trainers.multitask_classification --help      # every key of the spec

The same task as TAO's multitask_classification, not the same networks. program.py says how it ends.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from automl.trainers import program
from automl.trainers.settings import loop
from automl.trainers.settings.pictures import Augment, Data, Model
from automl.trainers.settings.spec import choice, number

_EXAMPLE = """
spec.yaml               train: {lr: 3e-3, schedule: one-cycle, balance: uncertainty}
                        data: {path: my_pictures}

my_pictures/labels.csv  file,colour,kind,part
                        a/1.jpg,red,car,train
                        a/2.jpg,blue,van,val

every column but file and part is a task; part (train, val or test) may be left out
"""


@dataclass(frozen=True)
class Train(loop.Train):
    """How it is trained."""

    label_smoothing: float = number(0, 0.99, "share of a label that is spread over all classes", 0.0)
    balance: str = choice(
        ("equal", "uncertainty"), "the tasks' weights in the loss: the same, or learned (Kendall et al. 2018)", "equal"
    )


@dataclass(frozen=True)
class Settings:
    """A whole train spec."""

    train: Train
    model: Model
    augment: Augment
    data: Data


main = program.Program(
    name="multitask_classification",
    description="Trains one classifier for several tasks: a backbone of timm and a last layer for each.",
    example=_EXAMPLE,
    settings=Settings,
)

if __name__ == "__main__":
    sys.exit(main())
