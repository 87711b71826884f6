from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.stats import qmc

from automl.errors import InvalidInput
from automl.search.samplers.base import Request
from automl.search.samplers.low_discrepancy import LowDiscrepancy
from automl.search.samplers.uniform import Uniform
from automl.testing.spaces import unit

SPACE = unit("abcde")
methods = pytest.mark.parametrize("method", ["sobol", "lhs"])


def cubes(sampler: LowDiscrepancy | Uniform, request: Request) -> list[tuple[float, ...]]:
    return [SPACE.encode(each.values) for each in sampler.propose(SPACE, (), request)]


@methods
def test_steps_go_on_in_one_sequence(method: str) -> None:
    sampler = LowDiscrepancy(method)  # type: ignore[arg-type]  # a parametrised text
    whole = cubes(sampler, Request(12, first=0, total=12, seed=(4, 2, 0)))
    steps = [(0, 1), (1, 4), (5, 7)]  # (first, count)
    parts = [cubes(sampler, Request(n, first=i, total=12, seed=(4, 2, i))) for i, n in steps]
    assert whole == [cube for part in parts for cube in part]


@methods
def test_stages_and_studies_have_sequences_of_their_own(method: str) -> None:
    sampler = LowDiscrepancy(method)  # type: ignore[arg-type]  # a parametrised text
    first = {cubes(sampler, Request(1, first=0, total=8, seed=seed))[0] for seed in ((4, 2, 0), (4, 3, 0), (5, 2, 0))}
    assert len(first) == 3


@methods
@pytest.mark.parametrize("count", [16, 27])
def test_points_fill_the_space_better_than_chance_does(method: str, count: int) -> None:
    sampler = LowDiscrepancy(method)  # type: ignore[arg-type]  # a parametrised text

    def discrepancy(which: LowDiscrepancy | Uniform) -> float:
        requests = [Request(count, first=0, total=count, seed=(seed, 0, 0)) for seed in range(10)]
        return float(np.mean([qmc.discrepancy(np.array(cubes(which, request))) for request in requests]))

    assert discrepancy(sampler) < 0.8 * discrepancy(Uniform())


def test_a_latin_hypercube_has_one_point_in_each_slice_of_each_parameter() -> None:
    points = np.array(cubes(LowDiscrepancy("lhs"), Request(9, first=0, total=9, seed=(0, 0, 0))))
    assert [sorted(column) for column in (points * 9).astype(int).T] == [list(range(9))] * 5


def test_past_the_end_of_a_latin_hypercube_another_goes_on() -> None:
    points = cubes(LowDiscrepancy("lhs"), Request(10, first=0, total=4, seed=(0, 0, 0)))
    assert len(set(points)) == 10
    assert points[3:] == cubes(LowDiscrepancy("lhs"), Request(7, first=3, total=4, seed=(0, 0, 1)))


@pytest.mark.parametrize("count", [1, 3, 20])
def test_a_number_that_is_no_power_of_two_brings_no_warning(count: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cubes(LowDiscrepancy("sobol"), Request(count, first=5, total=count, seed=(0, 0, 0)))


def test_the_reason_says_which_point() -> None:
    (proposal,) = LowDiscrepancy("lhs").propose(SPACE, (), Request(1, first=2, total=20, seed=(0, 0, 0)))
    assert proposal.reason == "point 3 of a Latin hypercube of 20, which fills the space evenly"


def test_an_unknown_method_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"'sobal'; did you mean 'sobol'\?; allowed: sobol, lhs"):
        LowDiscrepancy("sobal")  # type: ignore[arg-type]  # that is the point
