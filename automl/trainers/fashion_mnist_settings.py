"""The train spec of the Fashion-MNIST program: every key, its default, what it may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.trainers.learning_rates import SCHEDULES, check_schedule
from automl.trainers.spec_settings import choice, number, optional_path, read, switch, whole

PACKAGED_DATA = Path(__file__).parent / "data" / "fashion_mnist.npz"


@dataclass(frozen=True)
class Train:
    """How it is trained. Epochs count from 1 and cumulate: a run that goes on from epoch 3 to 9 trains six."""

    epochs: int = whole(1, "stop after this many epochs in total", 9)
    schedule_epochs: int = whole(1, "the learning rate's schedule spans this many epochs", 9)
    optimizer: str = choice(("sgd", "adamw"), "the update rule", "adamw")
    lr: float = number(0, math.inf, "learning rate; with a schedule the highest", 1e-3, open_low=True)
    momentum: float = number(0, 1, "momentum of sgd; adamw does not use it", 0.9)
    weight_decay: float = number(0, math.inf, "decay of the weights", 1e-4)
    batch_size: int = whole(2, "pictures in a step", 64)  # from 2: batch normalisation needs two
    schedule: str = choice(tuple(SCHEDULES), "how the learning rate changes", "none")
    seed: int = whole(0, "of the first weights, the order of the pictures, and dropout", 1)
    threads: int | None = whole(1, "CPU threads; null: OMP_NUM_THREADS, else 1", None)
    device: str = choice(("auto", "cpu", "cuda"), "auto: cuda where there is one", "auto")
    checkpoint_interval: int = whole(1, "epochs between checkpoints; the last epoch always has one", 1)
    resume_from: str | None = optional_path("checkpoint to go on from, unless the results folder has a newer one")


@dataclass(frozen=True)
class Model:
    """The network: three blocks of convolution, with `width`, 2 x `width` and 4 x `width` channels."""

    width: int = whole(1, "channels of the first block", 8)
    dropout: float = number(0, 0.95, "share of the features that is dropped before the last layer", 0.1)


@dataclass(frozen=True)
class Data:
    """The pictures."""

    path: str | None = optional_path("an .npz file as scripts/make_fashion_mnist.py makes it; null: the packaged one")
    limit: int | None = whole(1, "use only the first so many training pictures; null: all", None)
    held_out: bool = switch("after the last epoch, report the accuracy on the held-out part too", default=False)


@dataclass(frozen=True)
class Settings:
    """A whole train spec."""

    train: Train
    model: Model
    data: Data

    def shape_the_weights(self) -> dict[str, int | float | str | None]:
        """The settings that must be the same when a run goes on from a checkpoint, by dotted path.

        The others may change: how far to train, where, how often to save. Settings that are without effect here
        (momentum of adamw, the span of no schedule) may change as well.
        """
        train, unscheduled = self.train, self.train.schedule == "none"
        return {
            "train.optimizer": train.optimizer,
            "train.lr": train.lr,
            "train.momentum": train.momentum if train.optimizer == "sgd" else None,
            "train.weight_decay": train.weight_decay,
            "train.batch_size": train.batch_size,
            "train.schedule": train.schedule,
            "train.schedule_epochs": None if unscheduled else train.schedule_epochs,
            "train.seed": train.seed,
            "model.width": self.model.width,
            "model.dropout": self.model.dropout,
            "data.limit": self.data.limit,
        }


def from_spec(spec: Mapping[str, Any]) -> Settings:
    """The settings that a train spec gives, with defaults for what it leaves out.

    Raises SpecError for a key that does not exist, a value that is not allowed, and epochs beyond the schedule.
    """
    settings = read(Settings, spec)
    check_schedule(settings.train)
    return settings
