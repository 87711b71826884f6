"""A whole number as a user writes it on a command line: digits alone, and not too many."""

from __future__ import annotations

MOST_DIGITS = 9


def whole_number(text: str, least: int, most: int | None = None) -> int | None:
    """The number that the text is; None unless it is a number from `least` to `most`."""
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        return None
    number = int(text)
    return number if number >= least and (most is None or number <= most) else None
