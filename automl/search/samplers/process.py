"""A Gaussian process of our own proposes where the logarithm of the expected improvement is greatest.

gain_search.py searches the acquisition function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from automl.problem.search_space import SearchSpace
from automl.search.rules import PENDING_AS_EXPECTED
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.gain_search import WALKS, searched
from automl.search.samplers.informed import informed
from automl.search.samplers.knowledge import Knowledge, Turn, propose
from automl.search.samplers.several import has_several, knowledge_of
from automl.search.surrogates.features import Rows
from automl.search.surrogates.priors import Priors
from automl.search.surrogates.warp import Array

_PESSIMISM = 0.5  # deviations
_APART = 0.02  # of its range, in which a configuration differs in some parameter from all that have no result
_FORBIDDING = 1e4  # more than any logarithm of a gain that is worth a training


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
            if has_several(trials, request):
                return self._traded_off(space, trials, request)
            knowledge = Knowledge.of(space, trials, request, self.tail)
            return propose(knowledge, request, self.starts, self._turns)

    def _turns(self, knowledge: Knowledge) -> Turn:
        member: list[ProcessMember] = []  # fitted when it first has a turn

        def turn(_index: int, _rng: np.random.Generator) -> ProcessMember:
            if not member:
                member.append(ProcessMember(knowledge, self.candidates, self.priors))
            return member[0]

        return turn

    def _traded_off(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        """The proposals where there are several metrics or constraints."""
        from automl.search.samplers.trade_offs import TradeOffMember  # noqa: PLC0415 - takes half a second

        def turns(knowledge: Knowledge) -> Turn:
            member: list[TradeOffMember] = []

            def turn(_index: int, _rng: np.random.Generator) -> TradeOffMember:
                if not member:
                    member.append(TradeOffMember(knowledge, self.candidates, self.priors))
                return member[0]

            return turn

        return propose(knowledge_of(space, trials, request, self.tail), request, self.starts, turns)


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
            gains = knowledge.feasibility.weighed(log_expected_improvement(*process.predict(rows), best), rows)
            return gains if knowledge.rules < PENDING_AS_EXPECTED else gains - _FORBIDDING * _near(rows, pending)

        order = np.argsort(knowledge.targets, kind="stable")
        rows = searched(knowledge.features, gain, knowledge.rows[order[:WALKS]], self._candidates, rng)
        return rows, self._words(rows[0], len(pending))

    def _suppose(self, pending: Rows) -> None:
        """Suppose results where there are none yet: a little worse than expected, never the best."""
        knowledge = self._knowledge
        if len(pending) != self._pending:
            self._pending = len(pending)
            self.process.condition(knowledge.rows, knowledge.targets)
            mean, deviation = self.process.predict(pending)
            if knowledge.rules < PENDING_AS_EXPECTED:
                lies = np.maximum(mean + deviation, np.median(knowledge.targets))
            else:
                lies = np.maximum(mean + _PESSIMISM * deviation, knowledge.targets.min())
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


def _near(rows: Rows, pending: Rows) -> Array:
    """1 for each row that is all but one of those that have no result, else 0: it would teach the same."""
    if not len(pending):
        return np.zeros(len(rows))
    distances = np.abs(rows[:, None, :] - pending[None, :, :]).max(axis=2)  # options differ by 1 or more
    return np.asarray((distances < _APART).any(axis=1), dtype=float)


_KEEPS_THE_PROTOCOL: type[Sampler] = OwnProcess
