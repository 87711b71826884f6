"""Samplers that know several metrics and constraints find better fronts than chance, and keep to what is feasible."""

from __future__ import annotations

import math

import pytest

from automl.problem.search_space import Parameter, SearchSpace
from automl.search.algorithms import SAMPLERS, NamedSampler
from automl.search.pareto import hypervolume
from automl.search.samplers.base import Request, Trial

SPACE = SearchSpace(
    (
        Parameter("share", "float", low=0.0, high=1.0, default=0.5),
        Parameter("rate", "float", low=1e-4, high=1.0, log=True, default=1.0),
        Parameter("kind", "categorical", options=("a", "b"), default="b"),
    )
)
SEEDS = (3, 5, 7)
SEVERAL = [name for name, row in SAMPLERS.items() if row.several]


def losses(trial_values: dict[str, object]) -> tuple[float, float]:
    """ZDT1 with a distance of its own."""
    share, rate = float(str(trial_values["share"])), float(str(trial_values["rate"]))
    g = 1 + 3 * abs(math.log10(rate) + 3) / 3 + (0.0 if trial_values["kind"] == "a" else 1.0)
    return share, g * (1 - math.sqrt(share / g))


def searched(
    sampler: str, count: int, most: float = math.inf, seed: int = 7
) -> list[tuple[tuple[float, float], float]]:
    """The losses of `count` trials, and by how much each breaks `share <= most`."""
    trials: list[Trial] = []
    found = []
    for index in range(count):
        request = Request(1, index, count, (seed, 0, index))
        values = NamedSampler(sampler).propose(SPACE, trials, request)[0].values
        both, excess = losses(values), -1.0 if math.isinf(most) else float(values["share"]) - most
        scores = (-both[0], -both[1])
        trials.append(Trial(values, None if excess > 0 else scores[0], scores=scores, excesses=(excess,)))
        found.append((both, excess))
    return found


def volume(found: list[tuple[tuple[float, float], float]]) -> float:
    return hypervolume([both for both, excess in found if excess <= 0], (1.1, 4.0))


@pytest.mark.parametrize("sampler", SEVERAL)
def test_the_front_is_better_than_that_of_chance(sampler: str) -> None:
    by_chance, by_sampler = (
        sum(volume(searched(name, 36, seed=seed)) for seed in SEEDS) for name in ("uniform", sampler)
    )
    assert by_sampler > by_chance


@pytest.mark.parametrize("sampler", ["process", "tpe", "nsga2"])
def test_most_proposals_keep_to_a_constraint(sampler: str) -> None:
    found = searched(sampler, 30, most=0.25)
    late = [excess for _, excess in found[18:]]
    assert sum(excess <= 0 for excess in late) >= 7  # by chance 3 of 12


def test_four_metrics_are_searched_in_random_directions() -> None:
    trials: list[Trial] = []
    for index in range(9):
        proposal = NamedSampler("process").propose(SPACE, trials, Request(1, index, 9, (7, 0, index)))[0]
        first, second = losses(proposal.values)
        trials.append(Trial(proposal.values, -first, scores=(-first, -second, first, -first * second)))
    assert "in a random direction of the metrics" in proposal.reason
