"""A Gaussian process over values and epochs proposes: what short trainings say of full ones is part of the model.

It learns from the results of every rung, with the logarithm of the epochs as one more axis (Swersky, Snoek & Adams,
NIPS 2013; Kandasamy, Dasarathy, Schneider & Póczos, ICML 2017). It proposes where the expected improvement is greatest
at a horizon that is drawn among the full training and the rungs (after Rakotoarison et al., ICML 2024), so that it does
not stall where it is wrong about one of them. A share of the proposals is drawn uniformly (as in BOHB; Falkner, Klein &
Hutter, ICML 2018), because on plateaus a process proposes much the same again and again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.gain_search import searched
from automl.search.samplers.informed import informed
from automl.search.samplers.knowledge import Knowledge, Member, Turn, propose
from automl.search.samplers.rungs import epochs_in_words
from automl.search.surrogates.features import Axis, Features, Rows
from automl.search.surrogates.priors import Priors
from automl.search.surrogates.warp import Array

_WALKS = 6  # local searches at once
_DRAWN = 16  # uniform draws that are handed on, in case the first ones were tried


@dataclass(frozen=True)
class JointProcess:
    """Settings of the process and of its turns.

    `starts` are even points before the first model. `share` is that of the process in the turns; the others are uniform
    draws. `full` is the share of its turns whose horizon is the full training. `candidates` are the random points that
    the search of its acquisition function begins with, `tail` says where the bad tail is clipped.
    """

    starts: int = 4
    share: float = 0.75
    full: float = 0.5
    candidates: int = 500
    tail: float = 1.5
    priors: Priors = field(default_factory=Priors)

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        # With more threads BLAS sums in another order, and the last bits end in other proposals.
        with threadpool_limits(limits=1):
            knowledge = Knowledge.of(space, trials, request, self.tail)
            return propose(knowledge, request, self.starts, lambda known: self._turns(known, request.epochs))

    def _turns(self, knowledge: Knowledge, epochs: int) -> Turn:
        fitted: list[JointMember] = []  # when it first has a turn

        def turn(_index: int, rng: np.random.Generator) -> Member:
            if rng.random() >= self.share:
                return _Uniform(knowledge)
            if not fitted:
                fitted.append(JointMember(knowledge, epochs, self))
            return fitted[0]

        return turn


@dataclass(frozen=True)
class _Uniform:
    """Draws that learn nothing but what fails."""

    knowledge: Knowledge

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:  # noqa: ARG002 - the protocol has it
        rows = self.knowledge.features.draw(_DRAWN, rng)
        first = self.knowledge.feasibility.preferred(rows)
        return np.roll(rows, -first, axis=0), "drawn uniformly, as a share of the proposals is"


class WithEpochs(Features):
    """The features of a space with one more coordinate at the end of a row: how long a training is."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(space)
        self.numeric = np.append(self.numeric, len(self.axes))
        self.axes = (*self.axes, Axis(space.size, "", (), 0, ()))


class JointMember:
    """A process over values and epochs on all the study's results."""

    def __init__(self, knowledge: Knowledge, full: int, settings: JointProcess) -> None:
        self._knowledge, self._settings = knowledge, settings
        self._full = max(float(full), float(knowledge.epochs.max()), 1.0)
        self._lengths = np.unique(np.append(knowledge.epochs, self._full))
        rows = self._at(knowledge.rows, knowledge.epochs)
        self._rows = rows
        features = WithEpochs(knowledge.features.space)
        self.process = informed(knowledge, features, rows, settings.priors)
        self._pending = 0

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:
        from automl.search.surrogates.process import log_expected_improvement  # noqa: PLC0415

        knowledge = self._knowledge
        horizon = self._full if rng.random() < self._settings.full else float(rng.choice(self._lengths))
        self._suppose(pending)
        seen = np.unique(knowledge.rows, axis=0)
        expected = self.process.predict(self._at(seen, horizon))[0]
        best = float(expected.min())

        def gain(rows: Rows) -> Array:
            mean, deviation = self.process.predict(self._at(rows, horizon))
            return knowledge.feasibility.weighed(log_expected_improvement(mean, deviation, best), rows)

        order = np.argsort(expected, kind="stable")
        rows = searched(knowledge.features, gain, seen[order[:_WALKS]], self._settings.candidates, rng)
        return rows, self._words(rows[0], horizon, len(pending))

    def _at(self, rows: Rows, epochs: Array | float) -> Rows:
        """The rows with a training's length: 0 for one epoch, 1 for a full training, on a logarithmic scale."""
        scale = math.log(self._full) or 1.0
        place = np.log(np.maximum(epochs, 1.0)) / scale
        return np.column_stack([rows, np.broadcast_to(place, len(rows))])

    def _suppose(self, pending: Rows) -> None:
        """Suppose bad results where there are none yet: what the process expects, and never better than the median."""
        if len(pending) != self._pending:
            self._pending = len(pending)
            self.process.condition(self._rows, self._knowledge.targets)
            shortest = self._at(pending, float(self._lengths[0]))
            mean, deviation = self.process.predict(shortest)
            lies = np.maximum(mean + deviation, np.median(self._knowledge.targets))
            self.process.condition(np.vstack([self._rows, shortest]), np.concatenate([self._knowledge.targets, lies]))

    def _words(self, row: Rows, horizon: float, pending: int) -> str:
        warp = self._knowledge.warp
        assert warp is not None, "asked only where there is something to learn"
        mean, deviation = (float(each[0]) for each in self.process.predict(self._at(row[None], horizon)))
        middle, low, high = (-warp.loss(mean + sign * deviation) for sign in (0.0, 1.0, -1.0))
        told = self._knowledge.words + (f", and {pending} without a result" if pending else "")
        return (
            f"greatest expected improvement after {epochs_in_words(int(horizon))}; "
            f"predicted {middle:.4g} ± {(high - low) / 2:.2g} (Gaussian process over values and epochs on {told})"
        )


_KEEPS_THE_PROTOCOL: type[Sampler] = JointProcess
