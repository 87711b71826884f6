"""Which is better: the one module that decides it, for outcomes, experiments and checkpoints alike.

A value is better when its score is larger (`Metric.score`). Of equal values, the one with the lower experiment number
comes first, then the one of the earlier rung. An item without a value is never ranked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

from automl.problem.metric import Metric
from automl.search.history import Outcome

T = TypeVar("T")


class Among(StrEnum):
    """Among which results of a search the best is chosen."""

    LONGEST = "longest"  # those with the most epochs that any experiment has reached
    ALL = "all"  # those of any number of epochs: a lucky short training can be the best


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


def best_outcomes(outcomes: Iterable[Outcome], metric: Metric, among: Among) -> list[Outcome]:
    """The outcome of every experiment that counts, by its kept value, the best first.

    Of an experiment the one with the most epochs counts, or among all the best one. Those that were trained longer come
    first, or among all the better ones. So the first is the best of the search.
    """
    in_order = best_first(outcomes, lambda outcome: outcome.best_value, _run, metric)
    if among is Among.LONGEST:
        in_order.sort(key=lambda outcome: -outcome.epochs)
    counting: dict[int, Outcome] = {}
    for outcome in in_order:
        counting.setdefault(outcome.experiment, outcome)
    return list(counting.values())


def best_outcome(outcomes: Iterable[Outcome], metric: Metric, among: Among) -> Outcome | None:
    """The best outcome of a search; None when all failed. The one place that says which experiment is the best."""
    return next(iter(best_outcomes(outcomes, metric, among)), None)


def _experiment(outcome: Outcome) -> tuple[int, ...]:
    return (outcome.experiment,)


def _run(outcome: Outcome) -> tuple[int, ...]:
    return (outcome.experiment, outcome.rung)
