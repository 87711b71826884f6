"""What is compared: an optimiser is asked for configurations and told their losses. Ours is a sampler of the search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from automl.problem.search_space import SearchSpace
from automl.search.algorithms import NamedSampler
from automl.search.earlier_search import EarlierSearch
from automl.search.samplers.base import Request, Trial

Values: TypeAlias = Mapping[str, Any]


class Optimiser(Protocol):
    """Proposes configurations and learns from their losses."""

    def ask(self, count: int) -> list[dict[str, Any]]:
        """`count` configurations to train at once."""
        ...

    def tell(self, results: Sequence[tuple[Values, float]]) -> None:
        """Configurations that were trained, each with its loss."""
        ...


# The space, the seed and the total number of trainings.
Maker: TypeAlias = Callable[[SearchSpace, int, int], Optimiser]


@dataclass
class OurSampler:
    """A sampler of ours, asked as the brain asks it: the defaults first, then its own proposals."""

    sampler: str
    space: SearchSpace
    seed: int
    total: int
    earlier: tuple[EarlierSearch, ...] = ()
    _trials: list[Trial] = field(default_factory=list)
    _issued: int = 0

    def ask(self, count: int) -> list[dict[str, Any]]:
        configurations = [dict(self.space.defaults())] if self._issued == 0 else []
        wanted = count - len(configurations)
        if wanted:
            request = Request(
                count=wanted,
                first=self._issued + len(configurations) - 1,
                total=self.total - 1,
                seed=(self.seed, 0, self._issued),
                chosen=(self.space.defaults(),),
                earlier=self.earlier,
            )
            proposals = NamedSampler(self.sampler).propose(self.space, self._trials, request)
            configurations += [proposal.values for proposal in proposals]
        self._issued += count
        return configurations

    def tell(self, results: Sequence[tuple[Values, float]]) -> None:
        self._trials += [Trial(values, -loss) for values, loss in results]


def our_sampler(name: str) -> Maker:
    """A maker of the sampler of that name."""
    return lambda space, seed, total: OurSampler(name, space, seed, total)
