"""What samplers that know several metrics and constraints share: losses by trial, and the order of the trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from scipy.special import ndtri

from automl.problem.search_space import SearchSpace
from automl.search import pareto
from automl.search.earlier_search import EarlierSearch, FurtherMetric
from automl.search.samplers.base import Request, Trial
from automl.search.samplers.knowledge import Knowledge
from automl.search.surrogates.earlier import Earlier
from automl.search.surrogates.warp import Array

Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_FEWEST = 2  # trials that a model needs
_KEPT = 32  # earlier searches in the order of their metrics, between proposals
_MARGIN = 0.1  # of a front's range, that its reference point is worse than its worst


def has_several(trials: Sequence[Trial], request: Request) -> bool:
    """Whether these are trials of a study with several metrics or with constraints.

    Where earlier searches teach a study of one metric, what breaks a constraint is avoided as what fails.
    """
    if request.earlier:
        return any(search.further for search in request.earlier)
    return any(trial.scores for trial in trials)


def knowledge_of(space: SearchSpace, trials: Sequence[Trial], request: Request, tail: float) -> Knowledge:
    """What is known of several metrics: a trial that breaks a constraint has numbers too, and is learned from.

    What was not measured has failed. The targets of the knowledge are those of the first metric alone.
    """
    knowledge = _with_earlier(Knowledge.of(space, [_with_its_score(trial) for trial in trials], request, tail), request)
    if not knowledge.unfit or not knowledge.features.axes or len(knowledge.scores) < _FEWEST:
        return knowledge
    columns = list(zip(*(scores + excesses for scores, excesses in _both(knowledge)), strict=True))
    return replace(knowledge, unfit="") if any(len(set(column)) > 1 for column in columns) else knowledge


def _with_earlier(knowledge: Knowledge, request: Request) -> Knowledge:
    """The knowledge with earlier searches in the order of all their metrics, compared with that of the trials."""
    if not request.earlier:
        return knowledge
    order = Objectives.of(knowledge).order()[0] if knowledge.scores else []
    places = np.empty(len(order))
    places[order] = ndtri((np.arange(len(order)) + 0.5) / max(len(order), 1))
    ranked = tuple(joint(search) for search in request.earlier)
    earlier = Earlier.of(knowledge.features, ranked, knowledge.rows, places)
    return replace(knowledge, earlier=earlier, searches=request.earlier)


@lru_cache(maxsize=_KEPT)
def joint(search: EarlierSearch) -> EarlierSearch:
    """An earlier search whose trials are ranked by all metrics of the study that they have."""
    return replace(search, ranks=joint_ranks(search.ranks, search.further))


@lru_cache(maxsize=_KEPT)
def of_metric(search: EarlierSearch, place: int) -> EarlierSearch | None:
    """The trials that have a metric, ranked by it; None where they have no order. The first metric has the place 0."""
    if place == 0:
        return search
    ranks = search.further[place - 1].ranks
    having = [(values, rank) for values, rank in zip(search.values, ranks, strict=True) if rank is not None]
    if len({rank for _, rank in having}) < _FEWEST:
        return None
    return replace(search, values=tuple(v for v, _ in having), ranks=tuple(r for _, r in having), further=())


def joint_ranks(first: Sequence[float], further: Sequence[FurtherMetric]) -> tuple[float, ...]:
    """Ranks from 0 for the worst trial to 1 for the best, by fronts of all metrics that any trial has.

    Trials that lack one of these are behind the others, in the order of the first metric.
    """
    columns = [first, *(one.ranks for one in further if one.count)]
    rows = list(zip(*columns, strict=True))
    whole = [place for place, row in enumerate(rows) if None not in row]
    losses = np.array([[1.0 - (rank or 0.0) for rank in rows[place]] for place in whole]).reshape(-1, len(columns))
    ahead = Objectives(losses, np.empty((len(whole), 0))).order()[0]
    behind = sorted(set(range(len(rows))) - set(whole), key=lambda place: (-first[place], place))
    order = [*(whole[place] for place in ahead), *behind]
    ranks = dict(zip(order, np.linspace(1.0, 0.0, len(order)).tolist(), strict=True))
    return tuple(ranks[place] for place in range(len(rows)))


def _with_its_score(trial: Trial) -> Trial:
    is_whole = bool(trial.scores) and all(map(math.isfinite, trial.excesses))
    return replace(trial, score=trial.scores[0]) if is_whole else replace(trial, score=None)


def _both(knowledge: Knowledge) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    return list(zip(knowledge.scores, knowledge.excesses, strict=True))


def ordered(space: SearchSpace, trials: Sequence[Trial], request: Request, tail: float) -> Knowledge | None:
    """The knowledge of several metrics, whose targets are the places of the trials; None of one metric."""
    if not has_several(trials, request):
        return None
    knowledge = knowledge_of(space, trials, request, tail)
    order, _ = Objectives.of(knowledge).order() if knowledge.scores else ([], [])
    targets = np.empty(len(order))
    targets[order] = np.arange(len(order))
    return replace(knowledge, targets=targets)


@dataclass(frozen=True)
class Objectives:
    """The trials of a knowledge as losses, shape (trials, metrics), and excesses, shape (trials, constraints)."""

    losses: Array
    excesses: Array

    @classmethod
    def of(cls, knowledge: Knowledge) -> Objectives:
        count = len(knowledge.scores)
        losses = -np.array(knowledge.scores, dtype=float).reshape(count, -1)
        return cls(losses, np.array(knowledge.excesses, dtype=float).reshape(count, -1))

    @property
    def feasible(self) -> Flags:
        """Which trials break no constraint."""
        return np.asarray((self.excesses <= 0).all(axis=1))

    def order(self) -> tuple[list[int], list[int]]:
        """The places of the trials, the best first, and the front of each of them; infeasible ones are behind all.

        By front and, in each, by the hypervolume that a trial adds to it (crowding beyond three metrics, where that
        takes long); infeasible ones by how much they break.
        """
        feasible = np.flatnonzero(self.feasible)
        points = [tuple(row) for row in scaled(self.losses)[feasible].tolist()]
        fronts = pareto.ranks(points)
        lonely = [0.0] * len(points)
        for front in set(fronts):
            places = [place for place, number in enumerate(fronts) if number == front]
            for place, gain in zip(places, _spread([points[place] for place in places]), strict=True):
                lonely[place] = gain
        ahead = sorted(range(len(points)), key=lambda place: (fronts[place], -lonely[place], place))
        broken = np.flatnonzero(np.logical_not(self.feasible))
        off = np.maximum(self.excesses[broken], 0.0).sum(axis=1)
        behind = [int(broken[place]) for place in np.argsort(off, kind="stable")]
        last = max(fronts, default=-1) + 1
        order = [*(int(feasible[place]) for place in ahead), *behind]
        return order, [*(fronts[place] for place in ahead), *([last] * len(behind))]


def scaled(losses: Array) -> Array:
    """Every column from 0 to 1, or 0 where it is constant."""
    if not len(losses):
        return losses
    low, width = losses.min(axis=0), np.ptp(losses, axis=0)
    return np.asarray((losses - low) / np.where(width > 0, width, 1.0))


def _spread(front: Sequence[tuple[float, ...]]) -> list[float]:
    if len(front[0]) in {2, 3}:
        return pareto.contributions(front, reference(front))
    return pareto.crowding(front)


def reference(front: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """A point that is worse than a front in every objective, by a tenth of its range."""
    return tuple(max(column) + _MARGIN * ((max(column) - min(column)) or 1.0) for column in zip(*front, strict=True))
