"""The number of configurations is that of what can be drawn: by counting, by listing, and by drawing many."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from automl.problem import domains
from automl.problem.configurations import count, every, identity, is_drawn
from automl.testing.spaces import CATEGORICAL, MIXED, random_space, space_of

Fields = dict[str, dict[str, Any]]
INT_1_TO_3: dict[str, Any] = {"type": "int", "low": 1, "high": 3}
SPACES: dict[str, tuple[Fields, float]] = {
    "nothing is searched": ({}, 1),
    "an interval of one float": ({"a": {"type": "float", "low": 0.5, "high": 0.5}}, 1),
    "two neighbouring floats": ({"a": {"type": "float", "low": 1.0, "high": 1.0000000000000002}}, 2),
    "floats that round to six digits": ({"a": {"type": "float", "low": 1.0, "high": 1.002}}, 201),
    "and below zero": ({"a": {"type": "float", "low": -1.002, "high": -1.0}}, 201),
    "and across a power of ten": ({"a": {"type": "float", "low": 0.999, "high": 1.001}}, 1101),
    "and on a log scale": ({"a": {"type": "float", "low": 1.0, "high": 1.002, "log": True}}, 201),
    "an interval": ({"a": {"type": "float", "low": 0.0, "high": 1.0}, "b": {"type": "bool"}}, math.inf),
    "the narrowest interval above zero": ({"a": {"type": "float", "low": 0.0, "high": 5e-324}}, math.inf),
    "a grid of floats": ({"a": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.1}}, 11),
    "a step wider than the range": ({"a": {"type": "float", "low": 0.0, "high": 1.0, "step": 3.0}}, 1),
    "whole numbers on a log scale": ({"a": {"type": "int", "low": 1, "high": 10, "log": True}}, 10),
    "powers": ({"a": {"type": "int", "low": 1, "high": 256, "conditions": ["^ 2"]}}, 9),
    "multiples": ({"a": {"type": "int", "low": 1, "high": 256, "conditions": ["/ 32"]}}, 8),
    "a product": ({"a": INT_1_TO_3, "b": {"type": "bool"}, "c": {"kind": "ordered", "options": [1, 2]}}, 12),
    "options without weight": ({"a": {"type": "categorical", "options": ["p", "q", "r"], "weights": [1, 0, 1]}}, 2),
    "true and 1 are two options": ({"a": {"type": "categorical", "options": [True, 1, "1"]}}, 3),
    "a list": ({"a": {"kind": "list", "low": 1, "high": 3, "length": 2, "default": [1, 1]}}, 9),
    "a parameter that exists beside one option": (
        {"o": {"type": "categorical", "options": ["adam", "sgd"]}, "m": {**INT_1_TO_3, "active_when": "o == sgd"}},
        4,
    ),
    "an interval beside one option": (
        {
            "o": {"type": "categorical", "options": ["adam", "sgd"]},
            "m": {"type": "float", "low": 0.0, "high": 1.0, "active_when": "o == sgd"},
        },
        math.inf,
    ),
    "switches in a row": (
        {
            "o": {"type": "bool"},
            "p": {"type": "bool", "active_when": "o == true"},
            "q": {**INT_1_TO_3, "active_when": "p == true"},
        },
        5,
    ),
    "one switch of two": (
        {
            "o": INT_1_TO_3,
            "p": {"type": "bool", "active_when": "o in [1, 2]"},
            "q": {"type": "bool", "active_when": "o == 2"},
        },
        2 + 4 + 1,
    ),
    "a switch with many values": (
        {"o": {"type": "int", "low": 1, "high": 10**12}, "p": {"type": "bool", "active_when": "o == 7"}},
        10**12 + 1,
    ),
    "one above another": ({"a": INT_1_TO_3, "b": {**INT_1_TO_3, "conditions": ["> a"]}}, 3),
    "one at or above another": ({"a": INT_1_TO_3, "b": {**INT_1_TO_3, "conditions": [">= a"]}}, 6),
    "three in a row": (
        {
            "a": {"type": "int", "low": 1, "high": 300},
            "b": {"type": "int", "low": 1, "high": 300, "conditions": ["> a"]},
            "c": {"type": "int", "low": 1, "high": 300, "conditions": ["> b"]},
        },
        math.comb(300, 3),
    ),
    "one above two": (
        {"a": INT_1_TO_3, "b": INT_1_TO_3, "c": {**INT_1_TO_3, "conditions": ["> a", "> b"]}},
        1 + 4,
    ),
    "one above another that may not exist": (
        {
            "o": {"type": "bool"},
            "a": {**INT_1_TO_3, "active_when": "o == true"},
            "b": {**INT_1_TO_3, "conditions": ["> a"]},
        },
        3 + 3,
    ),
    "a whole number above an interval": (
        {"a": {"type": "float", "low": 0.0, "high": 1.0}, "b": {**INT_1_TO_3, "conditions": ["> a"]}},
        math.inf,
    ),
}


@pytest.mark.parametrize("name", SPACES)
def test_configurations_are_counted(name: str) -> None:
    fields, expected = SPACES[name]
    assert count(space_of(**fields)) == expected


@pytest.mark.parametrize("name", [name for name, (_, number) in SPACES.items() if number < 2000])
def test_as_many_are_listed_and_all_draws_are_among_them(name: str) -> None:
    fields, expected = SPACES[name]
    space = space_of(**fields)
    listed = list(every(space))
    identities = {identity(values) for values in listed}
    assert len(listed) == len(identities) == expected
    assert [space.check(values) for values in listed] == [()] * len(listed)
    rng = np.random.default_rng(0)
    drawn = {identity(space.sample(rng)) for _ in range(3000)}
    assert drawn <= identities
    assert expected > 50 or drawn == identities
    assert all(is_drawn(space, values) for values in listed)


@pytest.mark.parametrize("seed", range(20))
def test_random_spaces_have_no_fewer_than_are_drawn(seed: int) -> None:
    space, rng = random_space(seed), np.random.default_rng(seed)
    assert len({identity(space.sample(rng)) for _ in range(300)}) <= count(space)


def test_what_trains_alike_is_one_configuration() -> None:
    assert identity({"a": 1, "b": 2.0}) == identity({"b": 2, "a": 1.0})
    assert identity({"a": True}) != identity({"a": 1})
    assert identity({"a": "1"}) != identity({"a": 1})
    assert identity({"a": [1, 2]}) == identity({"a": (1.0, 2)})
    assert identity({"a": -0.0}) == identity({"a": 0.0})
    assert identity({"a": None}) != identity({})


def test_an_option_without_weight_is_not_drawn() -> None:
    space = space_of(a={"type": "categorical", "options": ["p", "q"], "weights": [1, 0]})
    assert is_drawn(space, {"a": "p"})
    assert not is_drawn(space, {"a": "q"})


def test_floats_are_not_listed() -> None:
    with pytest.raises(ValueError, match="cannot be listed"):
        next(every(MIXED))
    assert len(list(every(CATEGORICAL))) == count(CATEGORICAL) == 12


def test_an_interval_of_very_many_floats_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def listed(*_ends: float) -> Any:
        raise AssertionError("ten thousand of them take 50 ms, at every step of every study")

    monkeypatch.setattr(domains, "_decimals", listed)
    monkeypatch.setattr(domains, "_floats", listed)
    for low, high in ((0.0, 1.0), (1e-6, 1e-1), (-3.0, -1e-9), (0.01, 1e300), (-5.0, 5.0), (5e-324, 1e-300)):
        for log in (False, low > 0):
            assert count(space_of(a={"type": "float", "low": low, "high": high, "log": log})) == math.inf
