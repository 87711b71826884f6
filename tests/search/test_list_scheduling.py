"""When the last of trainings on a few places ends, worked out by hand."""

from __future__ import annotations

import pytest

from automl.search.list_scheduling import time_until_the_end


@pytest.mark.parametrize(
    ("search", "after", "places", "pause", "end"),
    [
        ([], [], 1, 0.0, 0.0),
        ([[[3.0, 2.0, 1.0]]], [], 1, 0.0, 6.0),
        ([[[3.0, 2.0, 1.0]]], [], 2, 0.0, 3.0),  # 3 beside 2 and 1
        ([[[3.0, 1.0], [2.0]]], [], 2, 0.0, 5.0),  # a rung waits for all of the one before
        ([[[3.0, 1.0], [2.0]]], [], 2, 0.5, 5.5),
        ([[[], [2.0]]], [], 2, 0.5, 2.0),  # the first rung is over
        ([[[2.0], [2.0]], [[5.0]]], [], 2, 0.0, 5.0),  # chains go side by side
        ([[[2.0], [2.0]], [[1.0, 1.0]]], [], 1, 0.0, 6.0),
        ([[[2.0]]], [[[1.0, 1.0]]], 2, 0.0, 3.0),
        ([[[2.0]]], [[[1.0, 1.0]]], 2, 0.25, 3.25),  # a pause before the judgement too
    ],
)
def test_the_end_by_hand(search: list[list[list[float]]], after: list[list[list[float]]], places: int, pause: float,
                         end: float) -> None:  # fmt: skip
    assert time_until_the_end(search, after, places, pause) == pytest.approx(end)
