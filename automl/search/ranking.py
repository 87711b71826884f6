"""Which is better: the one module that decides it, for outcomes, experiments and checkpoints alike.

A value is better when its score is larger (`Metric.score`). Of equal values, the one with the lower experiment number
comes first, then the one of the earlier rung. An item without a value is never ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from automl.problem.metric import Metric
from automl.search.history import Outcome

T = TypeVar("T")


def is_better(value: float, best: float | None, metric: Metric) -> bool:
    """Whether a value is better than `best`, the best so far, which is None at first; an equal value is not better."""
    return best is None or metric.score(value) > metric.score(best)


def best_first(
    items: Iterable[T], value: Callable[[T], float | None], order: Callable[[T], tuple[int, ...]], metric: Metric
) -> list[T]:
    """The items that have a value, the best first; of equal ones, the one with the lower `order` first."""
    valued = [(number, item) for item in items if (number := value(item)) is not None]
    return [item for _, item in sorted(valued, key=lambda pair: (-metric.score(pair[0]), order(pair[1])))]


def ranked(outcomes: Sequence[Outcome], metric: Metric) -> list[Outcome]:
    """The outcomes that have a value after their last epoch, best first."""
    return best_first(outcomes, lambda outcome: outcome.value, _experiment, metric)


def best_outcome(outcomes: Sequence[Outcome], metric: Metric) -> Outcome | None:
    """The outcome with the best kept value; None when all failed."""
    return next(iter(best_first(outcomes, lambda outcome: outcome.best_value, _run, metric)), None)


def best_values(outcomes: Iterable[Outcome], metric: Metric) -> dict[int, float]:
    """The best kept value of every experiment that has one, by number."""
    best: dict[int, float] = {}
    for outcome in outcomes:
        value = outcome.best_value
        if value is not None and is_better(value, best.get(outcome.experiment), metric):
            best[outcome.experiment] = value
    return best


def _experiment(outcome: Outcome) -> tuple[int, ...]:
    return (outcome.experiment,)


def _run(outcome: Outcome) -> tuple[int, ...]:
    return (outcome.experiment, outcome.rung)
