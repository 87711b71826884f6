"""The gain and its uncertainty, in numbers that were worked out by hand."""

from __future__ import annotations

import pytest

from automl.reporting.page.answer import uncertainty


def test_one_pair_tells_no_uncertainty() -> None:
    assert "its uncertainty is not known" in uncertainty((0.02,))
    assert uncertainty(()) == ""


def test_three_pairs_by_hand() -> None:
    """Mean 0.02, standard deviation 0.01, standard error 0.0058; Student's t for two degrees of freedom is 4.303."""
    text = uncertainty((0.01, 0.02, 0.03))
    assert text == (
        "± 0.0058 (standard error of 3 pairs); 95 % interval \N{MINUS SIGN}0.0048 to +0.0448; the sign is not certain"
    )


def test_a_clear_gain_has_no_doubt_of_its_sign() -> None:
    assert "sign" not in uncertainty((0.020, 0.021, 0.019, 0.020))


@pytest.mark.parametrize("count", [2, 20])
def test_every_number_of_repeats_has_its_quantile(count: int) -> None:
    assert f"of {count} pairs" in uncertainty(tuple(index / 100 for index in range(count)))
