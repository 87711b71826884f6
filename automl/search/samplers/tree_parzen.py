"""TPE: draws from where good trials are dense, and keeps the draw where they are densest beside the others.

The tree-structured Parzen estimator of Bergstra, Bardenet, Bengio & Kégl (2011), multivariate as of Falkner, Klein &
Hutter (2018): a trial is one kernel over all axes at once, so that what goes together stays together. Prior weight and
"magic clipping" of the bandwidths are those of Bergstra's hyperopt, as Watanabe (2023) describes them; what has no
result counts among the bad (a constant liar). Of several metrics the good are those of the first fronts, and in the
last of these the ones that add most hypervolume (MOTPE; Ozaki, Tanigaki, Watanabe & Onishi 2020, with equal weights);
who breaks a constraint comes behind.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri
from threadpoolctl import threadpool_limits

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.knowledge import Knowledge, Turn, propose
from automl.search.samplers.several import ordered
from automl.search.surrogates.features import Features, Rows
from automl.search.surrogates.warp import Array


@dataclass(frozen=True)
class TreeParzen:
    """Settings: even starts, draws of which the best is taken, the share of good trials, the weight of the prior."""

    starts: int = 4
    draws: int = 24
    good: float = 0.1
    prior: float = 1.0
    tail: float = 3.0

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        # With more threads BLAS sums in another order, and the last bits end in other proposals.
        with threadpool_limits(limits=1):
            knowledge = ordered(space, trials, request, self.tail) or Knowledge.of(space, trials, request, self.tail)
            return propose(knowledge, request, self.starts, self._turns)

    def _turns(self, knowledge: Knowledge) -> Turn:
        member = ParzenMember(knowledge, self)
        return lambda _index, _rng: member


class ParzenMember:
    """Two densities of the study's trials, of the good ones and of the others."""

    def __init__(self, knowledge: Knowledge, settings: TreeParzen) -> None:
        self._knowledge, self._settings = knowledge, settings

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:
        knowledge, settings = self._knowledge, self._settings
        order = np.argsort(knowledge.targets, kind="stable")
        count = min(math.ceil(settings.good * len(order)), 25)
        rows = knowledge.rows[order]
        good, others = self._densities(rows[:count], np.vstack([rows[count:], pending]))
        drawn = knowledge.features.settled(good.draw(settings.draws, rng))
        gains = knowledge.feasibility.weighed(good.log(drawn) - others.log(drawn), drawn)
        best = np.argsort(-gains, kind="stable")
        reason = (
            f"{math.exp(min(float(gains[best[0]]), 50.0)):.3g} times as dense in the {count} best trials as in the "
            f"others, the most of {settings.draws} draws (TPE on {knowledge.words})"
        )
        return drawn[best], reason

    def _densities(self, good: Rows, others: Rows) -> tuple[_Density, _Density]:
        """The densities of the good trials and of the others, with those of earlier searches as far as trusted."""
        knowledge, settings = self._knowledge, self._settings
        features, earlier = knowledge.features, knowledge.earlier
        if earlier is None or earlier.trust == 0:
            return _Density(features, good, settings.prior), _Density(features, others, settings.prior)
        theirs, weights, rest, rest_weights = earlier.rows_with_weights(settings.good)
        return (
            _Density(features, np.vstack([good, theirs]), settings.prior, _joined(good, weights)),
            _Density(features, np.vstack([others, rest]), settings.prior, _joined(others, rest_weights)),
        )


def _joined(own: Rows, weights: Array) -> Array:
    return np.concatenate([np.ones(len(own)), weights])


class _Density:
    """A mixture: the prior, and around every row a kernel that is a product over the axes.

    `weights` are those of the rows; without them every row counts 1.
    """

    def __init__(self, features: Features, rows: Rows, prior: float, weights: Array | None = None) -> None:
        self._features, self._rows = features, rows
        kernels, axes = len(rows) + 1, max(len(features.axes), 1)
        weights = np.append(np.ones(len(rows)) if weights is None else weights, prior)
        self._log_weights = np.log(weights / weights.sum())
        # Scott's rule, and no kernel narrower than its share of the range: "magic clipping".
        width = max(0.2 * kernels ** (-1 / (axes + 4)), 1 / min(100, kernels))
        self._centres = np.vstack([rows, np.full(len(features.axes), 0.5)])
        self._widths = np.append(np.full(len(rows), width), 1.0)
        self._smooth = prior / kernels

    def draw(self, count: int, rng: np.random.Generator) -> Rows:
        kernel = rng.choice(len(self._centres), size=count, p=np.exp(self._log_weights))
        uniform = rng.random((count, len(self._features.axes)))
        rows = np.empty_like(uniform)
        for place, axis in enumerate(self._features.axes):
            if axis.options:
                ends = np.cumsum(self._chances(place)[kernel], axis=1)
                rows[:, place] = np.minimum((uniform[:, place][:, None] >= ends).sum(axis=1), axis.options - 1)
            else:
                centre, width = self._centres[kernel, place], self._widths[kernel]
                low, high = ndtr(-centre / width), ndtr((1 - centre) / width)
                rows[:, place] = centre + width * ndtri(low + uniform[:, place] * (high - low))
        return rows

    def log(self, rows: Rows) -> Array:
        """The logarithm of the density at each row."""
        total = np.tile(self._log_weights, (len(rows), 1))
        for place, axis in enumerate(self._features.axes):
            column = rows[:, place]
            if axis.options:
                present = column >= 0
                chances = np.log(self._chances(place))
                total += np.where(present[:, None], chances[:, np.maximum(column, 0).astype(int)].T, 0.0)
            else:
                centre, width = self._centres[:, place], self._widths
                inside = np.log(ndtr((1 - centre) / width) - ndtr(-centre / width))
                total += -0.5 * ((column[:, None] - centre) / width) ** 2 - np.log(width) - inside
        return np.asarray(logsumexp(total, axis=1))

    def _chances(self, place: int) -> Array:
        """The probability of each option in each kernel, shape (kernels, options)."""
        axis = self._features.axes[place]
        shares = np.asarray(axis.shares)
        own = self._rows[:, place][:, None] == np.arange(axis.options)
        chances = np.vstack([own + self._smooth * shares, shares])
        absent = np.append(self._rows[:, place] < 0, [False])
        chances[absent] = shares
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))


_KEEPS_THE_PROTOCOL: type[Sampler] = TreeParzen
