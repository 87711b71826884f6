"""A sampler of its own file: half-way between the best trial and a draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial


@dataclass(frozen=True)
class NearTheBest:
    """Looks at the results; draws from the space as long as there is none."""

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        rng = np.random.default_rng(np.random.SeedSequence(request.seed))
        succeeded = [trial for trial in trials if trial.score is not None]
        best = max(succeeded, key=lambda trial: trial.score or 0.0, default=None)
        proposals = []
        for _ in range(request.count):
            cube = space.encode(space.sample(rng))
            if best is not None:
                cube = tuple((one + other) / 2 for one, other in zip(cube, space.encode(best.values), strict=True))
            proposals.append(Proposal(space.decode(cube), "near the best" if best else "a draw"))
        return tuple(proposals)


_KEEPS_THE_PROTOCOL: type[Sampler] = NearTheBest
