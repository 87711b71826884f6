"""CMA-ES finds the bottom of a narrow valley, looks at ranks alone, and leaves no option and no whole number out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Request, Trial
from automl.search.samplers.evolution import Evolution
from automl.testing.spaces import MIXED, unit

Score = Callable[[dict[str, Any]], float | None]
VALLEY = unit("abcd")


def searched(space: SearchSpace, score: Score, count: int, seed: int = 0) -> list[Trial]:
    trials = [Trial(space.defaults(), score(space.defaults()))]
    while len(trials) < count:
        request = Request(1, len(trials) - 1, count - 1, (seed, 0, len(trials)), (space.defaults(),))
        values = Evolution().propose(space, trials, request)[0].values
        trials.append(Trial(values, score(values)))
    return trials


def valley(values: dict[str, Any]) -> float:
    """A turned ellipsoid whose axes differ by a factor of 30, the bottom near a corner; at most 0."""
    point = np.array([values[name] - at for name, at in zip("abcd", (0.15, 0.8, 0.3, 0.7), strict=True)])
    sums = np.array([point[0] + point[1], point[0] - point[1], point[2] + point[3], point[2] - point[3]])
    return -float((np.array([1.0, 30.0, 1.0, 30.0]) * sums**2).sum())


def test_it_takes_the_shape_of_a_narrow_valley() -> None:
    rng = np.random.default_rng(0)
    chance = max(valley(VALLEY.sample(rng)) for _ in range(10_000))
    best = max(trial.score for trial in searched(VALLEY, valley, 300, 1) if trial.score is not None)
    assert best > 10 * chance  # both below zero: a tenth of the loss of 10,000 random draws


def test_it_looks_at_ranks_alone() -> None:
    as_they_are = searched(VALLEY, valley, 40)
    stretched = searched(VALLEY, lambda values: -math.expm1(-valley(values) / 10), 40)
    assert [trial.values for trial in as_they_are] == [trial.values for trial in stretched]


def test_no_option_and_no_whole_number_is_left_out() -> None:
    """The score prefers one option and one depth; the last half of the draws still has others."""

    def score(values: dict[str, Any]) -> float:
        return float(values["optimizer"] == "sgd") - abs(float(values["depth"]) - 3.0)

    drawn = [trial.values for trial in searched(MIXED, score, 200)][100:]
    options, depths = Counter(v["optimizer"] for v in drawn), Counter(v["depth"] for v in drawn)
    assert options.most_common(1)[0][0] == "sgd"
    assert 50 < options["sgd"] < 100
    assert depths.most_common(1)[0][0] == 3
    assert 30 < depths[3] < 100


def test_a_generation_without_a_score_moves_nothing() -> None:
    request = Request(1, 18, 40, (0, 0, 19), (VALLEY.defaults(),))
    rng = np.random.default_rng(5)
    scored = [Trial(values := VALLEY.sample(rng), valley(values)) for _ in range(8)]
    failed = [Trial(VALLEY.sample(rng), None) for _ in range(8)]
    proposals = Evolution().propose(VALLEY, [*scored, *failed], request)
    assert "generation 3 with a step of" in proposals[0].reason
    one = Evolution().propose(VALLEY, scored, request)
    step = one[0].reason.split("step of ")[1].split(" ")[0]
    assert f"step of {step} of the ranges" in proposals[0].reason
