"""Who goes on to the next rung, and why the others stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from automl.problem.metric import Metric
from automl.search.history import Outcome, Stopped
from automl.search.ranking import further_words, ranked


@dataclass(frozen=True)
class Promoted:
    """An experiment that goes on from what it has reached, and why."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Promotion:
    """Which experiments of a rung go on, the best first, and which stop, by number."""

    promoted: tuple[Promoted, ...]
    stopped: tuple[Stopped, ...]


def promote(outcomes: Sequence[Outcome], size: int, metric: Metric) -> Promotion:
    """The best `size` outcomes of a rung go on, and the others stop, each with its reason.

    Successive halving (Jamieson & Talwalkar 2016, algorithm 1): the rung's best go on. The values after the rung's last
    epoch are compared; the lower experiment number wins a tie. A failed experiment is never promoted, so fewer than
    `size` go on when too many failed.
    """
    order, count = ranked(outcomes, metric), len(outcomes)
    promoted = tuple(
        Promoted(outcome, f"{standing(rank, outcome, count, metric)}; the best {size} go on")
        for rank, outcome in enumerate(order[:size], 1)
    )
    stopped = [
        Stopped(outcome.experiment, standing(rank, outcome, count, metric))
        for rank, outcome in enumerate(order[size:], size + 1)
    ]
    stopped += [
        Stopped(outcome.experiment, f"failed: {outcome.failure}") for outcome in outcomes if outcome.value is None
    ]
    return Promotion(promoted, tuple(sorted(stopped, key=lambda experiment: experiment.number)))


def standing(rank: int, outcome: Outcome, count: int, metric: Metric) -> str:
    """The rank of an outcome among the `count` of its rung, in words."""
    text = f"rank {rank} of {count} at epoch {outcome.epochs} by {metric.name} = {outcome.value:.6g}"
    return text + further_words(metric, outcome.value, outcome.measured)
