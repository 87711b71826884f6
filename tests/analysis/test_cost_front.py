"""The front of value and training time, against its definition."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.analysis.cost_front import Point, front, points
from automl.search.history import Experiment, Failure, Recommendation, Result, Status


def minimized(value: float) -> float:
    return -value


def maximized(value: float) -> float:
    return value


SCORES = {"maximize": maximized, "minimize": minimized}
# few different numbers, so that ties of all kinds occur, and any others
NUMBERS = st.one_of(st.integers(0, 4).map(float), st.floats(0, 1e9))
CLOUDS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=40).map(
    lambda pairs: [Point(index, 0, 1, value, seconds) for index, (value, seconds) in enumerate(pairs)]
)


@pytest.mark.parametrize("goal", SCORES)
@given(cloud=CLOUDS, order=st.randoms(use_true_random=False))
def test_the_front_is_what_nothing_dominates(goal: str, cloud: list[Point], order: random.Random) -> None:
    score = SCORES[goal]

    def dominates(one: Point, other: Point) -> bool:
        as_good = score(one.value) >= score(other.value) and one.seconds <= other.seconds
        return as_good and (one.value != other.value or one.seconds != other.seconds)

    expected = {each for each in cloud if not any(dominates(other, each) for other in cloud)}
    found = front(cloud, score)
    assert set(found) == expected
    assert len(found) == len(expected)
    assert [each.seconds for each in found] == sorted(each.seconds for each in found)
    assert [score(each.value) for each in found] == sorted(score(each.value) for each in found)
    order.shuffle(cloud)
    assert front(cloud, score) == found


def experiment(number: int, *runs: tuple[float | None, float]) -> Experiment:
    """An experiment of a rung for each (best value or None for a failure, seconds)."""
    results = []
    for rung, (value, seconds) in enumerate(runs):
        history = () if value is None else ((rung + 1, value),)
        failure = Failure.ERROR if value is None else None
        results.append(
            Result(number, rung, ("a",), rung + 1, seconds, history, best_value=value, failure=failure)
        )  # fmt: skip
    asked = Recommendation(number=number, values={}, epochs=1, schedule_epochs=1, seed=1, reason="")
    return Experiment(number, 0, {}, (asked,) * len(runs), tuple(results), Status.SUCCESS)


def test_a_rung_is_a_point_with_the_best_and_the_time_so_far() -> None:
    found = points([experiment(3, (0.5, 10.0), (0.4, 20.0), (0.7, 40.0))], maximized)
    assert found == (Point(3, 0, 1, 0.5, 10.0), Point(3, 1, 2, 0.5, 30.0), Point(3, 2, 3, 0.7, 70.0))
    lowest = points([experiment(3, (0.5, 10.0), (0.4, 20.0), (0.7, 40.0))], minimized)
    assert [each.value for each in lowest] == [0.5, 0.4, 0.4]


def test_a_failure_is_no_point() -> None:
    assert points([experiment(1, (None, 9.0)), experiment(2, (0.5, 5.0), (None, 9.0))], maximized) == (
        Point(2, 0, 1, 0.5, 5.0),
    )
    assert front((), maximized) == ()
