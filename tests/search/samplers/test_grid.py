"""A grid: all configurations in order, each once, and what has none is refused."""

from __future__ import annotations

import pytest

from automl.errors import InvalidInput
from automl.problem.configurations import count, every, identity
from automl.search.samplers.base import Request
from automl.search.samplers.grid import Grid, check
from automl.testing.spaces import CATEGORICAL, MIXED, space_of
from tests.search.test_brain import walk
from tests.simulation.studies import RANDOM, study

SMALL = space_of(
    a={"type": "int", "low": 1, "high": 3, "default": 2},
    b={"type": "float", "low": 0.0, "high": 1.0, "step": 0.5, "default": 0.5},
)


def test_the_order_is_that_of_the_values_and_the_last_parameter_is_the_fastest() -> None:
    proposals = Grid().propose(SMALL, (), Request(4, first=0, total=9, seed=(1, 0, 0)))
    assert [tuple(each.values.values()) for each in proposals] == [(1, 0.0), (1, 0.5), (1, 1.0), (2, 0.0)]
    assert [each.reason for each in proposals][:2] == ["point 1 of the grid", "point 2 of the grid"]


def test_steps_go_on_where_the_ones_before_ended_and_leave_out_what_others_chose() -> None:
    found = []
    for first in range(0, 8, 2):
        request = Request(2, first=first, total=8, seed=(1, 0, first), chosen=(SMALL.defaults(),))
        found += [identity(each.values) for each in Grid().propose(SMALL, (), request)]
    assert found == [identity(values) for values in every(SMALL) if values != SMALL.defaults()]


def test_values_of_an_interval_are_even_on_its_scale() -> None:
    space = space_of(lr={"type": "float", "low": 1e-4, "high": 1.0, "log": True})
    proposals = Grid(points=5).propose(space, (), Request(5, first=0, total=5, seed=(1, 0, 0)))
    assert [each.values["lr"] for each in proposals] == [1e-4, 1e-3, 1e-2, 1e-1, 1.0]


def test_an_interval_of_one_float_has_a_grid() -> None:
    check(space_of(a={"type": "float", "low": 0.5, "high": 0.5}), 1)


def test_an_interval_and_too_many_points_are_refused() -> None:
    with pytest.raises(InvalidInput, match="lr can be any number from 1e-05 to ") as error:
        check(MIXED, 1000)
    assert "step" in error.value.advice
    with pytest.raises(InvalidInput, match="lr can be any number"):
        Grid().propose(MIXED, (), Request(1, first=0, total=1, seed=(1, 0, 0)))
    check(CATEGORICAL, 12)
    with pytest.raises(InvalidInput, match="the grid has 12 points, and the search 11 experiments"):
        check(CATEGORICAL, 11)
    many = space_of(a={"type": "int", "low": 1, "high": 10**12})
    with pytest.raises(InvalidInput, match="the grid has 1,000,000,000,000 points"):
        check(many, 11)


@pytest.mark.parametrize("settings", [RANDOM, {"algorithm": "hyperband", "R": 9, "nu": 3}])
def test_a_study_tries_the_defaults_and_then_the_rest_of_its_grid(settings: dict[str, object]) -> None:
    lr = {"type": "float", "low": 0.01, "high": 0.12, "step": 0.01, "automl_enabled": True}
    more = {"max_recommendations": 12} if settings is RANDOM else {}
    definition = study(
        {**settings, **more, "sampler": "grid", "final": {"repeats": 0}}, network={"parameters": {"train.lr": lr}}
    )
    issued = [each for decision in walk(definition) for each in decision.issued if each.resume_epoch == 0]
    assert issued[0].values == {"train.lr": 0.02}
    assert sorted(each.values["train.lr"] for each in issued) == [round(0.01 * i, 2) for i in range(1, 13)]
    assert count(definition.space) == 12
