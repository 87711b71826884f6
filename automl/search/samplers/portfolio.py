"""A portfolio: a Gaussian process and TPE propose on the same trials, and the process as often as it has been right.

A process finds more in few trials where the score is smooth, and less than chance does on plateaus and in noise; TPE is
slower and never far off. How right the process is, is measured on the study's own trials: each is predicted from all
others, and the ranks of predictions and scores are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.knowledge import Knowledge, Member, propose
from automl.search.samplers.process import OwnProcess, ProcessMember
from automl.search.samplers.several import ordered
from automl.search.samplers.tree_parzen import ParzenMember, TreeParzen
from automl.search.surrogates.features import Rows


@dataclass(frozen=True)
class Portfolio:
    """`least` and `most` are the shares of the process's turns where it knows nothing and where it knows enough.

    It knows enough where the ranks of what it predicts and of what came correlate by `enough`. TPE gets the rest of the
    turns from `ripe` trials on, and before that in proportion: of ten trials it takes one for good, and knows little.
    """

    least: float = 0.3
    most: float = 0.85
    enough: float = 0.5
    ripe: int = 40
    process: OwnProcess = field(default_factory=OwnProcess)
    tpe: TreeParzen = field(default_factory=TreeParzen)

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        # With more threads BLAS sums in another order, and the last bits end in other proposals.
        with threadpool_limits(limits=1):
            several = ordered(space, trials, request, self.process.tail)
            knowledge = several or Knowledge.of(space, trials, request, self.process.tail)
            return propose(knowledge, request, self.process.starts, lambda known: _Turns(self, known).whose)


class _Turns:
    """Whose turn it is; the members are made when the first has a turn."""

    def __init__(self, settings: Portfolio, knowledge: Knowledge) -> None:
        self._settings, self._knowledge = settings, knowledge
        self._process: Member | None = None
        self._correlation = 0.0

    def whose(self, index: int, rng: np.random.Generator) -> Member:  # noqa: ARG002 - every turn has its own chance
        settings, knowledge = self._settings, self._knowledge
        if self._process is None:
            self._process, self._correlation = self._fitted()
        certainty = min(max(self._correlation / settings.enough, 0.0), 1.0)
        share = settings.least + (settings.most - settings.least) * certainty
        share = 1 - (1 - share) * min(1.0, len(knowledge.rows) / settings.ripe)
        reason = (
            f"predictions of the process rank the trials with a correlation of {self._correlation:.2f}, so it makes "
        )
        reason += f"{share:.0%} of the proposals; this one is "
        if rng.random() < share:
            return _Saying(self._process, reason + "its")
        return _Saying(ParzenMember(knowledge, settings.tpe), reason + "TPE's")

    def _fitted(self) -> tuple[Member, float]:
        """The processes, and how right they are."""
        from automl.search.samplers.trade_offs import TradeOffMember  # noqa: PLC0415 - takes half a second
        from automl.search.surrogates.process import rank_correlation  # noqa: PLC0415

        settings, knowledge = self._settings.process, self._knowledge
        if any(knowledge.scores) and (knowledge.earlier is None or knowledge.searches):
            member = TradeOffMember(knowledge, settings.candidates, settings.priors)
            return member, member.correlation
        process = ProcessMember(knowledge, settings.candidates, settings.priors)
        return process, rank_correlation(process.process.left_out(), knowledge.targets)


@dataclass(frozen=True)
class _Saying:
    """A member, and why it has the turn."""

    member: Member
    reason: str

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:
        rows, reason = self.member.choose(pending, rng)
        return rows, f"{reason}; {self.reason}"


_KEEPS_THE_PROTOCOL: type[Sampler] = Portfolio
