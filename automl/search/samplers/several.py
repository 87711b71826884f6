"""What samplers that know several metrics and constraints share: losses by trial, and the order of the trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from automl.problem.search_space import SearchSpace
from automl.search import pareto
from automl.search.samplers.base import Request, Trial
from automl.search.samplers.knowledge import Knowledge
from automl.search.surrogates.warp import Array

Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_FEWEST = 2  # trials that a model needs
_MARGIN = 0.1  # of a front's range, that its reference point is worse than its worst


def has_several(trials: Sequence[Trial], request: Request) -> bool:
    """Whether these are trials of a study with several metrics or with constraints.

    Where earlier searches teach too (then there is one metric), what breaks a constraint is avoided as what fails.
    """
    return any(trial.scores for trial in trials) and not request.earlier


def knowledge_of(space: SearchSpace, trials: Sequence[Trial], request: Request, tail: float) -> Knowledge:
    """What is known of several metrics: a trial that breaks a constraint has numbers too, and is learned from.

    What was not measured has failed. The targets of the knowledge are those of the first metric alone.
    """
    knowledge = Knowledge.of(space, [_with_its_score(trial) for trial in trials], request, tail)
    if not knowledge.unfit or not knowledge.features.axes or len(knowledge.scores) < _FEWEST:
        return knowledge
    columns = list(zip(*(scores + excesses for scores, excesses in _both(knowledge)), strict=True))
    return replace(knowledge, unfit="") if any(len(set(column)) > 1 for column in columns) else knowledge


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
