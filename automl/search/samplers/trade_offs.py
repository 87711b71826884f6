"""Gaussian processes, one for each metric and constraint, propose where the most hypervolume is expected.

The acquisition function is the expected hypervolume improvement (Emmerich et al. 2011), exact for two and three
metrics; beyond, a random direction each time, by the augmented Chebyshev sum (ParEGO, Knowles 2006), and its expected
improvement. It is multiplied by the probability that the constraints hold (Gardner et al. 2014); while nothing is
feasible that probability alone is sought. What has no result yet is taken for what the processes expect of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import log_ndtr

from automl.search import pareto
from automl.search.rules import EVIDENCE_FIRST, FARTHER_REFERENCE
from automl.search.samplers.gain_search import WALKS, searched
from automl.search.samplers.informed import informed
from automl.search.samplers.knowledge import Knowledge
from automl.search.samplers.several import Objectives, of_metric, reference
from automl.search.surrogates.earlier import Earlier, Informed
from automl.search.surrogates.features import Rows
from automl.search.surrogates.hypervolume import MOST_OBJECTIVES, expected_gain, most_points
from automl.search.surrogates.priors import Priors
from automl.search.surrogates.process import Process, log_expected_improvement, rank_correlation
from automl.search.surrogates.warp import Array, Warp, standardised

_LEAST = 1e-300  # of a gain whose logarithm is taken
_FAR = 3.0  # deviations beyond which an excess is not told from a larger one
_TAIL = 3.0  # interquartile ranges above the median, where a loss is clipped
_LATE_TAIL = 10.0  # the same in studies of before
_BEHIND = 0.2  # of the range of all feasible trials: how far the reference of the hypervolume lies behind the front
_LEAST_BEHIND = 1e-6
_PAREGO = 0.05  # the weight of the sum beside the greatest


@dataclass(frozen=True)
class _Belief:
    """A process on the targets of one metric."""

    process: Process | Informed
    targets: Array


class TradeOffMember:
    """Processes on the study's trials."""

    def __init__(self, knowledge: Knowledge, candidates: int, priors: Priors) -> None:
        self._knowledge, self._candidates = knowledge, candidates
        self._objectives = Objectives.of(knowledge)
        self._beliefs = [
            _belief(knowledge, place, column, priors) for place, column in enumerate(self._objectives.losses.T)
        ]
        self._bounds = [
            _bound(knowledge, column, priors) for column in self._objectives.excesses.T if np.ptp(column) > 0
        ]
        self._pending = 0

    @property
    def correlation(self) -> float:
        """How right the processes are: the mean rank correlation of what they expect of each trial from the others."""
        found = [rank_correlation(one.process.left_out(), one.targets) for one in self._beliefs]
        return sum(found) / len(found)

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:
        knowledge = self._knowledge
        self._suppose(pending)
        front, words = self._front(), "expected hypervolume"
        worst = None if front is None else self._worst(front)
        directions = rng.dirichlet(np.ones(len(self._beliefs)))

        def gain(rows: Rows) -> Array:
            return knowledge.feasibility.weighed(self._gain(rows, front, worst, directions) + self._holds(rows), rows)

        order, fronts = self._objectives.order()
        rows = searched(knowledge.features, gain, knowledge.rows[order[:WALKS]], self._candidates, rng)
        if front is None:
            words = "probability that the constraints hold, which no trial has met yet"
        elif len(self._beliefs) == 1:
            words = "expected improvement"
        elif len(self._beliefs) > MOST_OBJECTIVES:
            words = "expected improvement in a random direction of the metrics"
        return rows, self._words(words, fronts.count(0), len(pending))

    def _front(self) -> Array | None:
        """The targets of the feasible trials and of what has no result, as the processes see them; None without any."""
        count = len(self._knowledge.rows)
        seen = np.column_stack([one.process.means() for one in self._beliefs])
        feasible = np.concatenate([self._objectives.feasible, np.full(len(seen) - count, True)])
        if not self._objectives.feasible.any():
            return None
        points = [tuple(row) for row in seen[feasible].tolist()]
        front = [point for point, rank in zip(points, pareto.ranks(points), strict=True) if rank == 0]
        most = most_points(len(self._beliefs))
        if len(front) > most:
            lonely = pareto.crowding(front)
            front = [front[place] for place in sorted(range(len(front)), key=lambda place: -lonely[place])[:most]]
        return np.array(front)

    def _gain(self, rows: Rows, front: Array | None, worst: tuple[float, ...] | None, directions: Array) -> Array:
        """The logarithm of what each row is expected to bring."""
        if front is None or worst is None:
            return np.zeros(len(rows))
        means, deviations = (
            np.column_stack(parts) for parts in zip(*(one.process.predict(rows) for one in self._beliefs), strict=True)
        )
        if len(self._beliefs) == 1:
            return log_expected_improvement(means[:, 0], deviations[:, 0], float(front.min()))
        if len(self._beliefs) > MOST_OBJECTIVES:
            return self._chebyshev(means, deviations, front, directions)
        return np.asarray(np.log(np.maximum(expected_gain(means, deviations, front, worst), _LEAST)))

    def _worst(self, front: Array) -> tuple[float, ...]:
        """The point that hypervolume is counted from.

        A front may be a few neighbours, and behind it by a part of its own range nothing else would be worth a try.
        With three metrics that is rare, and a farther reference finds less (docs/search_quality.md).
        """
        if self._knowledge.rules < FARTHER_REFERENCE or len(self._beliefs) > 2:
            return reference([tuple(point) for point in front.tolist()])
        seen = np.column_stack([one.process.means() for one in self._beliefs])[: len(self._knowledge.rows)]
        behind = front.max(axis=0) + _BEHIND * np.ptp(seen[self._objectives.feasible], axis=0)
        return tuple(np.maximum(behind, front.max(axis=0) + _LEAST_BEHIND).tolist())

    def _chebyshev(self, means: Array, deviations: Array, front: Array, directions: Array) -> Array:
        low, width = front.min(axis=0), np.maximum(np.ptp(front, axis=0), 1e-9)

        def value(points: Array) -> Array:
            weighted = directions * (points - low) / width
            return np.asarray(weighted.max(axis=1) + _PAREGO * weighted.sum(axis=1))

        spread = np.sqrt(((directions * deviations / width) ** 2).sum(axis=1))
        return log_expected_improvement(value(means), spread, float(value(front).min()))

    def _holds(self, rows: Rows) -> Array:
        """The logarithm of the probability that all constraints hold."""
        total = np.zeros(len(rows))
        for bound, limit in self._bounds:
            mean, deviation = bound.predict(rows)
            total += log_ndtr((limit - mean) / np.sqrt(deviation**2 + bound.noise))
        return total

    def _suppose(self, pending: Rows) -> None:
        if len(pending) == self._pending:
            return
        self._pending = len(pending)
        for one in self._beliefs:
            one.process.condition(self._knowledge.rows, one.targets)
            mean, _ = one.process.predict(pending)
            rows = np.vstack([self._knowledge.rows, pending])
            one.process.condition(rows, np.concatenate([one.targets, mean]))

    def _words(self, what: str, front: int, pending: int) -> str:
        count = len(self._beliefs) + len(self._bounds)
        told = self._knowledge.words + (f", and {pending} without a result" if pending else "")
        on_it = f", {front} of them on the front" if len(self._beliefs) > 1 else ""
        processes = "a Gaussian process" if count == 1 else f"{count} Gaussian processes"
        return f"greatest {what} ({processes} on {told}{on_it})"


def _belief(knowledge: Knowledge, place: int, losses: Array, priors: Priors) -> _Belief:
    """A process on the losses of the metric at a place, whose prior mean is what earlier searches expect of it."""
    targets = _targets(losses, bent=knowledge.rules < EVIDENCE_FIRST)
    known = replace(knowledge, targets=targets, earlier=_earlier_of(knowledge, place, targets))
    return _Belief(informed(known, knowledge.features, knowledge.rows, priors), targets)


def _earlier_of(knowledge: Knowledge, place: int, targets: Array) -> Earlier | None:
    """What earlier searches say of one metric, as far as they rank it; None where none measured it, or has a say."""
    if knowledge.earlier is None or knowledge.earlier.trust == 0:
        return None
    searches = tuple(one for search in knowledge.searches if (one := of_metric(search, place)) is not None)
    return Earlier.of(knowledge.features, searches, knowledge.rows, targets) if searches else None


def _targets(losses: Array, *, bent: bool) -> Array:
    """The losses of a metric as a process wants them; `bent` as in studies of before."""
    if not bent:
        return standardised(losses, _TAIL)
    warp = Warp.fit(losses, _LATE_TAIL)
    return np.zeros(len(losses)) if warp is None else warp.targets(losses)


def _bound(knowledge: Knowledge, excesses: Array, priors: Priors) -> tuple[Process, float]:
    """A process on the excess of a constraint, in its deviations, and where the limit lies."""
    scale = float(np.std(excesses)) or 1.0
    middle = float(np.mean(excesses))
    targets = np.clip((excesses - middle) / scale, -_FAR, _FAR)
    return Process(knowledge.features, knowledge.rows, targets, priors), -middle / scale
