"""What a sampler is: it proposes values for experiments, from the trials seen so far and a seed, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from automl.problem.search_space import SearchSpace
from automl.search.history import Trial

__all__ = ["Proposal", "Request", "Sampler", "Trial"]


@dataclass(frozen=True)
class Proposal:
    """Values for one experiment, and in plain words why these."""

    values: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class Request:
    """What is asked of a sampler.

    count: proposals wanted. done: how many of this stage have been issued before. total: how many the stage will issue.
    seed: (study seed, stage, index of the decision); the only source of chance. defaults_taken: how many of `done` were
    the network's defaults and not the sampler's (0 or 1). own: the values of those of `done` that a user chose.
    """

    count: int
    done: int
    total: int
    seed: tuple[int, int, int]
    defaults_taken: int = 0
    own: tuple[Mapping[str, Any], ...] = ()


class Sampler(Protocol):
    """Which values. A pure function: the same space, trials and request give the same proposals in any process."""

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        """`request.count` proposals, every one feasible in `space`. trials: finished ones, in the order issued."""
        ...
