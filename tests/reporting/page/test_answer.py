"""The gain and its uncertainty on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.reporting.page.answer import uncertainty
from automl.study.interval import Interval, paired
from automl.study.verdict import JudgedSide, Verdict


def found(gains: tuple[float, ...], interval: Interval | None = None) -> Verdict:
    side = JudgedSide((), ())
    return Verdict("validation data", 0.0, side, side, 1, gains, interval or paired(gains), fresh_seeds=True, left={})


@pytest.mark.parametrize(
    ("gains", "says"),
    [
        ((0.02,), "Perhaps better than the defaults: +0.0200 (no interval), 1 seed each"),
        ((0.01, 0.02, 0.03), "Probably better than the defaults: +0.020 (95 %: -0.005 to +0.045), 3 seeds each"),
        ((0.020, 0.021, 0.019), "Better than the defaults: +0.0200 (95 %: +0.0175 to +0.0225), 3 seeds each"),
        ((-0.020, -0.021, -0.019), "Worse than the defaults: -0.0200 (95 %: -0.0225 to -0.0175), 3 seeds each"),
        ((-0.01, -0.02, 0.03), "Not better than the defaults: 0.00 (95 %: -0.07 to +0.07), 3 seeds each"),
        ((0.0, 0.0), "Not better than the defaults: 0.0 (95 %: 0.0 to 0.0), 2 seeds each"),
    ],
)
def test_the_verdict_is_a_sentence(gains: tuple[float, ...], says: str) -> None:
    assert replace(found(gains), gain=round(sum(gains) / len(gains), 9)).sentence == says


def test_one_pair_tells_no_uncertainty() -> None:
    assert "its uncertainty is unknown" in uncertainty(found((0.02,)))


def test_three_pairs_by_hand() -> None:
    """Mean 0.02, standard deviation 0.01, standard error 0.0058; Student's t for two degrees of freedom is 4.303."""
    assert uncertainty(found((0.01, 0.02, 0.03))) == (
        "95 % interval \N{MINUS SIGN}0.0048 to +0.0448 (Student's t of 3 pairs of trainings); the sign is not certain"
    )


def test_a_clear_gain_has_no_doubt_of_its_sign() -> None:
    assert "sign" not in uncertainty(found((0.020, 0.021, 0.019, 0.020)))


def test_without_shared_seeds_the_interval_is_welchs() -> None:
    assert "(Welch's t)" in uncertainty(found((), Interval(0.1, 0.2, "welch")))


@pytest.mark.parametrize("count", [2, 20])
def test_every_number_of_repeats_has_its_quantile(count: int) -> None:
    assert f"of {count} pairs" in uncertainty(found(tuple(index / 100 for index in range(count))))
