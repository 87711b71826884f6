"""Draws many configurations and proposes the one whose neighbours among the trials are the best.

The value of a draw is estimated by kernel regression on the ranks of the trials (Nadaraya 1964, Watson 1964), shrunk
to the middle where no trial is near, with an allowance for what is not known there. Only a few draws are compared, so a
proposal is among the best few percent of the space by this estimate, and not where the estimate is greatest: proposals
stay spread, and the search goes on where the first results mislead, as those of short trainings often do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.knowledge import Knowledge, Turn, propose
from automl.search.samplers.several import ordered
from automl.search.surrogates.comparisons import strengths
from automl.search.surrogates.features import Features, Rows
from automl.search.surrogates.warp import Array

_TAIL = 3.0  # interquartile ranges below the median at which a score is clipped, as in TPE


@dataclass(frozen=True)
class Neighbours:
    """Settings: even starts, and `draws` that are compared.

    `width` is the deviation of the kernel, as a share of a parameter's range; options that differ are as far apart as
    one deviation. `shrinkage` is the weight of the middle beside the trials. `allowance` is how much a draw with no
    trial near it gains, in standard deviations of the trials.
    """

    starts: int = 8
    draws: int = 64
    width: float = 0.25
    shrinkage: float = 0.1
    allowance: float = 0.5

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        # With more threads BLAS sums in another order, and the last bits end in other proposals.
        with threadpool_limits(limits=1):
            knowledge = ordered(space, trials, request, _TAIL) or Knowledge.of(space, trials, request, _TAIL)
            return propose(knowledge, request, self.starts, self._turns)

    def _turns(self, knowledge: Knowledge) -> Turn:
        return lambda _index, _rng: NeighboursMember(knowledge, self)  # where there is nothing to learn, nobody's turn


class NeighboursMember:
    """The trials of a study, each with the logarithm of its odds to be better than another."""

    def __init__(self, knowledge: Knowledge, settings: Neighbours) -> None:
        self._knowledge, self._settings = knowledge, settings
        self._odds = strengths(knowledge.targets[None])
        self._spread = float(self._odds.std())

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:
        knowledge, settings = self._knowledge, self._settings
        rows = np.vstack([knowledge.rows, pending])
        odds = np.append(self._odds, np.zeros(len(pending)))  # what has no result yet counts as middling
        drawn = knowledge.features.draw(settings.draws, rng)
        near = closeness(knowledge.features, drawn, rows, settings.width)
        weight = near.sum(axis=1)
        expected = (near * odds).sum(axis=1) / (weight + settings.shrinkage)
        unknown = settings.allowance * self._spread / np.sqrt(1 + weight / settings.shrinkage)
        gains = knowledge.feasibility.weighed(expected + unknown, drawn)
        order = np.argsort(-gains, kind="stable")
        share = 1 / (1 + math.exp(-float(expected[order[0]])))
        reason = (
            f"judged by its neighbours it is better than {share:.0%} of the trials; with what is not known there, the "
            f"best of {settings.draws} draws (kernel regression on {knowledge.words})"
        )
        return drawn[order], reason


def closeness(features: Features, some: Rows, others: Rows, width: float) -> Array:
    """How near every row of `some` is to every one of `others`, from 0 to 1, shape (some, others).

    A Gaussian kernel of deviation `width` along every axis with an order; two options are one deviation apart.
    """
    weights = np.full(len(features.axes), 1.0)
    weights[features.numeric] = width**-2
    one, other = features.embedded(some, weights), features.embedded(others, weights)
    squares = ((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(np.exp(-0.5 * squares))


_KEEPS_THE_PROTOCOL: type[Sampler] = Neighbours
