"""What a command line takes as a whole number."""

from __future__ import annotations

import pytest

from automl.text.whole_numbers import whole_number


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("8", 8), ("008", 8)])
def test_digits_are_a_whole_number(text: str, number: int) -> None:
    assert whole_number(text, 1, 8) == number


@pytest.mark.parametrize("text", ["", "0", "9", "-1", "+1", "1.0", "1e1", " 1", "1_0", "two", "٣", "9" * 99])
def test_all_else_is_none(text: str) -> None:
    assert whole_number(text, 1, 8) is None


def test_without_a_most_nine_digits_are_the_most() -> None:
    assert whole_number("9" * 9, 0) == 999_999_999
    assert whole_number("9" * 10, 0) is None
