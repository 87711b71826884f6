"""No configuration is trained twice unless the study asks for it: what a sampler proposes again is replaced here.

So it holds for every sampler, those of others too, and a sampler needs to know nothing of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from automl.problem.configurations import Count, count, every, identity
from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal

_DRAWS = 200  # in search of an untried configuration, before all of a small space are listed
_MOST_DRAWS = 20_000  # where they cannot be listed
_MOST_LISTED = 50_000
_REPLACEMENT = 21  # the stream of chance; the samplers have those below


class Repeats(StrEnum):
    """Whether a configuration may be trained again, with another seed."""

    NEVER = "never"
    WHEN_ALL_WERE_TRIED = "when all were tried"  # and then each as often as the others
    AS_PROPOSED = "as proposed"  # in studies that were begun when nothing looked at repeats


@dataclass
class Tried:
    """The configurations that were tried, and which may be tried next."""

    space: SearchSpace
    repeats: Repeats
    _times: Counter[Hashable] = field(default_factory=Counter)

    def add(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Take note of configurations that are tried."""
        self._times.update(map(identity, values))

    def replaced(self, proposals: Sequence[Proposal], seed: Sequence[int], first: int) -> list[Proposal]:
        """The proposals, and instead of each repeat one that is none; without it where there is none.

        They count as tried from then on. `first` is the place of the first of them among all that the sampler makes,
        and `seed` that of the request: together they are the only source of chance.
        """
        kept: list[Proposal] = []
        for place, proposal in enumerate(proposals, first):
            chosen: Proposal | None = proposal
            if not self._may(proposal.values):
                rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_REPLACEMENT, place)))
                chosen = self._untried(rng)
            if chosen is not None:
                self.add([chosen.values])
                kept.append(chosen)
        return kept

    def _may(self, values: Mapping[str, Any]) -> bool:
        times = self._times[identity(values)]
        if times == 0 or self.repeats is Repeats.AS_PROPOSED:
            return True
        return self.repeats is Repeats.WHEN_ALL_WERE_TRIED and times <= self._least()

    def _least(self) -> int:
        """How often the least tried configuration was tried."""
        if len(self._times) < self._size or self._size > _MOST_LISTED:
            return 0
        return min(self._times[identity(values)] for values in every(self.space))

    def _untried(self, rng: np.random.Generator) -> Proposal | None:
        """A configuration that may be tried, drawn as the space draws; where draws find none, any of those left."""
        for _ in range(_DRAWS if self._size <= _MOST_LISTED else _MOST_DRAWS):
            if self._may(values := self.space.sample(rng)):
                return Proposal(values, "drawn uniformly, because what the sampler proposed was tried before")
        if self._size > _MOST_LISTED:
            return None
        left = [values for values in every(self.space) if self._may(values)]
        if not left:
            return None
        reason = f"one of the last {len(left)} configurations that were tried less often than the others"
        return Proposal(left[int(rng.integers(len(left)))], reason)

    @cached_property
    def _size(self) -> Count:
        return count(self.space)
