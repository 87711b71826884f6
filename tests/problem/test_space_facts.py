"""Single facts about the search space: bounds, chains, grids, switches, constants, defaults, what `check` says."""

from __future__ import annotations

import math
from typing import Any

import pytest

from automl.errors import SpaceError
from automl.problem.search_space import Dimension
from tests.problem.made_spaces import Definition, draw, space


def test_both_bounds_of_every_numeric_kind_are_reachable() -> None:
    for definition, low, high in [
        ({"kind": "float", "low": 0.123456789, "high": 0.987654321}, 0.123456789, 0.987654321),
        ({"kind": "float", "low": 1.23456789e-7, "high": 1, "log": True}, 1.23456789e-7, 1),
        ({"kind": "float", "low": 0, "high": 1, "conditions": ["> 0", "< 1"]}, 1e-6, 1 - 1e-6),
        ({"kind": "float", "low": 0.1, "high": 0.7, "step": 0.2}, 0.1, 0.7),
        ({"kind": "int", "low": -3, "high": 12, "log": False}, -3, 12),
        ({"kind": "int", "low": 100, "high": 1000, "conditions": "/ 32"}, 128, 992),
        ({"kind": "int", "low": 5, "high": 1000, "conditions": ["^ 2"]}, 8, 512),
        ({"kind": "int", "low": 1, "high": 2**32, "log": True}, 1, 2**32),
        ({"kind": "int", "low": 0, "high": 2**32}, 0, 2**32),
    ]:
        searched = space(x=definition)
        assert searched.decode([0]) == {"x": low}
        assert searched.decode([1]) == {"x": high}
        for value in (low, high):
            assert searched.decode(searched.encode({"x": value})) == {"x": value}


def test_a_chain_of_inequalities_narrows_bounds_from_both_ends() -> None:
    one_to_ten: Definition = {"kind": "int", "low": 1, "high": 10}
    searched = space(a=one_to_ten, b=one_to_ten | {"conditions": "> a"}, c=one_to_ten | {"conditions": "> b"})
    assert searched.decode([0, 0, 0]) == {"a": 1, "b": 2, "c": 3}
    assert searched.decode([1, 1, 1]) == {"a": 8, "b": 9, "c": 10}
    assert searched.decode([0, 1, 1]) == {"a": 1, "b": 9, "c": 10}


def test_a_decimal_grid_has_the_decimals_that_a_person_would_write() -> None:
    searched = space(x={"kind": "float", "low": 0.1, "high": 0.9, "step": 0.1})
    assert [searched.decode([(i + 0.5) / 9])["x"] for i in range(9)] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def test_floats_have_six_digits_unless_the_range_is_too_narrow_for_that() -> None:
    for values in draw(space(x={"kind": "float", "low": 1e-5, "high": 3, "log": True}), 200):
        assert float(f"{values['x']:.6g}") == values["x"]
    narrow = draw(space(x={"kind": "float", "low": 1e6, "high": 1e6 + 1}), 200)
    assert len({values["x"] for values in narrow}) > 190


@pytest.mark.parametrize(
    "definition",
    [
        {"kind": "float", "low": 0.123456789, "high": 0.123456999},
        {"kind": "float", "low": 3.3e-7, "high": 3.3001e-7, "log": True},
        {"kind": "float", "low": 12345.678, "high": 12349.1, "log": True},
    ],
)
def test_unrounded_floats_come_back_to_the_last_bit(definition: Definition) -> None:
    searched = space(x=definition)
    for values in draw(searched, 2000):
        assert searched.decode(searched.encode(values)) == values


def test_an_option_of_weight_zero_is_never_drawn_but_may_be_given() -> None:
    searched = space(
        a={"kind": "ordered", "options": [1, 2, 3], "weights": [0, 1, 0], "default": 3},
        b={"kind": "int", "low": 1, "high": 4, "conditions": "> a", "default": 4},
    )
    assert searched.decode([0, 0]) == {"a": 2, "b": 3}
    assert searched.decode([1, 1]) == {"a": 2, "b": 4}
    assert searched.defaults() == {"a": 3, "b": 4}
    assert searched.encode({"a": 3, "b": 4}) == (0.5, 0.5)


def test_a_strict_comparison_of_floats_leaves_at_least_the_next_float() -> None:
    searched = space(
        a={"kind": "float", "low": 0, "high": 1}, b={"kind": "float", "low": 0, "high": 1, "conditions": "> a"}
    )
    assert searched.decode([1, 0]) == {"a": math.nextafter(1, 0), "b": 1}
    assert searched.decode([0, 0]) == {"a": 0, "b": math.nextafter(0, 1)}


def test_a_parameter_exists_only_while_its_switch_says_so() -> None:
    searched = space(
        momentum={"kind": "float", "low": 0, "high": 1, "depends_on": "optimizer in [sgd, rmsprop]", "default": 0.9},
        optimizer={"kind": "categorical", "options": ["adam", "sgd", "rmsprop"], "default": "adam"},
        nesterov={"kind": "bool", "depends_on": "optimizer == sgd"},
        start={"kind": "float", "low": 0, "high": 1, "conditions": "< momentum"},
    )
    assert searched.defaults() == {"optimizer": "adam", "start": 0.5}
    assert searched.decode([0.5, 0.5, 1, 1]).keys() == {"momentum", "optimizer", "nesterov", "start"}
    assert searched.decode([0.5, 0.99, 1, 1]).keys() == {"momentum", "optimizer", "start"}
    alone = searched.decode([0.5, 0, 1, 1])
    assert alone == {"optimizer": "adam", "start": 1}, "beside a missing momentum the comparison says nothing"
    assert searched.encode(alone) == pytest.approx((0.5, 1 / 6, 0.5, 1))
    assert "exists only while" in searched.check({**alone, "momentum": 0.5})[0]


def test_a_switch_may_itself_hang_on_a_switch_or_on_a_constant() -> None:
    searched = space(
        {"task": "detect", "other": "x"},
        c={"kind": "int", "low": 1, "high": 3, "active_when": "b == true"},
        b={"kind": "bool", "active_when": "a in [1, 2]"},
        a={"kind": "int", "low": 0, "high": 3, "active_when": "task == detect"},
        never={"kind": "bool", "active_when": "other == y"},
    )
    assert [list(searched.decode([0, 1, a, 0])) for a in (0, 0.4, 1)] == [["a"], ["c", "b", "a"], ["a"]]


def test_constants_bound_what_is_compared_with_them() -> None:
    searched = space(
        {"queries": 300, "lowest": 0.25},
        select={"kind": "int", "low": 1, "high": 1000, "depends_on": "<= queries"},
        lr={"kind": "float", "low": 0.01, "high": 1, "log": True, "conditions": "> lowest"},
        sizes={"kind": "list", "length": 2, "low": 1, "high": 1000, "conditions": "< queries"},
    )
    assert searched.decode([1, 0, 1, 0]) == {"select": 300, "lr": math.nextafter(0.25, 1), "sizes": [299, 1]}
    assert "which is 300" in searched.check({"select": 301, "lr": 0.5, "sizes": [1, 2]})[0]


def test_missing_defaults_take_the_middle_of_what_the_given_ones_leave() -> None:
    searched = space(
        a={"kind": "float", "low": 0, "high": 1},
        b={"kind": "float", "low": 0, "high": 1, "default": 0.2, "conditions": "> a"},
        c={"kind": "int", "low": 0, "high": 10, "conditions": "> b"},
        d={"kind": "categorical", "options": ["x", "y", "z"]},
    )
    assert searched.defaults() == {"a": 0.1, "b": 0.2, "c": 6, "d": "y"}


def test_dimensions_name_each_coordinate() -> None:
    searched = space(
        o={"kind": "categorical", "options": ["a", "b", "c"]},
        l={"kind": "list", "length": 2, "low": 0, "high": 1},
        b={"kind": "bool"},
        r={"kind": "ordered", "options": ["s", "m"]},
    )
    assert searched.size == 5
    assert searched.dimensions() == (
        Dimension("o", None, 3),
        Dimension("l", 0, None),
        Dimension("l", 1, None),
        Dimension("b", None, 2),
        Dimension("r", None, None),
    )


def test_a_list_is_of_whole_numbers_unless_a_float_is_written() -> None:
    assert space(x={"type": "list_2", "min": 0, "max": 9}).decode([0.5, 1]) == {"x": [5, 9]}
    assert space(x={"type": "list", "min": 0, "max": 1, "default": [0.5, 1]}).decode([0.5, 1]) == {"x": [0.5, 1.0]}
    floats = space(x={"kind": "list", "low": 0.0, "high": 1, "default": (0, 1)})
    assert floats.defaults() == {"x": [0.0, 1.0]}
    assert isinstance(floats.defaults()["x"], list)


def test_true_and_one_are_different_options() -> None:
    searched = space(x={"kind": "categorical", "options": [1, True, "1"]})
    assert [searched.decode([u])["x"] is True for u in (0, 0.5, 1)] == [False, True, False]
    assert searched.encode({"x": True}) == (0.5,)
    assert searched.check({"x": 1.0}) == ()
    assert searched.check({"x": False})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "lr is missing"),
        ({"lr": 2.0}, "outside 0.0 ... 1.0"),
        ({"lr": 0.0}, "not greater than 0"),
        ({"lr": True}, "not a finite number"),
        ({"lr": math.nan}, "not a finite number"),
        ({"lr": "0.1"}, "not a finite number"),
        ({"n": 1.0}, "not a whole number"),
        ({"n": 34}, "not a multiple of 32"),
        ({"n": 64, "m": 64}, "n is 64, not less than m (which is 64)"),
        ({"optimizer": "sdg"}, "did you mean 'sgd'?"),
        ({"betas": [0.5]}, "not a list of 2"),
        ({"betas": [0.5, 2.0]}, "outside"),
        ({"flag": 1}, "neither true nor false"),
        ({"lrr": 0.5}, "did you mean 'lr'?"),
        ({"grid": 0.35}, "not on the grid"),
    ],
)
def test_check_says_what_is_wrong(values: dict[str, Any], said: str) -> None:
    searched = space(
        lr={"kind": "float", "low": 0, "high": 1, "conditions": "> 0"},
        n={"kind": "int", "low": 0, "high": 128, "conditions": ["/ 32", "< m"]},
        m={"kind": "int", "low": 0, "high": 128},
        optimizer={"kind": "categorical", "options": ["adam", "sgd"]},
        betas={"kind": "list", "length": 2, "low": 0.0, "high": 1.0},
        flag={"kind": "bool"},
        grid={"kind": "float", "low": 0, "high": 1, "step": 0.1},
    )
    fine: dict[str, Any] = {
        "lr": 0.5,
        "n": 32,
        "m": 128,
        "optimizer": "sgd",
        "betas": [0.5, 1.0],
        "flag": True,
        "grid": 0.3,
    }
    assert searched.check(fine) == ()
    wrong = fine | values if values else {name: value for name, value in fine.items() if name != "lr"}
    problems = searched.check(wrong)
    assert len(problems) == 1
    assert said in problems[0]
    with pytest.raises(SpaceError, match="do not belong to the space"):
        searched.encode(wrong)


@pytest.mark.parametrize("cube", [[], [0.5, 0.5], [1.1], [-0.1], [math.nan]])
def test_a_point_outside_the_cube_is_refused(cube: list[float]) -> None:
    with pytest.raises(SpaceError, match="coordinate"):
        space(x={"kind": "bool"}).decode(cube)
