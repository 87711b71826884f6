"""A metric: the number that a search improves, and in which direction; and arithmetic with its values.

A value may be any finite number, up to 1.8e308 and down to 5e-324: means and differences stay finite too.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """The number that a search improves. Inside this package a larger score is better."""

    name: str
    goal: Literal["minimize", "maximize"]

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """What is improved, the first metric first."""
        return (self,)

    @property
    def is_several(self) -> bool:
        """Whether more than one metric is improved."""
        return len(self.objectives) > 1

    @property
    def further(self) -> tuple[str, ...]:
        """The names of all metrics that are read beside the first."""
        return ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all metrics that are read, the first one first."""
        return (self.name, *self.further)

    def score(self, value: float) -> float:
        """`value`, turned so that larger is better."""
        return value if self.goal == "maximize" else -value

    def gain(self, value: float, over: float) -> float:
        """By how much `value` is better than `over`; negative where it is worse."""
        return difference(self.score(value), self.score(over))


def mean_of(values: Sequence[float]) -> float:
    """The mean of finite values, at least one."""
    total = sum(values)
    return total / len(values) if math.isfinite(total) else math.fsum(value / len(values) for value in values)


def difference(minuend: float, subtrahend: float) -> float:
    """`minuend - subtrahend`, at most the largest float and at least its negative."""
    return max(-sys.float_info.max, min(sys.float_info.max, minuend - subtrahend))
