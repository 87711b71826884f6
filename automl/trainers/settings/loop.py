"""The section `train` of programs that train by lightning_loop.py: what Lightning can do beside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from automl.trainers.settings import train as train_sections
from automl.trainers.settings.spec import choice, number, whole


@dataclass(frozen=True)
class Train(train_sections.Train):
    """How it is trained."""

    gradient_clip: float = number(0, math.inf, "the longest gradient, in the Euclidean norm; 0: no limit", 0.0)
    devices: int | None = whole(1, "how many of them; null: all GPUs", 1)
    strategy: str = choice(
        ("auto", "ddp", "ddp_find_unused_parameters_true"), "Lightning's way to use several devices", "auto"
    )
    precision: str = choice(("32", "bf16-mixed", "16-mixed"), "of the numbers, as Lightning names it", "32")
    workers: int = whole(0, "processes that read the data; 0: none beside the training", 0)


class Settings(Protocol):
    """What the settings of a task have; its sections `model` and others are its own."""

    @property
    def train(self) -> Train: ...

    @property
    def data(self) -> train_sections.Data: ...
