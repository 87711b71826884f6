"""CMA-ES: a normal distribution moves to where the better half of each generation lies, and takes its shape.

The evolution strategy with covariance matrix adaptation of Hansen & Ostermeier (2001), with the constants of Hansen's
tutorial (2016, arXiv 1604.00772, table 1, without negative weights). It keeps no state: the strategy is computed anew
from the trials, every generation of them in the order issued. What the strategy did not draw itself, such as the
defaults, is shortened as Hansen (2011, "Injecting external solutions") does it. Whole numbers keep a least deviation,
so that a cell can be left (the margin of Hamano et al. 2022, without their correction of the mean). Options have
probabilities of their own that move with the generations and never vanish (as in CatCMA, Hamano et al. 2024).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri
from threadpoolctl import threadpool_limits

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.knowledge import Knowledge, propose
from automl.search.surrogates.feasibility import fails_by_itself, has_score
from automl.search.surrogates.features import ABSENT, Features, Rows
from automl.search.surrogates.warp import Array

_DRAWS = 16  # for one proposal, in case the first ones were tried or are likely to fail
_TAIL = 3.0  # of Knowledge; ranks do not depend on it


@dataclass(frozen=True)
class Evolution:
    """`deviation` is the standard deviation of the first generation, in shares of a range."""

    deviation: float = 0.25

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        # With more threads BLAS sums in another order, and the last bits end in other proposals.
        with threadpool_limits(limits=1):
            knowledge = Knowledge.of(space, trials, request, _TAIL)
            strategy = _Strategy(knowledge.features, _start(knowledge, request), self.deviation)
            told = [trial for trial in trials if has_score(trial) or fails_by_itself(trial)]
            read = [(trial, knowledge.features.row(trial.values, space.encode(trial.values))) for trial in told]
            for first in range(0, len(read) - strategy.size + 1, strategy.size):
                generation = read[first : first + strategy.size]
                scored = [(-float(trial.score or 0.0), row) for trial, row in generation if has_score(trial)]
                strategy.learn([row for _, row in sorted(scored)])
            member = _Draws(knowledge, strategy)
            return propose(knowledge, request, 0, lambda _known: lambda _index, _rng: member)


def _start(knowledge: Knowledge, request: Request) -> Array:
    """The best of an earlier search that no result contradicts; else the first configuration that others chose.

    That are the defaults. Without either it is the middle of every range.
    """
    features = knowledge.features
    if knowledge.earlier is not None and any(knowledge.earlier.agreeing):
        return np.asarray(knowledge.earlier.best_first()[0])
    if not request.chosen:
        return np.full(len(features.axes), 0.5)
    return np.array(features.row(request.chosen[0], features.space.encode(request.chosen[0])))


@dataclass
class _Strategy:
    """The distribution: a normal one over the axes with an order, and probabilities for the options of the others."""

    features: Features
    start: Array
    deviation: float
    generations: int = 0
    chances: dict[int, Array] = field(default_factory=dict)  # of every option, for each axis without an order

    def __post_init__(self) -> None:
        axes, numeric = len(self.features.axes), len(self.features.numeric)
        self.size = 4 + math.floor(3 * math.log(max(axes, 1)))  # of a generation
        self._mean = self.start[self.features.numeric]
        self._covariance = np.eye(numeric)
        self._path, self._step_path = np.zeros(numeric), np.zeros(numeric)
        for place in self.features.categorical:
            self.chances[int(place)] = self._kept_alive(np.asarray(self.features.axes[place].shares))

    def learn(self, rows: Sequence[Rows | list[float]]) -> None:
        """Move to the better half of a generation. `rows` are those of it that gave a score, the best first."""
        self.generations += 1
        parents = min(self.size // 2, len(rows))
        if parents == 0:
            return
        raw = math.log(self.size / 2 + 0.5) - np.log(np.arange(1, parents + 1))
        weights = raw / raw.sum()
        best = np.asarray(rows[:parents])
        for place in self.chances:
            self._move_chances(place, best[:, place], weights)
        if len(self.features.numeric):
            self._move(best[:, self.features.numeric], weights)

    def draw(self, count: int, rng: np.random.Generator) -> Rows:
        rows = np.empty((count, len(self.features.axes)))
        normal, uniform = rng.standard_normal((count, len(self._mean))), rng.random((count, len(self.chances)))
        values, vectors = np.linalg.eigh(self._covariance)
        steps = normal * np.sqrt(np.maximum(values, 0.0)) @ vectors.T * self.deviation
        rows[:, self.features.numeric] = self._mean + steps * self._widened()
        for column, (place, chances) in enumerate(self.chances.items()):
            ends = np.cumsum(chances)
            rows[:, place] = np.minimum(np.searchsorted(ends, uniform[:, column], side="right"), len(chances) - 1)
        return self.features.settled(rows)

    def _move(self, best: Rows, weights: Array) -> None:
        """Mean, step and covariance: equations 42 to 49 of the tutorial."""
        n = len(self._mean)
        mass = 1 / float((weights**2).sum())
        for_step = (mass + 2) / (n + mass + 5)
        damping = 1 + 2 * max(0.0, math.sqrt((mass - 1) / (n + 1)) - 1) + for_step
        for_path = (4 + mass / n) / (n + 4 + 2 * mass / n)
        rank_one = 2 / ((n + 1.3) ** 2 + mass)
        rank_many = min(1 - rank_one, 2 * (mass - 2 + 1 / mass) / ((n + 2) ** 2 + mass))
        values, vectors = np.linalg.eigh(self._covariance)
        whitening = vectors / np.sqrt(np.maximum(values, 1e-12)) @ vectors.T
        steps = (best - self._mean) / self.deviation
        lengths = np.linalg.norm(steps @ whitening, axis=1)
        longest = math.sqrt(n) + 2 * n / (n + 2)
        steps = steps * np.minimum(1.0, longest / np.maximum(lengths, 1e-12))[:, None]
        step = weights @ steps
        self._mean = np.clip(self._mean + self.deviation * step, 0.0, 1.0)
        self._step_path *= 1 - for_step
        self._step_path += math.sqrt(for_step * (2 - for_step) * mass) * (whitening @ step)
        usual = math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2))  # the expected length of a normal vector
        length = float(np.linalg.norm(self._step_path))
        stalled = length / math.sqrt(1 - (1 - for_step) ** (2 * self.generations)) >= (1.4 + 2 / (n + 1)) * usual
        self._path *= 1 - for_path
        if not stalled:
            self._path += math.sqrt(for_path * (2 - for_path) * mass) * step
        kept = 1 - rank_one - rank_many + (rank_one * for_path * (2 - for_path) if stalled else 0.0)
        spread = (steps * weights[:, None]).T @ steps
        self._covariance = kept * self._covariance + rank_one * np.outer(self._path, self._path) + rank_many * spread
        self.deviation = min(self.deviation * math.exp(min(1.0, for_step / damping * (length / usual - 1))), 0.5)

    def _move_chances(self, place: int, options: Array, weights: Array) -> None:
        chances, present = self.chances[place], options != ABSENT
        if not present.any():
            return
        own = options[present][:, None] == np.arange(len(chances))
        weights = weights[present] / weights[present].sum()
        self.chances[place] = self._kept_alive(chances + (weights @ own - chances) / len(chances))

    def _kept_alive(self, chances: Array) -> Array:
        """No option is rarer than the margin of CatCMA, at which one row in four has a rare option somewhere."""
        least = (1 - 0.73 ** (1 / len(self.features.categorical))) / (len(chances) - 1)
        chances = np.maximum(chances, min(least, 1 / len(chances)))
        return np.asarray(chances / chances.sum())

    def _widened(self) -> Array:
        """How much longer the steps are along each axis, so that one of a generation is expected to leave a cell."""
        factors = np.ones(len(self._mean))
        deviations = self.deviation * np.sqrt(np.maximum(np.diag(self._covariance), 1e-24))
        far = float(ndtri(1 - 0.5 / (self.size * max(len(self._mean), 1))))
        for column, place in enumerate(self.features.numeric):
            if centres := self.features.axes[place].centres:
                nearest = int(np.argmin(np.abs(np.asarray(centres) - self._mean[column])))
                gaps = np.abs(np.diff(centres[max(nearest - 1, 0) : nearest + 2]))
                factors[column] = max(1.0, float(gaps.min()) / 2 / far / deviations[column])
        return factors


@dataclass(frozen=True)
class _Draws:
    """Proposes draws of the strategy, the likelier to be trained first."""

    knowledge: Knowledge
    strategy: _Strategy

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:  # noqa: ARG002 - draws lie apart
        strategy = self.strategy
        rows = strategy.draw(_DRAWS, rng)
        order = np.argsort(-self.knowledge.feasibility.weighed(np.zeros(len(rows)), rows), kind="stable")
        reason = (
            f"drawn in generation {strategy.generations + 1} with a step of {strategy.deviation:.2g} of the ranges "
            f"(CMA-ES on {self.knowledge.words}, {strategy.size} in a generation)"
        )
        return rows[order], reason


_KEEPS_THE_PROTOCOL: type[Sampler] = Evolution
