"""Samplers that know several metrics and constraints find better fronts than chance, and keep to what is feasible."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from automl.problem.search_space import Parameter, SearchSpace
from automl.search.algorithms import SAMPLERS, NamedSampler
from automl.search.earlier_search import EarlierSearch, FurtherMetric, ranks_of
from automl.search.pareto import dominates, hypervolume
from automl.search.rules import RULES
from automl.search.samplers.base import Request, Trial
from automl.search.samplers.several import joint, of_metric
from automl.testing.spaces import unit

SPACE = SearchSpace(
    (
        Parameter("share", "float", low=0.0, high=1.0, default=0.5),
        Parameter("rate", "float", low=1e-4, high=1.0, log=True, default=1.0),
        Parameter("kind", "categorical", options=("a", "b"), default="b"),
    )
)
SEEDS = (3, 5, 7)
SEVERAL = [name for name, row in SAMPLERS.items() if row.several]


def losses(trial_values: Mapping[str, object]) -> tuple[float, float]:
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


def earlier_search(*, sign: float = 1.0, has: bool = True) -> EarlierSearch:
    """Random trials of the two losses, the second of which every third one lacks, or all."""
    rng = np.random.default_rng(3)
    values = [SPACE.sample(rng) for _ in range(30)]
    scores = [[-sign * loss for loss in losses(one)] for one in values]
    measured = [score[1] if has and place % 3 else None for place, score in enumerate(scores)]
    ranks = iter(ranks_of([score for score in measured if score is not None]))
    further = FurtherMetric("second", tuple(None if one is None else next(ranks) for one in measured), tuple(measured))
    first = [score[0] for score in scores]
    return EarlierSearch(
        "before", "a study", 30, ("share",), (), tuple(values), ranks_of(first), tuple(first), (further,)
    )


def warm(sampler: str, search: EarlierSearch, count: int) -> tuple[list[tuple[tuple[float, float], float]], str]:
    """The losses of a search that begins with the earlier one, as `searched` has them, and its last reason."""
    trials: list[Trial] = []
    for index in range(count):
        proposal = NamedSampler(sampler).propose(
            SPACE, trials, Request(1, index, count, (7, 0, index), earlier=(search,))
        )[0]
        trials.append(
            Trial(proposal.values, -losses(proposal.values)[0], scores=tuple(-x for x in losses(proposal.values)))
        )
    return [(losses(dict(trial.values)), -1.0) for trial in trials], proposal.reason


WARM = [name for name in SEVERAL if SAMPLERS[name].warms]


@pytest.mark.parametrize("sampler", WARM)
def test_earlier_trials_of_both_metrics_lead_to_the_front_sooner(sampler: str) -> None:
    found, reason = warm(sampler, earlier_search(), 9)
    assert volume(found) > volume(searched(sampler, 9))
    assert "before counts with a weight of" in reason


@pytest.mark.parametrize("sampler", WARM)
def test_earlier_trials_that_mislead_have_no_say_and_those_of_one_metric_serve_it(sampler: str) -> None:
    assert "before has no say" in warm(sampler, earlier_search(sign=-1), 5)[1]
    assert "before " in warm(sampler, earlier_search(has=False), 6)[1]


def test_the_best_of_an_earlier_search_is_on_its_front_and_what_lacks_a_metric_comes_last() -> None:
    search = earlier_search()
    order = joint(search).best_first
    whole = [values for values, rank in zip(search.values, search.further[0].ranks, strict=True) if rank is not None]
    assert len(whole) == 20
    assert [values in whole for values in order] == [True] * 20 + [False] * 10
    assert not any(dominates(losses(dict(values)), losses(dict(order[0]))) for values in whole)
    assert joint(search) is joint(search)
    second = of_metric(search, 1)
    assert second is not None
    assert second.best_first[0] == min(whole, key=lambda values: losses(dict(values))[1])
    assert of_metric(earlier_search(has=False), 1) is None


def test_four_metrics_are_searched_in_random_directions() -> None:
    trials: list[Trial] = []
    for index in range(9):
        proposal = NamedSampler("process").propose(SPACE, trials, Request(1, index, 9, (7, 0, index)))[0]
        first, second = losses(proposal.values)
        trials.append(Trial(proposal.values, -first, scores=(-first, -second, first, -first * second)))
    assert "in a random direction of the metrics" in proposal.reason


def test_a_front_of_neighbours_leaves_room_for_what_is_far_away() -> None:
    """By rules 8 hypervolume was counted from a tenth of the front's own range behind it."""
    line = unit("s")
    losses = {size: (1.0 if size < 0.1 else 1.2 - size, size) for size in (0.0, 0.005, 0.01, 0.015, 0.02)}
    trials = [Trial({"s": size}, -one, scores=(-one, -other)) for size, (one, other) in losses.items()]
    now, before = (
        sum(
            float(one.values["s"])
            for one in NamedSampler("process", rules).propose(line, trials, Request(4, 8, 20, (2, 0, 8)))
        )
        for rules in (RULES, 8)
    )
    assert now > before
