"""The sections `train` and `data` that every training program has, and how a spec with them is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from automl.trainers.loop.learning_rates import SCHEDULES, check_schedule
from automl.trainers.settings.spec import Plain, bound, choice, number, optional_path, read, switch, whole


@dataclass(frozen=True)
class Train:
    """How it is trained. Epochs count from 1 and cumulate: a run that goes on from epoch 3 to 9 trains six.

    A task has its own defaults by a subclass that names the fields again.
    """

    epochs: int = whole(1, "stop after this many epochs in total", 9, free=True)
    schedule_epochs: int = whole(1, "the learning rate's schedule spans this many epochs", 9)
    optimizer: str = choice(("sgd", "adamw"), "the update rule", "adamw")
    lr: float = number(0, math.inf, "learning rate; with a schedule the highest", 1e-3, open_low=True)
    momentum: float = number(0, 1, "momentum of sgd; adamw does not use it", 0.9)
    weight_decay: float = number(0, math.inf, "decay of the weights", 1e-4)
    # from 2: batch normalisation needs two
    batch_size: int = whole(2, "examples in a step, on every device", 64, moves=True)
    schedule: str = choice(tuple(SCHEDULES), "how the learning rate changes", "none")
    seed: int = whole(0, "of the first weights, the order of the examples, and all else that is drawn", 1)
    threads: int | None = whole(1, "CPU threads; null: OMP_NUM_THREADS, else 1", None, free=True)
    device: str = choice(("auto", "cpu", "cuda"), "auto: cuda where there is one", "auto", free=True)
    checkpoint_interval: int = whole(1, "epochs between checkpoints; the last epoch always has one", 1, free=True)
    resume_from: str | None = optional_path("checkpoint to resume from, unless the results folder has a newer one")


@dataclass(frozen=True)
class Data:
    """Where the data comes from. A task adds its own keys."""

    path: str | None = optional_path("the folder of your data; null: what comes with the package")
    held_out: bool = switch("after the last epoch, judge on the held-out part too", default=False, free=True)


class Settings(Protocol):
    """What the settings of a program have; its sections `model` and others are its own."""

    @property
    def train(self) -> Train: ...

    @property
    def data(self) -> Data: ...


S = TypeVar("S", bound=Settings)


def from_spec(kind: type[S], spec: Mapping[str, Any]) -> S:
    """The settings of a train spec. Raises SpecError, also for epochs beyond the schedule."""
    settings = read(kind, spec)
    check_schedule(settings.train)
    return settings


def identity(settings: Settings, digest: str) -> dict[str, Plain]:
    """What must be the same when a run goes on from a checkpoint. `digest` is the sha256 of the training data.

    Settings that are without effect (momentum of adamw, the span of no schedule) may change.
    """
    values = bound(settings)
    if settings.train.optimizer != "sgd":
        values["train.momentum"] = None
    if settings.train.schedule == "none":
        values["train.schedule_epochs"] = None
    return {**values, "the data's sha256": digest}
