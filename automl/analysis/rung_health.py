"""How well the order of experiments after a short training predicts their order after a longer one.

Of every two lengths at which rungs end, the experiments are compared that have a value after both. An experiment that
began in a longer rung has passed the shorter length too, and nobody chose it by its value there: its history makes the
difference between a measure and a guess, for who was promoted stands close together, which lowers every correlation.

The measure is Kendall's rank correlation. The test is the exact one of Mallows' model (Non-null ranking models,
Biometrika 44, 1957), where the number of discordant pairs is a sum of independent truncated geometric numbers: how
likely are so many, if the correlation of the lengths were `USEFUL`, or zero where most experiments were chosen.
benchmarks/rung_health.py measures how often it finds curves that cross, and how often it is wrong. No decision depends
on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from automl.search.history import History
from automl.search.plan import Plan

USEFUL = 0.3  # a rank correlation from which on a short training is worth its epochs
LEVEL = 0.05  # a length misleads where so many discordant pairs are less likely than this
_LEAST_COMPARED = 5  # experiments; of fewer even a whole reversal is too often chance
_MOST_EXACT = 40  # experiments up to which the distribution is counted; beyond, it is nearly normal
_MOST_COMPARED = 200  # experiments; the newest ones, where there are more
Pair = tuple[float, float]  # the values of an experiment after the shorter and after the longer training


@dataclass(frozen=True)
class RungOrder:
    """How the order after `shorter` epochs agrees with that after `longer` ones, of so many experiments.

    `correlation` is Kendall's, -1 to 1. `chosen` of the experiments were promoted by their values on the way to
    `longer`. `likelihood` is that of an order so discordant, if the shorter training were of use.
    """

    shorter: int
    longer: int
    experiments: int
    chosen: int
    correlation: float
    likelihood: float

    @property
    def misleads(self) -> bool:
        return self.experiments >= _LEAST_COMPARED and self.likelihood <= LEVEL

    def to_json(self) -> dict[str, Any]:
        return {
            "shorter": self.shorter,
            "longer": self.longer,
            "experiments": self.experiments,
            "chosen": self.chosen,
            "correlation": round(self.correlation, 3),
            "likelihood": round(self.likelihood, 4),
            "misleads": self.misleads,
        }


@dataclass(frozen=True)
class _Course:
    """An experiment of the search: the epochs after which its first rung ends, and its values by epochs."""

    first: int
    values: dict[int, float]


def rung_orders(plan: Plan, study: History) -> tuple[RungOrder, ...]:
    """Of every two lengths of rungs, the shorter of which is one to be promoted from, how their orders agree.

    Those are left out that no two experiments with different values have passed, and a population, where nobody is
    promoted by a value: the worst go on from the best.
    """
    stages = tuple(stage for stage in plan.search if not stage.population)
    lengths = sorted({rung.epochs for stage in stages for rung in stage.rungs})
    left = {rung.epochs for stage in stages for rung in stage.rungs if stage.goes_on(rung.index)}
    courses = _courses(plan, study) if left else []
    orders = (
        _order(shorter, longer, courses, study.metric.score)
        for shorter, longer in combinations(lengths, 2)
        if shorter in left
    )
    return tuple(order for order in orders if order is not None)


def _courses(plan: Plan, study: History) -> list[_Course]:
    """The experiments of the search that have succeeded in a rung, by number.

    The value of a rung is the one that promotes. Between rungs, that of the longest training counts.
    """
    by_number: dict[int, _Course] = {}
    for stage in plan.search:
        runs = ((issued.number, rung) for decision in study.of_stage(stage.index) for issued, rung in decision.runs())
        ended: dict[int, dict[int, float]] = {}
        for number, rung in sorted(runs):
            result = study.results.get((number, rung))
            if result is None or result.value is None:
                continue
            ended.setdefault(number, {})[stage.rungs[rung].epochs] = result.value
            first = by_number[number].first if number in by_number else stage.rungs[rung].epochs
            by_number[number] = _Course(first, {**dict(result.history), **ended[number]})
    return [by_number[number] for number in sorted(by_number)]


def _order(shorter: int, longer: int, courses: Sequence[_Course], score: Callable[[float], float]) -> RungOrder | None:
    both = [course for course in courses if shorter in course.values and longer in course.values][-_MOST_COMPARED:]
    chosen = sum(course.first < longer for course in both)
    useful = USEFUL if 2 * chosen <= len(both) else 0.0
    pairs = [(score(course.values[shorter]), score(course.values[longer])) for course in both]
    agree, against, undecided, alike = _compared(pairs)
    if agree + against + undecided == 0:
        return None
    # a tie after the shorter training is a toss; one after the longer training says nothing
    discordant = against + undecided / 2 + alike * (1 - useful) / 2
    return RungOrder(
        shorter=shorter,
        longer=longer,
        experiments=len(pairs),
        chosen=chosen,
        correlation=(agree - against) / (agree + against + undecided),
        likelihood=_at_least(math.floor(discordant), len(pairs), useful),
    )


def _compared(pairs: Sequence[Pair]) -> tuple[int, int, int, int]:
    """How many two of them agree, disagree, are tied after the shorter training alone, and after the longer one."""
    agree = against = undecided = alike = 0
    for one, other in combinations(pairs, 2):
        if one[1] == other[1]:
            alike += 1
        elif one[0] == other[0]:
            undecided += 1
        elif (one[0] > other[0]) == (one[1] > other[1]):
            agree += 1
        else:
            against += 1
    return agree, against, undecided, alike


def _at_least(discordant: int, count: int, correlation: float) -> float:
    """How likely so many discordant pairs or more are, of `count` experiments, under Mallows' model."""
    ratio = _ratio(count, correlation)
    if count <= _MOST_EXACT:
        return min(1.0, sum(_distribution(count, ratio)[discordant:]))
    steps = [_moments(size, ratio) for size in range(2, count + 1)]
    mean, variance = sum(step[0] for step in steps), sum(step[1] for step in steps)
    return 0.5 * math.erfc((discordant - 0.5 - mean) / math.sqrt(2 * variance))


@cache
def _ratio(count: int, correlation: float) -> float:
    """The weight of a ranking relative to one with a discordant pair less, for this expected correlation."""
    if correlation == 0:
        return 1.0
    wanted = (1 - correlation) * count * (count - 1) / 4  # discordant pairs
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        if sum(_moments(size, middle)[0] for size in range(2, count + 1)) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _moments(size: int, ratio: float) -> tuple[float, float]:
    """The mean and the variance of a number from 0 to size - 1, each `ratio` times as likely as the one before."""
    weights = [ratio**number for number in range(size)]
    total = sum(weights)
    mean = sum(number * weight for number, weight in enumerate(weights)) / total
    return mean, sum((number - mean) ** 2 * weight for number, weight in enumerate(weights)) / total


@cache
def _distribution(count: int, ratio: float) -> tuple[float, ...]:
    """How likely each number of discordant pairs is."""
    chances = [1.0]
    for size in range(2, count + 1):
        weights = [ratio**number for number in range(size)]
        total = sum(weights)
        longer = [0.0] * (len(chances) + size - 1)
        for at, chance in enumerate(chances):
            for number, weight in enumerate(weights):
                longer[at + number] += chance * weight / total
        chances = longer
    return tuple(chances)
