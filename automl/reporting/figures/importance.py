"""Which parameters matter: the share of the variance of the results that each explains on its own.

For each parameter the experiments are put into bins (options, or equally many neighbours), and the share of the
variance between the bins is taken: eta squared, which is a parameter's main effect as functional ANOVA has it (Hutter,
Hoos, Leyton-Brown: An efficient approach for assessing hyperparameter importance, ICML 2014), read off the experiments
themselves and not off a model. Ranks take the place of the values, so that a single divergence decides nothing (Kruskal
and Wallis, 1952), and what bins of noise would explain is taken off (epsilon squared: Kelley, PNAS 21, 1935).

`chance` is the share that 19 of 20 random shuffles of the results stay below. Interactions are not measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from automl.reporting.figures.facts import Axis, Facts, Searched
from automl.search.history import Failure
from automl.text.formatting import counted

LEAST = 10  # experiments; a split of fewer says nothing
MOST_BINS = 6
_PER_BIN = 5
_SHUFFLES = 400
_NOT_THE_VALUES = {Failure.LOST, Failure.PREEMPTED, Failure.ENDED}  # failures of the machines

Ranks = NDArray[numpy.float64]


@dataclass(frozen=True)
class Importance:
    """A parameter's share of the variance, from 0 to 1, and what chance alone reaches in 1 of 20 cases."""

    axis: Axis
    share: float
    chance: float


def judged(facts: Facts) -> tuple[tuple[Searched, ...], Ranks]:
    """The experiments that can be compared, and the rank of each from 0 (worst) to 1 (best).

    An experiment is compared by its value at the end of its first rung, with those of the same stage that were trained
    as long: later rungs train only the promoted ones. A failure counts as the worst, unless the machine caused it.
    """
    groups: dict[tuple[int, int], list[tuple[Searched, float]]] = {}
    for candidate in facts.searched:
        if not candidate.experiment.results:
            continue
        first = candidate.experiment.results[0]
        if first.failure in _NOT_THE_VALUES:
            continue
        score = -math.inf if first.value is None else facts.score(first.value)
        key = (candidate.experiment.stage, candidate.experiment.recommendations[0].epochs)
        groups.setdefault(key, []).append((candidate, score))
    compared: list[Searched] = []
    ranks: list[float] = []
    for group in groups.values():
        if len(group) > 1:
            compared += [candidate for candidate, _ in group]
            ranks += _ranks(numpy.array([score for _, score in group])).tolist()
    return tuple(compared), numpy.array(ranks)


def importances(facts: Facts) -> tuple[Importance, ...]:
    """Every parameter, the most important first; empty when there are fewer than LEAST experiments."""
    compared, ranks = judged(facts)
    if len(compared) < LEAST or numpy.ptp(ranks) == 0:
        return ()
    shuffled = _shuffles(ranks)
    measured = []
    for axis in facts.axes:
        bins = _bins([axis.place(candidate.experiment.values) for candidate in compared])
        shares = _shares(bins, numpy.vstack([ranks, shuffled]))
        measured.append(Importance(axis, float(shares[0]), float(numpy.quantile(shares[1:], 0.95))))
    return tuple(sorted(measured, key=lambda importance: (-importance.share, importance.axis.name)))


def unknown_because(facts: Facts) -> str:
    """Why `importances` has nothing to say."""
    count = len(judged(facts)[0])
    if count >= LEAST:
        return "all that can be compared are equally good"
    return f"{counted(count, 'experiment')} can be compared, and it takes {LEAST}"


def _ranks(scores: Ranks) -> Ranks:
    """Ranks from 0 to 1; equal scores share the mean of their ranks."""
    _, inverse, counts = numpy.unique(scores, return_inverse=True, return_counts=True)
    middle = numpy.cumsum(counts) - (counts + 1) / 2
    ranks: Ranks = middle[inverse] / (len(scores) - 1)
    return ranks


def _shuffles(ranks: Ranks) -> Ranks:
    """Random orders of the ranks, shape (_SHUFFLES, n); always the same, since a view is a function of the record."""
    rng = numpy.random.default_rng(0)
    shuffled: Ranks = rng.permuted(numpy.tile(ranks, (_SHUFFLES, 1)), axis=1)
    return shuffled


def _bins(positions: list[float | None]) -> NDArray[numpy.int64]:
    """The bin of each experiment. Equal positions share a bin, and experiments without one have their own."""
    present = numpy.array([position for position in positions if position is not None])
    distinct, inverse, counts = numpy.unique(present, return_inverse=True, return_counts=True)
    count = min(MOST_BINS, max(2, len(present) // _PER_BIN))
    if len(distinct) <= MOST_BINS:
        of_distinct = numpy.arange(len(distinct))
    else:
        middle = (numpy.cumsum(counts) - counts / 2) / len(present)
        of_distinct = (middle * count).astype(numpy.int64)
    bins = numpy.full(len(positions), -1, dtype=numpy.int64)
    bins[[position is not None for position in positions]] = of_distinct[inverse]
    return bins


def _shares(bins: NDArray[numpy.int64], orders: Ranks) -> Ranks:
    """Epsilon squared of each row of `orders`, shape (rows, n), no less than 0."""
    _, inverse, counts = numpy.unique(bins, return_inverse=True, return_counts=True)
    n, groups = len(bins), len(counts)
    if groups < 2 or n <= groups:
        return numpy.zeros(len(orders))
    centred = orders - orders.mean(axis=1, keepdims=True)
    sums = centred @ numpy.eye(groups)[inverse]  # (rows, groups)
    between = (sums**2 / counts).sum(axis=1)
    total = (centred**2).sum(axis=1)
    eta = between / total
    shares: Ranks = numpy.maximum(0.0, 1 - (1 - eta) * (n - 1) / (n - groups))
    return shares
