"""Schedules of the learning rate: functions of the step alone, so a run that goes on needs no state of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from automl.errors import SpecError

Schedule = Callable[[float, int, int], float]
"""The rate at step `step` (from 0) of `steps`, where `highest` is the highest rate: f(highest, step, steps)."""


def constant(highest: float, _step: int, _steps: int) -> float:
    """Always the same."""
    return highest


def cosine(highest: float, step: int, steps: int) -> float:
    """Half a cosine from the highest rate down to 0 (Loshchilov and Hutter 2017, without restarts)."""
    return _cosine(highest, 0.0, step / steps)


def one_cycle(highest: float, step: int, steps: int) -> float:
    """Up by a cosine for 30 % of the steps, then down (Smith and Topin 2018).

    As torch.optim.lr_scheduler.OneCycleLR with its defaults.
    """
    lowest = highest / 25
    peak = 0.3 * steps - 1
    if step <= peak:
        return _cosine(lowest, highest, step / peak)
    return _cosine(highest, lowest / 1e4, (step - peak) / (steps - 1 - peak))


SCHEDULES: dict[str, Schedule] = {"none": constant, "cosine": cosine, "one-cycle": one_cycle}


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (1 + math.cos(math.pi * share))


class Spans(Protocol):
    """The settings of a training that a schedule needs."""

    @property
    def schedule(self) -> str: ...
    @property
    def epochs(self) -> int: ...
    @property
    def schedule_epochs(self) -> int: ...


def check_schedule(train: Spans) -> None:
    """Raises SpecError when the training is longer than the schedule of its learning rate."""
    if train.schedule != "none" and train.epochs > train.schedule_epochs:
        raise SpecError(
            f"train.epochs is {train.epochs}, but the schedule of the learning rate ends at {train.schedule_epochs}",
            advice="set train.schedule_epochs to the greatest number of epochs that this training may reach",
        )
