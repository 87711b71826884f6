"""The search space: whatever is decoded satisfies what the user wrote, and nothing that he allowed is out of reach."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from automl.errors import SpaceError
from automl.problem.search_space import Parameter, SearchSpace
from tests.problem.made_spaces import Definition, draw, space

ROOT = Path(__file__).parents[2]

quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


# ---- random spaces -------------------------------------------------------------------------------------------------

NUMERIC: list[Definition] = [
    {"kind": "int", "low": 1, "high": 40},
    {"kind": "int", "low": 2, "high": 300, "log": True},
    {"kind": "int", "low": -7, "high": 90, "step": 7},
    {"kind": "int", "low": 5, "high": 200, "conditions": ["/ 8"]},
    {"kind": "int", "low": 3, "high": 300, "step": 3, "conditions": "/ 4", "log": True},
    {"kind": "int", "low": 3, "high": 500, "conditions": ["^ 2", "> 4"]},
    {"kind": "float", "low": 0, "high": 50, "conditions": ["> 0"]},
    {"kind": "float", "low": 1e-5, "high": 60, "log": True},
    {"kind": "float", "low": -3.3, "high": 47.123456789, "conditions": ["< 47.123456789", ">= -3"]},
    {"kind": "float", "low": 0.1, "high": 33.3, "step": 0.1},
    {"kind": "float", "low": 0.3, "high": 33.3, "conditions": "/ 0.25"},
    {"kind": "float", "low": 0.1, "high": 64, "conditions": "^ 2"},
    {"kind": "float", "low": 9, "high": 9.0000001},
    {"kind": "ordered", "options": [1, 2.5, 8, 30], "weights": [1, 0, 2, 3]},
]
OTHER: list[Definition] = [
    {"kind": "bool"},
    {"kind": "bool", "weights": [0.9, 0.1]},
    {"kind": "categorical", "options": ["a", "b", True, 1, None, [0.9, 0.99]]},
    {"kind": "categorical", "options": ["a", "b", "c"], "weights": [3, 0, 1]},
    {"kind": "ordered", "options": ["small", "large"]},
    {"kind": "list", "length": 3, "low": 0.5, "high": 0.999},
    {"kind": "list", "low": 1, "high": 64, "log": True, "default": [2, 3], "conditions": ["> 1"]},
]


@st.composite
def spaces(draw_: st.DrawFn) -> SearchSpace:
    """Up to seven parameters of every kind, compared with earlier ones and constants, some existing only at times."""
    definitions: dict[str, Definition] = {}
    compared: list[str] = []
    for place in range(draw_(st.integers(1, 7))):
        numeric = draw_(st.integers(0, 3)) > 0
        data = dict(draw_(st.sampled_from(NUMERIC if numeric else OTHER)))
        if numeric:
            others: list[str] = draw_(st.lists(st.sampled_from([*compared, "batch"]), max_size=2))
            said = [f"{draw_(st.sampled_from(['<', '<=', '>', '>=']))} {other}" for other in others]
            own = data.get("conditions", [])
            data["conditions"] = [*([own] if isinstance(own, str) else own), *said]
            compared.append(f"p{place}")
        switches = [name for name, other in definitions.items() if other["kind"] == "bool"]
        if draw_(st.booleans()) and switches:
            data["active_when"] = {"parameter": draw_(st.sampled_from(switches)), "values": [True]}
        definitions[f"p{place}"] = data
    names = draw_(st.permutations(list(definitions)))
    try:
        return space({"batch": 12.5}, **{name: definitions[name] for name in names})
    except SpaceError:
        return reject()


@st.composite
def points(draw_: st.DrawFn) -> tuple[SearchSpace, list[float]]:
    searched = draw_(spaces())
    coordinate = st.one_of(
        st.sampled_from([0.0, 1.0, 0.5, 1e-300, 1e-12, 1 - 1e-12, math.nextafter(1, 0)]),
        st.floats(0, 1),
        st.integers(0, 64).map(lambda eighth: eighth / 64),
    )
    return searched, draw_(st.lists(coordinate, min_size=searched.size, max_size=searched.size))


@quick
@given(points())
def test_every_decoded_value_satisfies_the_space(point: tuple[SearchSpace, list[float]]) -> None:
    searched, cube = point
    values = searched.decode(cube)
    assert searched.check(values) == ()
    assert json.loads(json.dumps(values, allow_nan=False)) == values


@quick
@given(points())
def test_encoding_gives_back_exactly_what_was_decoded(point: tuple[SearchSpace, list[float]]) -> None:
    searched, cube = point
    values = searched.decode(cube)
    encoded = searched.encode(values)
    assert all(0 <= coordinate <= 1 for coordinate in encoded)
    again = searched.decode(encoded)
    assert again == values
    assert [type(value) for value in again.values()] == [type(value) for value in values.values()]


@quick
@given(points())
def test_zero_gives_the_lowest_and_one_the_highest_value(point: tuple[SearchSpace, list[float]]) -> None:
    searched, cube = point
    dimensions = searched.dimensions()
    free = [not dimension.categories for dimension in dimensions]  # switches stay, so that the same parameters exist
    values, lowest, highest = (
        searched.decode([end if moved and end is not None else u for u, moved in zip(cube, free, strict=True)])
        for end in (None, 0.0, 1.0)
    )
    assert values.keys() == lowest.keys() == highest.keys()
    for dimension, moved in zip(dimensions, free, strict=True):
        name = dimension.parameter
        if moved and name in values and not isinstance(values[name], str):
            assert lowest[name] <= values[name] <= highest[name]  # type: ignore[operator]  # numbers, or lists of them


@quick
@given(spaces())
def test_defaults_satisfy_the_space_and_a_definition_survives_json(searched: SearchSpace) -> None:
    assert searched.check(searched.defaults()) == ()
    for one in searched.parameters:
        text = json.dumps(one.to_mapping(), allow_nan=False)
        assert Parameter.from_mapping(one.name, json.loads(text)) == one


@pytest.mark.parametrize(
    "comparisons",
    [
        ({}, {"conditions": "> a"}, {"conditions": "> b"}),
        ({"conditions": ["< b", "<= c"]}, {}, {}),
        ({}, {"conditions": "<= a"}, {"conditions": ["> b", "< a"]}),
        ({"conditions": "/ 2"}, {"conditions": ["/ 3", "> a"]}, {"conditions": "< a"}),
        ({"conditions": "< six"}, {"conditions": [">= a", "> three"]}, {"conditions": "< b", "log": True}),
    ],
)
def test_a_space_reaches_all_assignments_that_brute_force_finds_and_no_others(
    comparisons: tuple[Definition, ...],
) -> None:
    constants = {"six": 6, "three": 3}
    definitions = {n: {"kind": "int", "low": 1, "high": 8} | more for n, more in zip("abc", comparisons, strict=True)}
    searched = space(constants, **definitions)

    def fits(values: Mapping[str, int]) -> bool:
        known = {**constants, **values}
        return all(
            {
                "<": lambda x, y: x < y,
                "<=": lambda x, y: x <= y,
                ">": lambda x, y: x > y,
                ">=": lambda x, y: x >= y,
                "/": lambda x, y: x % y == 0,
            }[condition.operator](values[p.name], known.get(str(condition.operand), condition.operand))
            for p in searched.parameters
            for condition in p.conditions
        )

    everything = [dict(zip("abc", numbers, strict=True)) for numbers in itertools.product(range(1, 9), repeat=3)]
    feasible = [values for values in everything if fits(values)]
    assert feasible
    for values in everything:
        assert (searched.check(values) == ()) == (values in feasible)
    for values in feasible:
        assert searched.decode(searched.encode(values)) == values
    lattice = [step / 24 for step in range(25)]
    assert all(searched.decode(cube) in feasible for cube in itertools.product(lattice, repeat=3))


# ---- how values are distributed ------------------------------------------------------------------------------------


def test_the_median_of_a_log_range_is_its_geometric_mean() -> None:
    searched = space(lr={"kind": "float", "low": 1e-6, "high": 1e-2, "log": True})
    assert searched.decode([0.5]) == {"lr": 1e-4}
    values = sorted(values["lr"] for values in draw(searched, 2001))
    assert 0.8e-4 < values[1000] < 1.25e-4


def test_whole_numbers_on_a_log_scale_own_cells_from_half_below_to_half_above() -> None:
    searched = space(n={"kind": "int", "low": 1, "high": 1000, "log": True})
    width = math.log(1000.5 / 0.5)
    for number in (1, 2, 3, 10, 500, 999, 1000):
        start, stop = math.log((number - 0.5) / 0.5) / width, math.log((number + 0.5) / 0.5) / width
        assert searched.decode([start + 1e-9]) == searched.decode([stop - 1e-9]) == {"n": number}
        assert searched.encode({"n": number})[0] == pytest.approx((start + stop) / 2)
    assert {searched.decode(searched.encode({"n": n}))["n"] for n in range(1, 1001)} == set(range(1, 1001))


@pytest.mark.parametrize(
    ("definition", "wanted"),
    [
        ({"kind": "categorical", "options": ["a", "b", "c"], "weights": [1, 2, 5]}, {"a": 1, "b": 2, "c": 5}),
        ({"kind": "ordered", "options": [8, 16, 32], "weights": [6, 0, 2]}, {8: 6, 32: 2}),
        ({"kind": "bool", "weights": [3, 1]}, {False: 3, True: 1}),
        ({"type": "bool", "options": [True, False], "option_weights": [1, 3]}, {False: 3, True: 1}),
        ({"kind": "int", "low": 1, "high": 4}, {1: 1, 2: 1, 3: 1, 4: 1}),
        ({"kind": "int", "low": 1, "high": 9, "conditions": "^ 2"}, {1: 1, 2: 1, 4: 1, 8: 1}),
    ],
)
def test_weights_are_sampling_probabilities_and_no_weights_mean_all_alike(
    definition: Definition, wanted: dict[Any, int]
) -> None:
    count = 4000
    seen = Counter(values["x"] for values in draw(space(x=definition), count))
    assert seen.keys() == wanted.keys()
    expected = {value: count * weight / sum(wanted.values()) for value, weight in wanted.items()}
    chi_square = sum((seen[value] - expected[value]) ** 2 / expected[value] for value in wanted)
    assert chi_square < 16.3  # the 99.9 % quantile for 3 degrees of freedom


def test_weights_hold_within_what_an_inequality_leaves() -> None:
    searched = space(
        a={"kind": "int", "low": 10, "high": 12},
        b={"kind": "ordered", "options": [1, 16, 32, 64], "weights": [90, 1, 0, 9], "conditions": "> a"},
    )
    seen = Counter(values["b"] for values in draw(searched, 2000))
    assert seen.keys() == {16, 64}
    assert 0.07 < seen[16] / 2000 < 0.13


def test_decoding_does_not_depend_on_the_process() -> None:
    program = """
import json
from automl.problem.search_space import Parameter, SearchSpace
definitions = json.load(open(0))
space = SearchSpace(tuple(Parameter.from_mapping(name, data) for name, data in definitions.items()))
print(json.dumps([space.decode([(7 * i + 3 * k) % 11 / 10 for k in range(space.size)]) for i in range(20)]))
"""
    definitions: dict[str, Definition] = {
        "b": {"kind": "float", "low": 1e-4, "high": 1, "log": True, "conditions": ["> a", "< c"]},
        "c": {"kind": "float", "low": 0.1, "high": 3},
        "a": {"kind": "float", "low": 1e-4, "high": 1},
        "q": {"kind": "categorical", "options": ["x", "y"]},
        "d": {"kind": "int", "low": 1, "high": 9, "active_when": "q == x"},
    }
    out = [
        subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(definitions),
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert out[0] == out[1]
    searched = space(**definitions)
    here = [searched.decode([(7 * i + 3 * k) % 11 / 10 for k in range(searched.size)]) for i in range(20)]
    assert json.loads(out[0]) == here


def test_importing_the_space_imports_neither_numpy_nor_yaml() -> None:
    program = "import sys, automl.problem.search_space; print(sorted({'numpy', 'yaml', 'pydantic'} & set(sys.modules)))"
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"
