"""NSGA-II: the better half of what was tried has children, by fronts and crowding.

The non-dominated sorting genetic algorithm of Deb, Pratap, Agarwal & Meyarivan (2002), with constrained domination
(Deb 2000). It keeps no state: the parents are the best of all trials, so that nothing good is ever lost and a child has
a chance as soon as its result is there (steady state). Two tournaments of two choose the parents; numbers are crossed
by simulated binary crossover and changed by polynomial mutation (Deb & Agrawal 1995), options are taken from either
parent and now and then drawn anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.knowledge import Knowledge, propose
from automl.search.samplers.several import Objectives, has_several, knowledge_of
from automl.search.surrogates.features import ABSENT, Rows
from automl.search.surrogates.warp import Array

_TAIL = 3.0  # of Knowledge; ranks do not depend on it
_SMALLEST, _LARGEST = 10, 50  # populations
_GENERATIONS = 5  # that a search has at least, where it is not very short
_CHILDREN = 16  # for one proposal, in case the first ones were tried or are likely to fail


@dataclass(frozen=True)
class NSGA2:
    """`population` is the number of parents, and of even starts; None: a fifth of the search, from 10 to 50.

    `crossover` and `mutation` are the distribution indices of Deb & Agrawal: larger ones keep children nearer.
    """

    population: int | None = None
    crossover: float = 10.0
    mutation: float = 15.0

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        # With more threads BLAS sums in another order, and the last bits end in other proposals.
        with threadpool_limits(limits=1):
            told = knowledge_of if has_several(trials, request) else Knowledge.of
            knowledge = told(space, trials, request, _TAIL)
            size = self.population or min(_LARGEST, max(_SMALLEST, request.total // _GENERATIONS))
            member = _Children(self, knowledge, size)
            return propose(knowledge, request, size, lambda _known: lambda _index, _rng: member)


class _Children:
    """Proposes children of the best trials, the likelier to be trained first."""

    def __init__(self, settings: NSGA2, knowledge: Knowledge, size: int) -> None:
        self._settings, self._knowledge = settings, knowledge
        if knowledge.scores and knowledge.scores[0]:
            order, fronts = Objectives.of(knowledge).order()
        else:  # of one metric the order is that of its losses
            order = np.argsort(knowledge.targets, kind="stable").tolist()
            fronts = list(range(len(order)))
        self._parents, self._front = knowledge.rows[order[:size]], sum(front == 0 for front in fronts[:size])

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:  # noqa: ARG002 - chance keeps apart
        knowledge = self._knowledge
        # of two drawn the one of the lower place, which is the better one, has the child
        places = rng.integers(len(self._parents), size=(_CHILDREN, 2, 2)).min(axis=2)
        one, other = self._parents[places[:, 0]], self._parents[places[:, 1]]
        rows = knowledge.features.settled(self._mutated(self._crossed(one, other, rng), rng))
        order = np.argsort(-knowledge.feasibility.weighed(np.zeros(len(rows)), rows), kind="stable")
        reason = (
            f"a child of two of the best {len(self._parents)} trials, {self._front} of them on the front "
            f"(NSGA-II on {knowledge.words})"
        )
        return rows[order], reason

    def _crossed(self, one: Rows, other: Rows, rng: np.random.Generator) -> Rows:
        """Simulated binary crossover of numbers (one of the two children); options of either parent."""
        draws = rng.random(one.shape)
        swaps = np.asarray(rng.random(one.shape) < 0.5)
        index = 1 / (self._settings.crossover + 1)
        spread = np.where(draws < 0.5, (2 * draws) ** index, (1 / (2 * (1 - draws))) ** index)
        first, second = np.where(swaps, other, one), np.where(swaps, one, other)
        rows: Rows = np.where(rng.random(one.shape) < 0.5, 0.5 * ((1 + spread) * first + (1 - spread) * second), first)
        categorical = self._knowledge.features.categorical
        rows[:, categorical] = first[:, categorical]
        return rows

    def _mutated(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """Polynomial mutation of about one coordinate in each row, at least."""
        axes = self._knowledge.features.axes
        changing = np.asarray(rng.random(rows.shape) < 1 / len(axes))
        changing[np.arange(len(rows)), rng.integers(len(axes), size=len(rows))] = True
        draws: Array = np.asarray(rng.random(rows.shape))
        index: float = 1 / (self._settings.mutation + 1)
        steps = np.asarray(np.where(draws < 0.5, (2 * draws) ** index - 1, 1 - (2 * (1 - draws)) ** index))
        for place, axis in enumerate(axes):
            column = rows[:, place]
            changes = changing[:, place]
            if axis.options:
                fresh = np.minimum(np.floor(draws[:, place] * axis.options), axis.options - 1)
                rows[:, place] = np.where(changes | (column == ABSENT), fresh, column)
            else:
                cell = 1.5 / len(axis.centres) if axis.centres else 0.0  # a step that leaves the cell
                moved: Array = steps[:, place]
                step = np.sign(moved) * np.maximum(np.abs(moved), cell)
                rows[:, place] = np.clip(np.where(changes, column + step, column), 0.0, 1.0)
        return rows


_KEEPS_THE_PROTOCOL: type[Sampler] = NSGA2
