"""What the samplers that learn do with what they have seen, and with what has no result yet."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automl.problem.search_space import SearchSpace
from automl.search.algorithms import NamedSampler
from automl.search.rules import RULES
from automl.search.samplers.base import Request, Sampler, Trial
from automl.search.samplers.evolution import Evolution
from automl.search.samplers.gaussian_process import GaussianProcess
from automl.search.samplers.knowledge import even_point
from automl.search.samplers.neighbours import Neighbours
from automl.search.samplers.portfolio import Portfolio
from automl.search.samplers.process import OwnProcess
from automl.search.samplers.tree_parzen import TreeParzen
from automl.testing.spaces import CATEGORICAL, MIXED, space_of, unit

LEARNING: dict[str, Sampler] = {
    "process": OwnProcess(candidates=300),
    "tpe": TreeParzen(),
    "portfolio": Portfolio(),
    "cma_es": Evolution(),
    "neighbours": Neighbours(),
}
each_learning = pytest.mark.parametrize("sampler", LEARNING.values(), ids=list(LEARNING))


def bowl(values: dict[str, Any]) -> float:
    lr, depth = math.log10(values["lr"]), float(values["depth"])
    other = 0.0 if values["optimizer"] == "sgd" else 1.0
    return -((lr + 3.0) ** 2) - other - abs(depth - 2) / 4


def searched(sampler: Sampler, space: SearchSpace, count: int, seed: int = 0) -> list[Trial]:
    trials = [Trial(space.defaults(), bowl(space.defaults()))]
    for done in range(1, count):
        request = Request(1, first=done - 1, total=count - 1, seed=(seed, 0, done), chosen=(space.defaults(),))
        values = sampler.propose(space, trials, request)[0].values
        trials.append(Trial(values, bowl(values)))
    return trials


def best(trials: list[Trial]) -> float:
    return max(trial.score for trial in trials if trial.score is not None)


@each_learning
def test_it_finds_more_than_chance(sampler: Sampler) -> None:
    rng = np.random.default_rng(0)
    chance = [max(bowl(MIXED.sample(rng)) for _ in range(25)) for _ in range(40)]
    assert best(searched(sampler, MIXED, 25)) > np.median(chance)


@each_learning
def test_no_configuration_is_proposed_twice_while_one_is_untried(sampler: Sampler) -> None:
    trials: list[Trial] = [Trial(CATEGORICAL.defaults(), 0.0)]
    for done in range(1, 12):
        request = Request(1, first=done - 1, total=11, seed=(3, 0, done), chosen=(CATEGORICAL.defaults(),))
        values = sampler.propose(CATEGORICAL, trials, request)[0].values
        trials.append(Trial(values, float(values["a"] == "q") + float(values["b"])))
    assert len({CATEGORICAL.encode(trial.values) for trial in trials}) == 12
    request = Request(1, first=11, total=12, seed=(3, 0, 12), chosen=(CATEGORICAL.defaults(),))
    again = sampler.propose(CATEGORICAL, trials, request)[0]
    assert "a repeat" in again.reason


@each_learning
def test_proposals_of_one_request_lie_apart(sampler: Sampler) -> None:
    trials = searched(sampler, MIXED, 12)
    request = Request(6, first=11, total=29, seed=(0, 0, 12), chosen=(MIXED.defaults(),))
    many = sampler.propose(MIXED, trials, request)
    cubes = np.array([MIXED.encode(proposal.values) for proposal in many])
    distances = np.abs(cubes[:, None] - cubes).sum(axis=2)[np.triu_indices(6, 1)]
    assert distances.min() > 0.0
    assert distances.mean() > 0.3


@pytest.mark.parametrize("sampler", [*LEARNING.values(), GaussianProcess(candidates=300)], ids=[*LEARNING, "skopt"])
def test_what_is_under_way_is_known_and_not_proposed_again(sampler: Sampler) -> None:
    trials = searched(OwnProcess(candidates=300), MIXED, 12)
    request = Request(1, first=11, total=29, seed=(0, 0, 12), chosen=(MIXED.defaults(),))
    first = sampler.propose(MIXED, trials, request)[0]
    again = sampler.propose(MIXED, trials, replace(request, pending=(first.values,)))[0]
    cubes = np.array([MIXED.encode(each.values) for each in (first, again)])
    assert np.abs(cubes[0] - cubes[1]).sum() > 0.05, "the same place, as if nothing trained there"
    assert sampler.propose(MIXED, trials, replace(request, pending=(first.values,)))[0] == again


@each_learning
def test_failures_are_kept_off_and_never_a_number(sampler: Sampler) -> None:
    space = unit("ab")
    rng = np.random.default_rng(1)
    drawn = [space.sample(rng) for _ in range(20)]
    trials = [Trial(v, None if v["a"] > 0.5 else float(v["a"])) for v in drawn]  # type: ignore[operator, arg-type]
    request = Request(1, first=20, total=30, seed=(0, 0, 20))
    assert "of them failed" in sampler.propose(space, trials, request)[0].reason
    infinite = [Trial(t.values, -math.inf if t.score is None else t.score) for t in trials]
    assert sampler.propose(space, infinite, request) == sampler.propose(space, trials, request)


@pytest.mark.parametrize("name", sorted(LEARNING.keys() - {"cma_es"}))  # its generations are those issued together
def test_the_order_of_the_trials_changes_nothing(name: str) -> None:
    sampler = LEARNING[name]
    trials = searched(sampler, MIXED, 10)
    request = Request(2, first=9, total=19, seed=(0, 0, 10), chosen=(MIXED.defaults(),))
    assert sampler.propose(MIXED, trials, request) == sampler.propose(MIXED, trials[::-1], request)


@each_learning
def test_a_study_without_differences_is_searched_evenly_and_says_so(sampler: Sampler) -> None:
    trials = [Trial(MIXED.sample(np.random.default_rng(n)), 0.5) for n in range(8)]
    proposal = sampler.propose(MIXED, trials, Request(1, first=8, total=20, seed=(0, 0, 8)))[0]
    assert "no model yet: all scores are equal (0.5)" in proposal.reason


def test_the_portfolio_follows_what_the_process_is_worth() -> None:
    space = unit("ab")
    rng = np.random.default_rng(2)
    drawn: list[dict[str, Any]] = [space.sample(rng) for _ in range(Portfolio.ripe)]
    smooth = [Trial(v, -((v["a"] - 0.3) ** 2) - (v["b"] - 0.6) ** 2) for v in drawn]
    noise = [Trial(v, float(rng.normal())) for v in drawn]
    turns = {}
    for name, trials in (("smooth", smooth), ("noise", noise)):
        request = Request(20, first=40, total=70, seed=(0, 0, 40))
        reasons = [proposal.reason for proposal in Portfolio().propose(space, trials, request)]
        assert all("rank the trials with a correlation of" in reason for reason in reasons)
        turns[name] = sum("Gaussian process on" in reason for reason in reasons)
        assert turns[name] + sum("TPE on" in reason for reason in reasons) == 20
    assert turns["smooth"] >= 14
    assert turns["noise"] <= 11


def test_even_points_cover_every_slice_and_go_on_where_they_ended() -> None:
    points = np.array([even_point(3, index, (5, 0, 9)) for index in range(16)])
    assert ((points >= 0) & (points < 1)).all()
    # Of 16 points in the bases 2, 3 and 5: 1 in each sixteenth, 1 or 2 in each ninth, 3 or 4 in each fifth.
    counts = [np.bincount((column * cells).astype(int)) for column, cells in zip(points.T, (16, 9, 5), strict=True)]
    assert [(count.min(), count.max()) for count in counts] == [(1, 1), (1, 2), (3, 4)]
    assert even_point(3, 4, (5, 0, 1)) == even_point(3, 4, (5, 0, 9)) != even_point(3, 4, (6, 0, 9))


def test_what_exists_only_sometimes_is_learned_too() -> None:
    space = space_of(
        optimizer={"type": "categorical", "options": ["adam", "sgd"]},
        momentum={"type": "float", "low": 0.0, "high": 1.0, "active_when": "optimizer == sgd"},
    )
    rng = np.random.default_rng(3)
    drawn: list[dict[str, Any]] = [space.sample(rng) for _ in range(24)]
    trials = [Trial(v, -abs(v.get("momentum", 0.0) - 0.8)) for v in drawn]
    for sampler in (OwnProcess(), TreeParzen()):
        values: dict[str, Any] = sampler.propose(space, trials, Request(1, first=24, total=30, seed=(0, 0, 24)))[
            0
        ].values
        assert values["optimizer"] == "sgd"
        assert abs(values["momentum"] - 0.8) < 0.15


def test_proposals_keep_near_the_best_while_others_are_under_way_and_apart_from_these() -> None:
    """By rules 8, what is under way was supposed to be no better than the median, and all kept away from it."""
    line = unit("x")
    trials = [Trial({"x": x}, -((x - 0.3) ** 2)) for x in (0.02, 0.2, 0.45, 0.7, 0.95)]
    request = Request(4, first=8, total=20, seed=(1, 0, 9))
    now, before = (
        sorted(float(one.values["x"]) for one in NamedSampler("process", rules).propose(line, trials, request))
        for rules in (RULES, 8)
    )
    assert max(abs(x - 0.3) for x in now) < 0.1 < max(abs(x - 0.3) for x in before)
    assert min(np.diff(now)) >= 0.0199
