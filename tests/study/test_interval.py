"""The 95 % interval of a gain: against scipy, against values by hand, and with the largest and least of numbers."""

from __future__ import annotations

import math

import numpy
import pytest
from scipy import stats

from automl.study.interval import Interval, paired, welch


def test_three_pairs_by_hand() -> None:
    """Mean 0.02, standard error 0.01 / sqrt(3), Student's t of two degrees of freedom 4.303."""
    found = paired((0.01, 0.02, 0.03))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((-0.00484, 0.04484), abs=1e-5)


@pytest.mark.parametrize("count", [2, 3, 5, 20])
def test_paired_is_scipys(count: int) -> None:
    gains = numpy.random.default_rng(count).normal(0.1, 1, count)
    theirs = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    found = paired(tuple(gains))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.method == "paired"


@pytest.mark.parametrize(("one", "other"), [(2, 2), (3, 5), (20, 4)])
def test_welch_is_scipys(one: int, other: int) -> None:
    rng = numpy.random.default_rng(one)
    values, over = rng.normal(0.1, 1, one), rng.normal(0, 3, other)
    theirs = stats.ttest_ind(values, over, equal_var=False).confidence_interval(0.95)
    found = welch(tuple(values), tuple(over))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.method == "welch"


def test_one_of_each_shows_no_noise() -> None:
    assert paired(()) is paired((0.1,)) is welch((1.0,), (2.0, 3.0)) is welch((1.0, 2.0), ()) is None


@pytest.mark.parametrize("gain", [0.25, -1.5, 0.0, 1e308, 5e-324])
def test_gains_that_are_all_the_same_have_no_width(gain: float) -> None:
    assert paired((gain,) * 3) == Interval(gain, gain, "paired")
    assert welch((gain,) * 2, (0.0,) * 2) == Interval(gain, gain, "welch")


@pytest.mark.parametrize(
    "gains", [(1e308, -1e308), (1.7e308, 1.6e308, 1.7e308), (5e-324, 1e-323), (1e-162, 3e-162), (1e308, 5e-324)]
)
def test_the_largest_and_least_numbers_have_an_interval(gains: tuple[float, ...]) -> None:
    for found in (paired(gains), welch(gains, gains[::-1])):
        assert found is not None
        assert math.isfinite(found.low)
        assert math.isfinite(found.high)
        assert found.low <= found.high
