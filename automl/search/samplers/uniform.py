"""Random search: every proposal is drawn on its own, from the seed alone (Bergstra & Bengio, JMLR 13, 2012)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial

REASON = "drawn uniformly (on a log scale where the space says so)"


@dataclass(frozen=True)
class Uniform:
    """Draws from the space and ignores the trials. Proposal i is the same however many are asked for."""

    def propose(
        self,
        space: SearchSpace,
        trials: Sequence[Trial],  # noqa: ARG002 - the protocol has it
        request: Request,
    ) -> tuple[Proposal, ...]:
        rng = np.random.default_rng(np.random.SeedSequence(request.seed))
        return tuple(Proposal(space.sample(rng), REASON) for _ in range(request.count))


_KEEPS_THE_PROTOCOL: type[Sampler] = Uniform
