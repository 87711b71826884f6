"""The best of a few draws, judged by the trials near it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from automl.search.samplers.base import Request, Trial
from automl.search.samplers.neighbours import Neighbours, closeness
from automl.search.surrogates.features import Features
from automl.testing.spaces import space_of, unit

SPACE = unit("xy")
SAMPLER = Neighbours()


def asked(count: int, first: int) -> Request:
    return Request(count, first, 99, (5, 0, first))


def hill(count: int) -> list[Trial]:
    """Random trials that are the better the larger x is."""
    rng = np.random.default_rng(0)
    values = [SPACE.sample(rng) for _ in range(count)]
    return [Trial(each, float(str(each["x"]))) for each in values]


def test_rows_are_as_near_as_a_kernel_says_and_options_one_deviation_apart() -> None:
    space = space_of(x={"type": "float", "low": 0.0, "high": 1.0}, kind={"type": "categorical", "options": ["a", "b"]})
    rows = np.array([[0.5, 0.0], [0.5, 1.0], [0.75, 0.0]])
    near = closeness(Features(space), rows[:1], rows, 0.25)
    assert near[0] == pytest.approx([1.0, np.exp(-0.5), np.exp(-0.5)])


def test_it_prefers_where_the_neighbours_are_good_and_stays_spread() -> None:
    proposals = SAMPLER.propose(SPACE, hill(30), asked(40, first=30))
    xs, ys = (np.array([each.values[name] for each in proposals]) for name in "xy")
    assert xs.mean() > 0.75, "uniform draws have a mean of a half"
    assert ys.std() > 0.2, "what does not matter is drawn from all of its range"
    assert xs.min() < xs.max() - 0.15, "no two searches of the same maximum"


def test_more_draws_are_greedier() -> None:
    few, many = (Neighbours(draws=draws).propose(SPACE, hill(30), asked(40, first=30)) for draws in (4, 256))
    means = [np.mean([each.values["x"] for each in proposals]) for proposals in (few, many)]
    assert means[0] < means[1]


def test_what_has_no_result_counts_as_middling() -> None:
    trials = hill(12)
    alone = SAMPLER.propose(SPACE, trials, asked(1, first=12))[0]
    crowd = tuple({"x": alone.values["x"], "y": float(y)} for y in np.linspace(0.0, 1.0, 9))
    request = Request(1, 12, 99, (5, 0, 12), pending=crowd)
    (proposal,) = SAMPLER.propose(SPACE, trials, request)
    assert _share(proposal.reason) < _share(alone.reason)


def test_it_fills_the_space_first() -> None:
    proposals = SAMPLER.propose(SPACE, [], asked(9, first=0))
    assert all("fills the space evenly" in each.reason for each in proposals)


def _share(reason: str) -> int:
    match = re.search(r"better than (\d+)% of the trials", reason)
    assert match, reason
    return int(match[1])
