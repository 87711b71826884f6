"""Differential evolution: who holds a place, from whom a mutant is made, and one population for each length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl.search.history import Failure
from automl.search.samplers.base import Request, Trial
from automl.search.samplers.differential_evolution import DifferentialEvolution
from automl.testing.spaces import MIXED, unit

SPACE = unit("xy")
EVOLUTION = DifferentialEvolution(size=4, drawn=0.0)


def trial(x: float, score: float | None, epochs: int = 1) -> Trial:
    failure = Failure.ERROR if score is None else None
    return Trial({"x": x, "y": 0.5}, score, epochs, value=None if score is None else -score, failure=failure)


def asked(count: int = 1, begins: int = 1, first: int = 0) -> Request:
    return Request(count, first, 100, (1, 0, first), begins=begins)


def xs(proposals: Sequence[object], trials: Sequence[Trial]) -> set[float]:
    """The values of x in proposals that come from these trials themselves."""
    known = {one.values["x"] for one in trials}
    return {values["x"] for proposal in proposals if (values := proposal.values)["x"] in known}  # type: ignore[attr-defined]


def test_it_draws_until_there_are_enough_to_make_a_mutant_of() -> None:
    for count in range(4):
        (proposal,) = EVOLUTION.propose(SPACE, [trial(0.1 * each, 1.0) for each in range(count)], asked())
        assert proposal.reason == f"drawn uniformly: {count} results to evolve from so far"


def test_a_trial_takes_the_place_that_it_competed_for_unless_it_is_worse_or_failed() -> None:
    first = [trial(0.1, 1.0), trial(0.2, 2.0), trial(0.3, 3.0), trial(0.4, 4.0)]
    later = [trial(0.5, 0.5), trial(0.6, 2.5), trial(0.7, None), trial(0.8, 4.0)]
    held = EVOLUTION._population([*first, *later[:2], trial(0.65, 2.9), later[3]])
    assert [one and one.values["x"] for one in held] == [0.1, 0.6, 0.3, 0.8]
    failed = [trial(0.1, None), *[trial(0.2 + 0.1 * each, 1.0) for each in range(5)]]
    (proposal,) = EVOLUTION.propose(SPACE, failed, asked())
    assert "three of the population" in proposal.reason, "what failed early is no member"


def test_a_longer_training_has_its_own_population_and_parents_from_the_next_shorter_one() -> None:
    short = [trial(0.02 * each, float(each)) for each in range(20)]
    middle = [trial(0.9, 30.0, 3), trial(0.91, 31.0, 3)]
    proposals = EVOLUTION.propose(SPACE, [*short, *middle], asked(40, begins=3))
    assert all("three of the best after 1 epoch" in proposal.reason for proposal in proposals)
    kept = xs(proposals, [*short, *middle])
    assert {0.9, 0.91} <= kept, "they compete with the members of their own length"
    parents = {one.values["x"] for one in short[-4:]}
    assert kept <= {0.9, 0.91} | parents, "where a place is free with one of the parents"
    alone = EVOLUTION.propose(SPACE, short, asked(40))
    assert all("three of the population" in proposal.reason for proposal in alone)


def test_a_share_is_drawn_and_all_is_feasible_and_the_same_again() -> None:
    sampler, rng = DifferentialEvolution(), np.random.default_rng(2)
    trials = [Trial(MIXED.sample(rng), float(each), 1, value=0.0) for each in range(30)]
    request = Request(300, 0, 400, (3, 0, 1), begins=1)
    proposals = sampler.propose(MIXED, trials, request)
    assert proposals == sampler.propose(MIXED, trials, request)
    assert all(MIXED.check(proposal.values) == () for proposal in proposals)
    drawn = sum(proposal.reason.startswith("drawn uniformly, as a share") for proposal in proposals)
    assert 0.25 < drawn / 300 < 0.42


def test_it_finds_the_best_corner_of_a_plain_valley() -> None:
    trials: list[Trial] = []
    for number in range(120):
        (proposal,) = DifferentialEvolution().propose(SPACE, trials, asked(first=number))
        score = -((proposal.values["x"] - 0.7) ** 2) - (proposal.values["y"] - 0.2) ** 2
        trials.append(Trial(proposal.values, score, 1, value=-score))
    best = max(trial.score for trial in trials if trial.score is not None)
    assert best > -0.0005, "far nearer than 120 uniform draws come"
