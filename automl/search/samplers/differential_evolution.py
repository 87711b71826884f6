"""Differential evolution, and with short trainings DEHB: each length of training has a population of its own.

Storn & Price (1997): a new configuration is a member of the population in which some coordinates, drawn by chance,
come from a mutant, a + F (b - c) of three others (rand/1/bin); it takes the place of that member if it is no worse.
DEHB (Awad, Mallik & Hutter, IJCAI 2021) lets it run in the brackets of Hyperband: where a longer training has a
population of its own, the three others are of the best after the next shorter one. Who goes on to a longer training is
decided by rank, as in any study; so a population of long trainings begins with those that were promoted.

It keeps no state: the populations are made anew from the trials, in the order issued. The k-th trial of a length
competes with the one in place k modulo the size. A failure never takes a place. Coordinates are those of the unit cube,
where parameters of all kinds lie; one that leaves it is drawn anew, as in DEHB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.rungs import epochs_in_words

_EVOLUTION = 41  # a stream of chance; knowledge.py names the others
_FEWEST = 4  # members from which a mutant can be made that is none of them

Cube = NDArray[np.float64]


@dataclass(frozen=True)
class DifferentialEvolution:
    """`size` of a population, `factor` of the difference (F), `crossover`: how many coordinates are the mutant's.

    `drawn` is the share of proposals that are drawn uniformly, which DEHB does not have: without them the populations
    became alike before they had found what is good (docs/search_quality.md).
    """

    size: int = 10
    factor: float = 0.8
    crossover: float = 0.5
    drawn: float = 0.33

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        lengths = _by_length(trials)
        begins = request.begins or max(lengths, default=0)
        own = self._population(lengths.get(begins, ()))
        shorter = [length for length in lengths if length < begins and _scored(lengths[length]) >= _FEWEST]
        best = self._best(lengths[max(shorter)]) if shorter else [trial for trial in own if trial is not None]
        where = f"the best after {epochs_in_words(max(shorter))}" if shorter else "the population"
        parents = [np.array(space.encode(trial.values)) for trial in best]
        waiting = len(lengths.get(begins, ())) + len(request.pending)
        proposals: list[Proposal] = []
        for place in range(request.count):
            rng = np.random.default_rng(np.random.SeedSequence(request.seed, spawn_key=(_EVOLUTION, place)))
            number = (waiting + place) % self.size
            member = own[number] if number < len(own) else None
            target = None if member is None else np.array(space.encode(member.values))
            proposals.append(self._one(space, target, parents, where, rng))
        return tuple(proposals)

    def _one(
        self, space: SearchSpace, target: Cube | None, parents: Sequence[Cube], where: str, rng: np.random.Generator
    ) -> Proposal:
        """A proposal beside the member that it competes with, one of the parents where its place is free."""
        if len(parents) < _FEWEST:
            return Proposal(space.sample(rng), f"drawn uniformly: {len(parents)} results to evolve from so far")
        if rng.random() < self.drawn:
            return Proposal(space.sample(rng), "drawn uniformly, as a share of the proposals is")
        member = parents[int(rng.integers(len(parents)))] if target is None else target
        a, b, c = (parents[at] for at in rng.choice(len(parents), size=3, replace=False))
        mutant = a + self.factor * (b - c)
        outside = (mutant < 0) | (mutant > 1)
        mutant[outside] = rng.random(int(outside.sum()))
        taken = rng.random(space.size) < self.crossover
        taken[int(rng.integers(space.size))] = True
        words = f"{int(taken.sum())} of {space.size} coordinates from a mutant of three of {where}"
        cube = np.where(taken, mutant, member).tolist()
        return Proposal(space.decode(cube), f"differential evolution: {words}")

    def _population(self, trials: Sequence[Trial]) -> list[Trial | None]:
        """Who holds each place after these trials; None where all that came to it have failed."""
        places: list[Trial | None] = []
        for number, trial in enumerate(trials):
            place = number % self.size
            if place == len(places):
                places.append(None)
            holder = places[place]
            if trial.score is not None and (holder is None or _no_worse(trial, holder)):
                places[place] = trial
        return places

    def _best(self, trials: Sequence[Trial]) -> list[Trial]:
        """The best of these trials, at most as many as a population has."""
        scored = [(trial.score, place) for place, trial in enumerate(trials) if trial.score is not None]
        order = sorted(scored, key=lambda pair: (-pair[0], pair[1]))
        return [trials[place] for _, place in order[: self.size]]


def _by_length(trials: Sequence[Trial]) -> dict[int, list[Trial]]:
    """The trials by their epochs. What failed early belongs to no length."""
    lengths: dict[int, list[Trial]] = {}
    for trial in trials:
        if trial.score is not None or trial.value is not None:
            lengths.setdefault(trial.epochs, []).append(trial)
    return lengths


def _no_worse(trial: Trial, holder: Trial) -> bool:
    assert trial.score is not None, "of trials that have a score"
    assert holder.score is not None, "of trials that have a score"
    return trial.score >= holder.score


def _scored(trials: Sequence[Trial]) -> int:
    return sum(trial.score is not None for trial in trials)


_KEEPS_THE_PROTOCOL: type[Sampler] = DifferentialEvolution
