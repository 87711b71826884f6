"""A Gaussian process of our own proposes where the logarithm of the expected improvement is greatest.

The acquisition function is searched in the space itself: from random configurations and from the best trials, by steps
that exchange an option or move some coordinates, cell by cell where there are cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.knowledge import Knowledge, Turn, propose
from automl.search.surrogates.earlier import Informed
from automl.search.surrogates.features import Features, Rows
from automl.search.surrogates.priors import Priors
from automl.search.surrogates.warp import Array

if TYPE_CHECKING:  # takes half a second, which is needed only where there is something to learn
    from automl.search.surrogates.process import Process

_WALKS = 6  # local searches at once
_ROUNDS = 10
_NEIGHBOURS = 24  # of each walk in a round
_KEPT = 64  # choices that are handed on, in case the first ones were tried


@dataclass(frozen=True)
class OwnProcess:
    """Settings: even starts before the first model, random candidates, where the bad tail is clipped, priors."""

    starts: int = 4
    candidates: int = 1000
    tail: float = 1.5
    priors: Priors = field(default_factory=Priors)

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        # With more threads BLAS sums in another order, and the last bits end in other proposals.
        with threadpool_limits(limits=1):
            knowledge = Knowledge.of(space, trials, request, self.tail)
            return propose(knowledge, request, self.starts, self._turns)

    def _turns(self, knowledge: Knowledge) -> Turn:
        member: list[ProcessMember] = []  # fitted when it first has a turn

        def turn(_index: int, _rng: np.random.Generator) -> ProcessMember:
            if not member:
                member.append(ProcessMember(knowledge, self.candidates, self.priors))
            return member[0]

        return turn


class ProcessMember:
    """A process on the study's trials."""

    def __init__(self, knowledge: Knowledge, candidates: int, priors: Priors) -> None:
        self._knowledge, self._candidates = knowledge, candidates
        self.process = informed(knowledge, knowledge.features, knowledge.rows, priors)
        self._pending = 0

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:
        from automl.search.surrogates.process import log_expected_improvement  # noqa: PLC0415

        knowledge, process = self._knowledge, self.process
        self._suppose(pending)
        best = float(process.means()[: len(knowledge.rows)].min())

        def gain(rows: Rows) -> Array:
            return knowledge.feasibility.weighed(log_expected_improvement(*process.predict(rows), best), rows)

        order = np.argsort(knowledge.targets, kind="stable")
        rows = searched(knowledge.features, gain, knowledge.rows[order[:_WALKS]], self._candidates, rng)
        return rows, self._words(rows[0], len(pending))

    def _suppose(self, pending: Rows) -> None:
        """Suppose bad results where there are none yet: what the process expects, and never better than the median."""
        knowledge = self._knowledge
        if len(pending) != self._pending:
            self._pending = len(pending)
            self.process.condition(knowledge.rows, knowledge.targets)
            mean, deviation = self.process.predict(pending)
            lies = np.maximum(mean + deviation, np.median(knowledge.targets))
            rows = np.vstack([knowledge.rows, pending])
            self.process.condition(rows, np.concatenate([knowledge.targets, lies]))

    def _words(self, row: Rows, pending: int) -> str:
        warp = self._knowledge.warp
        assert warp is not None, "asked only where there is something to learn"
        mean, deviation = (float(each[0]) for each in self.process.predict(row[None]))
        middle, low, high = (-warp.loss(mean + sign * deviation) for sign in (0.0, 1.0, -1.0))
        told = self._knowledge.words + (f", and {pending} without a result" if pending else "")
        return (
            f"greatest expected improvement over the best score {self._knowledge.best:.4g} seen; "
            f"predicted {middle:.4g} ± {(high - low) / 2:.2g} (Gaussian process on {told})"
        )


def informed(knowledge: Knowledge, features: Features, rows: Rows, priors: Priors) -> Process | Informed:
    """A process on the study's trials, whose prior mean is what earlier searches expect, if there are any."""
    from automl.search.surrogates.process import Process  # noqa: PLC0415

    earlier = knowledge.earlier
    if earlier is None or earlier.trust == 0:
        return Process(features, rows, knowledge.targets, priors)
    rest = Process(features, rows, knowledge.targets - earlier.mean(knowledge.rows), priors)
    return Informed(rest, earlier, len(knowledge.features.axes))


def searched(
    features: Features, gain: Callable[[Rows], Array], best: Rows, candidates: int, rng: np.random.Generator
) -> Rows:
    """Rows in the order of their gain, the greatest first."""
    rows = features.draw(candidates, rng)
    near = features.settled(_moved(features, np.repeat(best, 16, axis=0), 0.1, rng))
    rows = np.vstack([rows, near])
    gains = gain(rows)
    order = np.argsort(-gains, kind="stable")[:_WALKS]
    at, height = rows[order], gains[order]
    seen, heights = [rows], [gains]
    for turn in range(_ROUNDS):
        around = features.settled(_moved(features, np.repeat(at, _NEIGHBOURS, axis=0), 0.2 * 0.6**turn, rng))
        gains = gain(around)
        seen.append(around)
        heights.append(gains)
        top = gains.reshape(len(at), -1).argmax(axis=1) + np.arange(len(at)) * _NEIGHBOURS
        better = gains[top] > height
        at, height = np.where(better[:, None], around[top], at), np.where(better, gains[top], height)
    rows, gains = np.vstack(seen), np.concatenate(heights)
    return rows[np.argsort(-gains, kind="stable")[:_KEPT]]


def _moved(features: Features, rows: Rows, step: float, rng: np.random.Generator) -> Rows:
    """Neighbours of the rows: in each about two axes change, an option for another, a coordinate by about a step."""
    rows = rows.copy()
    count, axes = rows.shape
    change = rng.random((count, axes)) < min(1.0, 1.5 / axes)
    change[np.arange(count), rng.integers(axes, size=count)] = True
    draws, sizes = rng.standard_normal((count, axes)), rng.random((count, axes))
    for place, axis in enumerate(features.axes):
        changing = change[:, place]
        if axis.options:
            column = rows[:, place]
            fresh = np.floor(sizes[:, place] * axis.options)
            rows[:, place] = np.where(changing, fresh, column)
        else:
            width = max(step, 1.5 / len(axis.centres) if axis.centres else 0.0)  # a step that leaves the cell
            rows[:, place] = np.where(changing, rows[:, place] + width * draws[:, place], rows[:, place])
    return rows


_KEEPS_THE_PROTOCOL: type[Sampler] = OwnProcess
