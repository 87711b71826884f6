"""Axes: where values stand, and which ticks people read."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from automl.problem.search_space import Parameter
from automl.reporting.figures.scales import Numbers, Options, of_metric, of_parameter


def test_ticks_are_round_and_no_more_than_asked_for() -> None:
    assert [text for _, text in Numbers(0.31, 0.87).ticks(6)] == ["0.4", "0.5", "0.6", "0.7", "0.8"]
    assert Numbers(0, 10).ticks(5) == [(0.0, "0"), (0.2, "2"), (0.4, "4"), (0.6, "6"), (0.8, "8"), (1.0, "10")]
    assert [text for _, text in Numbers(-1e6, 1e6).ticks(4)] == ["-1.0e6", "-5e5", "0", "5e5", "1.0e6"]
    assert [text for _, text in Numbers(0.99999, 1.00001).ticks(4)] == [
        "0.999990",
        "0.999995",
        "1.000000",
        "1.000005",
        "1.000010",
    ]


def test_between_whole_numbers_there_is_no_tick() -> None:
    assert [text for _, text in Numbers(0.9, 3.1, whole=True).ticks(12)] == ["1", "2", "3"]
    assert [text for _, text in Numbers(-0.5, 0.5, whole=True).ticks(12)] == ["0"]
    assert [text for _, text in Numbers(0, 1000, whole=True).ticks(5)] == ["0", "200", "400", "600", "800", "1000"]
    assert [text for _, text in of_parameter(Parameter("x", "int", low=1, high=4)).ticks(9)] == ["1", "2", "3", "4"]


def test_a_logarithmic_axis_has_decades_and_less_where_it_spans_less() -> None:
    assert [text for _, text in Numbers(1e-5, 1e-1, log=True).ticks(6)] == ["1e-5", "1e-4", "0.001", "0.01", "0.1"]
    assert [text for _, text in Numbers(1, 20, log=True).ticks(6)] == ["1", "2", "5", "10", "20"]
    assert Numbers(0.01, 1, log=True).place(0.1) == pytest.approx(0.5)


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(3, 12), st.booleans())
def test_every_tick_of_any_axis_lies_on_it_in_order(low: float, width: float, most: int, log: bool) -> None:
    low, high = (abs(low) + 1e-9, abs(low) + 1e-9 + width) if log else (low, low + width)
    assume(low < high and not (log and high < low * (1 + 1e-6)))
    places = [place for place, _ in Numbers(low, high, log).ticks(most)]
    assert places == sorted(places)
    assert len(places) <= most + 2
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)


def test_an_option_stands_in_the_middle_of_its_cell_and_a_bool_is_no_number() -> None:
    scale = of_parameter(Parameter("x", "categorical", options=("sgd", "adamw")))
    assert [scale.place(each) for each in ("sgd", "adamw", "other", 1)] == [0.25, 0.75, None, None]
    switch = of_parameter(Parameter("x", "bool"))
    assert [switch.place(each) for each in (False, True, 0, 1)] == [0.25, 0.75, None, None]
    assert [text for _, text in Options(("a", "b", "c", "d")).ticks(2)] == ["a", "c"]


def test_a_parameter_of_one_value_has_an_axis_too() -> None:
    assert of_parameter(Parameter("x", "int", low=4, high=4)).place(4) == 0.5


def test_far_worse_values_lie_beyond_the_axis_and_better_ones_never() -> None:
    losses = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 0.0001, 1e9]
    scale = of_metric(losses, minimize=True)
    assert [each for each in losses if scale.beyond(each)] == [1e9]
    assert scale.place(1e9) == 1.0
    mirrored = of_metric([-each for each in losses], minimize=False)
    assert [each for each in losses if mirrored.beyond(-each)] == [1e9]


@pytest.mark.parametrize("values", [[], [0.0], [3.0, 3.0], [-2.5], [1e-300, 1e300], [5e-324]])
def test_a_metric_of_few_or_equal_or_extreme_values_has_an_axis(values: list[float]) -> None:
    scale = of_metric(values, minimize=True)
    assert scale.low < scale.high
    assert all(0 <= (scale.place(value) or 0.0) <= 1 for value in values)
    assert scale.ticks(5)
