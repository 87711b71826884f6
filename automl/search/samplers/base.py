"""What a sampler is: it proposes values for experiments from the trials so far and a seed, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from automl.problem.search_space import SearchSpace
from automl.search.earlier_search import EarlierSearch
from automl.search.rules import RULES
from automl.search.trial import Trial

__all__ = ["Proposal", "Request", "Sampler", "Trial"]


@dataclass(frozen=True)
class Proposal:
    """Values for one experiment, and in plain words why these."""

    values: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class Request:
    """What is asked of a sampler.

    `count` is how many proposals are wanted. `first` is how many the sampler has made for this stage before, so that it
    goes on in its own sequence, and `total` how many it will make for the whole stage. `seed` is (study seed, stage,
    index of the decision), the only source of chance. `chosen` are the values of the stage's experiments so far that
    others chose: the network's defaults, the user, an earlier search. `pending` are those of experiments without a
    result, whoever chose them, where a stage asks for one experiment before the others have ended. `elsewhere` are
    those of experiments with results that the trials leave out: not pending, and not to be proposed again. `epochs` are
    those of a full training, where trainings may be shorter, and `begins` those of the rung in which what is proposed
    begins. `earlier` are other searches, which are no results. `rules` are those of the study (rules.py).
    """

    count: int
    first: int
    total: int
    seed: tuple[int, int, int]
    chosen: tuple[Mapping[str, Any], ...] = ()
    pending: tuple[Mapping[str, Any], ...] = ()
    elsewhere: tuple[Mapping[str, Any], ...] = ()
    epochs: int = 0
    begins: int = 0
    earlier: tuple[EarlierSearch, ...] = ()
    rules: int = RULES


class Sampler(Protocol):
    """Which values. A pure function: the same space, trials and request give the same proposals in any process."""

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        """`request.count` proposals, all feasible in `space`. `trials` are the finished ones, in the order issued."""
        ...
