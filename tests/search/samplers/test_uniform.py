from __future__ import annotations

import math

import numpy as np

from automl.search.samplers.base import Request
from automl.search.samplers.uniform import Uniform
from automl.testing.spaces import MIXED


def test_draws_are_the_space_s_own_in_order() -> None:
    proposals = Uniform().propose(MIXED, (), Request(5, first=0, total=5, seed=(3, 0, 1)))
    rng = np.random.default_rng(np.random.SeedSequence((3, 0, 1)))
    assert [each.values for each in proposals] == [MIXED.sample(rng) for _ in range(5)]


def test_steps_and_stages_draw_anew() -> None:
    seeds = [(3, 0, 0), (3, 0, 1), (3, 1, 0)]
    first = [Uniform().propose(MIXED, (), Request(1, first=0, total=5, seed=seed))[0].values["lr"] for seed in seeds]
    assert len(set(first)) == 3


def test_a_log_range_is_drawn_evenly_in_the_logarithm() -> None:
    proposals = Uniform().propose(MIXED, (), Request(2000, first=0, total=2000, seed=(0, 0, 0)))
    below_the_middle = np.mean([math.log10(each.values["lr"]) < -3 for each in proposals])
    assert 0.46 < below_the_middle < 0.54
