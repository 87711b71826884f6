"""A metric: the number that a search improves, and in which direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """The number that is searched for. Inside, a larger score is better."""

    name: str
    goal: Literal["minimize", "maximize"]

    def score(self, value: float) -> float:
        """`value` where larger is better."""
        return value if self.goal == "maximize" else -value
