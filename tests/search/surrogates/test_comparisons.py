"""Strengths from comparisons by the longest trainings that two configurations both have."""

from __future__ import annotations

import numpy as np
import pytest

from automl.search.surrogates.comparisons import strengths

NONE = np.nan


def test_where_all_are_compared_the_order_is_that_of_the_losses() -> None:
    losses = np.random.default_rng(0).permutation(40).astype(float)
    assert np.argsort(-strengths(losses[None])).tolist() == np.argsort(losses).tolist()


def test_the_longest_training_of_both_counts() -> None:
    # The first two went on, and the second was the better one in the end; the third is compared after one epoch.
    first, second, third = strengths(np.array([[0.1, 0.2, 0.3], [0.09, 0.05, NONE]]))
    assert second > first > third


def test_who_reached_a_longer_rung_is_not_better_for_that_alone() -> None:
    # The first went on because it was alone; the two that came later are better where all three are compared.
    first, second, third = strengths(np.array([[0.5, 0.2, 0.3], [0.1, NONE, NONE]]))
    assert second > third > first


def test_those_of_other_brackets_are_compared_by_whom_both_have_met() -> None:
    # Of the first bracket, 0 beat 1 and went on; there it met 2, which it lost to, and 3, which it beat.
    values = strengths(np.array([[0.1, 0.2, NONE, NONE], [0.08, NONE, 0.05, 0.09]]))
    assert values[2] > values[0] > max(values[1], values[3])
    assert values[1] == pytest.approx(values[3], abs=0.6)  # both lost to 0, and 3 to 2 too


def test_equals_are_equally_strong_and_strengths_are_finite() -> None:
    assert np.ptp(strengths(np.full((2, 5), 0.3))) == pytest.approx(0.0)
    assert np.isfinite(strengths(np.arange(300.0)[None])).all()
