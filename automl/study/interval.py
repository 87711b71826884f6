"""The 95 % interval of a gain, from the trainings on both sides.

Values may be any finite numbers: they are divided by the largest of them before anything is squared.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from automl.problem.metric import mean_of

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """The ends of a two-sided interval, and the `method` that it is from: paired or welch."""

    low: float
    high: float
    method: str

    def to_json(self) -> dict[str, Any]:
        return {"level": LEVEL, "low": self.low, "high": self.high, "method": self.method}


def paired(gains: Sequence[float]) -> Interval | None:
    """The interval of the mean of gains, one for each seed that both sides share; None for fewer than two.

    Student's t with n - 1 degrees of freedom (Student 1908, "The probable error of a mean"): it takes the gains for
    independent and normal.
    """
    if len(gains) < 2:
        return None
    scale = _scale(gains)
    scaled = [gain / scale for gain in gains]
    error = statistics.stdev(scaled) / math.sqrt(len(scaled))
    return _around(mean_of(scaled), error, len(scaled) - 1, scale, "paired")


def welch(values: Sequence[float], over: Sequence[float]) -> Interval | None:
    """The interval of the mean of scores minus that of others whose seeds they do not share; None for fewer than two.

    Welch 1947, "The generalization of Student's problem when several different population variances are involved",
    with the degrees of freedom of Satterthwaite 1946.
    """
    if min(len(values), len(over)) < 2:
        return None
    scale = _scale([*values, *over])
    sides = [[value / scale for value in side] for side in (values, over)]
    shares = [statistics.variance(side) / len(side) for side in sides]
    total = sum(shares)
    spread = sum(share**2 / (len(side) - 1) for share, side in zip(shares, sides, strict=True))
    freedom = total**2 / spread if spread > 0 else 1.0
    return _around(mean_of(sides[0]) - mean_of(sides[1]), math.sqrt(total), freedom, scale, "welch")


def _scale(values: Sequence[float]) -> float:
    return max(map(abs, values)) or 1.0


def _around(mean: float, error: float, freedom: float, scale: float, method: str) -> Interval:
    special = import_module("scipy.special")  # which takes a third of a second
    reach = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * error
    largest = sys.float_info.max
    low, high = (max(-largest, min(largest, end * scale)) for end in (mean - reach, mean + reach))
    return Interval(low, high, method)
