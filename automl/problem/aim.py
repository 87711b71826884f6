"""What a search with several metrics is for: which of them it improves, which bounds hold, which trade-off is chosen.

One metric alone needs no `Aim`: it is a plain `Metric`. The first metric of an aim is the one whose history a training
has and by which its checkpoints are kept, so an aim is that metric, and more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from automl.problem.metric import Metric, difference

Scores = tuple[float, ...]  # of the objectives, in their order; larger is better
Span = tuple[float, float]  # the least and the largest score of an objective on a front


class Side(StrEnum):
    """On which side of its limit a constrained value has to lie."""

    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True)
class Constraint:
    """The values of a metric that an experiment may have: those on one side of a limit, the limit itself included."""

    metric: str
    side: Side
    limit: float

    def excess(self, value: float | None) -> float:
        """By how much a value lies on the wrong side; negative on the right one, infinite without a value."""
        if value is None:
            return math.inf
        over = difference(value, self.limit)
        return over if self.side is Side.BELOW else -over

    def share(self, value: float | None) -> float:
        """The excess as a share of the limit, so that constraints can be added up; of a limit of 0 as it is."""
        excess = self.excess(value)
        return excess / abs(self.limit) if self.limit and math.isfinite(excess) else excess

    @property
    def words(self) -> str:
        """'latency_ms below 20'."""
        return f"{self.metric} {self.side.value} {self.limit:.6g}"


@dataclass(frozen=True)
class Aim(Metric):
    """The first metric, the `others` that are improved too, and the constraints. All scores are larger where better.

    `weights` say how much each objective counts where one point of a front is chosen; empty, where all count alike,
    which is the knee of the front. `spans` are the ranges of the front that the weights are shares of; before a front
    is known they are empty.
    """

    others: tuple[Metric, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    weights: tuple[float, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def objectives(self) -> tuple[Metric, ...]:
        """What is improved, the first metric first."""
        return (self, *self.others)

    @property
    def further(self) -> tuple[str, ...]:
        """The names of all metrics that are read beside the first: objectives, and those that are only constrained."""
        names = [*(metric.name for metric in self.others), *(constraint.metric for constraint in self.constraints)]
        return tuple(name for name in dict.fromkeys(names) if name != self.name)

    def value_of(self, name: str, value: float | None, measured: Mapping[str, float]) -> float | None:
        """The value of a metric, of which the first is `value`; None where it was never reported."""
        return value if name == self.name else measured.get(name)

    def scores(self, value: float | None, measured: Mapping[str, float]) -> Scores | None:
        """The scores of the objectives; None where one of them was never reported."""
        values = [(metric, self.value_of(metric.name, value, measured)) for metric in self.objectives]
        scores = tuple(metric.score(number) for metric, number in values if number is not None)
        return scores if len(scores) == len(values) else None

    def violation(self, value: float | None, measured: Mapping[str, float]) -> float:
        """By how much the constraints are broken, each as a share of its limit; 0 where all hold.

        Infinite where a metric was never reported, an objective's too.
        """
        if self.scores(value, measured) is None:
            return math.inf
        shares = [one.share(self.value_of(one.metric, value, measured)) for one in self.constraints]
        return sum(share for share in shares if share > 0)

    def excesses(self, value: float | None, measured: Mapping[str, float]) -> Scores:
        """The excess of each constraint as a share of its limit, in their order; negative where it holds."""
        return tuple(one.share(self.value_of(one.metric, value, measured)) for one in self.constraints)

    def why_infeasible(self, value: float | None, measured: Mapping[str, float]) -> str:
        """What is broken and by how much: 'latency_ms = 25, over 20 by 5'; empty where nothing is."""
        parts = [
            f"{metric.name} was never reported"
            for metric in self.objectives
            if self.value_of(metric.name, value, measured) is None
        ]
        for one in self.constraints:
            number = self.value_of(one.metric, value, measured)
            if number is None:
                parts.append(f"{one.metric} was never reported")
            elif (excess := one.excess(number)) > 0:
                side = "over" if one.side is Side.BELOW else "under"
                parts.append(f"{one.metric} = {number:.6g}, {side} {one.limit:.6g} by {excess:.6g}")
        return "; ".join(dict.fromkeys(parts))

    def utility(self, scores: Scores) -> float:
        """The weighted sum of scores, each as a share of its span of the front; of one objective its score.

        With equal weights the greatest is the knee: of two objectives the point farthest from the line between the ends
        of the front (Das 1999, normal-boundary intersection).
        """
        if not self.is_several:
            return scores[0]
        weights = self.weights or (1.0,) * len(scores)
        total = math.fsum(weights)
        return math.fsum(
            weight / total * (difference(score, low) / difference(high, low) if high > low else 0.0)
            for weight, score, (low, high) in zip(weights, scores, self.spans, strict=True)
        )

    @property
    def in_words(self) -> str:
        """How one point of the front is chosen, for people."""
        names = [metric.name for metric in self.objectives]
        if not self.weights:
            return f"the knee of the front of {', '.join(names)}"
        parts = ", ".join(f"{name} {weight:g}" for name, weight in zip(names, self.weights, strict=True))
        return f"the point of the front with the greatest weighted sum ({parts})"


def spans_of(front: Sequence[Scores]) -> tuple[Span, ...]:
    """The least and the largest score of each objective on a front, which is not empty."""
    return tuple((min(column), max(column)) for column in zip(*front, strict=True))
