"""The values with which a training goes on beside another: moved by a fifth or drawn anew, and always feasible."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from automl.problem.search_space import SearchSpace
from automl.search.perturbation import RESAMPLED, perturbed
from automl.testing.spaces import MIXED, random_space, space_of

DRAWS = 400


def changes(space: SearchSpace, values: dict[str, Any], name: str) -> Counter[Any]:
    """What many perturbations make of one value."""
    rng = np.random.default_rng(1)
    return Counter(repr(perturbed(space, values, [name], rng)[name]) for _ in range(DRAWS))


@pytest.mark.parametrize("seed", range(40))
def test_values_stay_feasible_and_the_others_stay_what_they_are(seed: int) -> None:
    space, rng = random_space(seed), np.random.default_rng(seed)
    names = [parameter.name for parameter in space.parameters]
    for _ in range(20):
        values = space.sample(rng)
        assert space.check(perturbed(space, values, names, rng)) == ()
        assert perturbed(space, values, [], rng) == values
        for name in names:
            if not any(p.active_when and p.active_when.parameter == name for p in space.parameters):
                moved = perturbed(space, values, [name], rng)
                assert {other: moved[other] for other in moved if other != name} == {
                    other: values[other] for other in values if other != name
                }


@pytest.mark.parametrize("log", [True, False])
def test_a_real_number_is_multiplied_by_a_fifth_more_or_less(log: bool) -> None:
    space = space_of(lr={"type": "float", "low": 0.001, "high": 1.0, "log": log})
    seen = changes(space, {"lr": 0.1}, "lr")
    assert 0.65 < (seen["0.12"] + seen["0.08"]) / DRAWS < 0.85, "three in four, as RESAMPLED says"
    assert RESAMPLED == 0.25
    assert min(seen["0.12"], seen["0.08"]) > 100
    assert changes(space, {"lr": 1.0}, "lr")["1.0"] > 100, "it stays within its range"


def test_a_number_that_may_be_zero_does_not_stay_there() -> None:
    space = space_of(dropout={"type": "float", "low": 0.0, "high": 0.4})
    assert changes(space, {"dropout": 0.0}, "dropout")["0.02"] > 100, "a twentieth of the range"


def test_whole_numbers_and_ordered_options_go_to_the_next_one_at_least() -> None:
    space = space_of(
        depth={"type": "int", "low": 1, "high": 6},
        units={"type": "int", "low": 8, "high": 512},
        batch={"kind": "ordered", "options": [16, 32, 64, 128]},
        size={"kind": "ordered", "options": ["small", "middle", "large"]},
    )
    values: dict[str, Any] = {"depth": 2, "units": 100, "batch": 32, "size": "middle"}
    for name, both in {"depth": (1, 3), "units": (80, 120), "batch": (16, 64), "size": ("small", "large")}.items():
        seen = changes(space, values, name)
        assert min(seen[repr(value)] for value in both) > 80, name


def test_an_option_without_an_order_changes_by_a_new_draw_alone() -> None:
    space = space_of(optimizer={"type": "categorical", "options": ["adam", "sgd", "lion", "lamb"]})
    seen = changes(space, {"optimizer": "sgd"}, "optimizer")
    assert 0.72 < seen["'sgd'"] / DRAWS < 0.9, "three in four, and a quarter of the others"
    assert len(seen) == 4


def test_what_exists_with_the_new_values_alone_gets_a_value() -> None:
    values = {"lr": 0.001, "units": 64, "depth": 3, "optimizer": "adam"}
    rng = np.random.default_rng(3)
    moved = [perturbed(MIXED, values, ["optimizer"], rng) for _ in range(DRAWS)]
    assert all(MIXED.check(each) == () for each in moved)
    assert {"momentum" in each for each in moved} == {True, False}
    assert all(("momentum" in each) == (each["optimizer"] == "sgd") for each in moved)


def test_the_same_chance_gives_the_same_values() -> None:
    values = MIXED.sample(np.random.default_rng(5))
    names = [parameter.name for parameter in MIXED.parameters]
    assert perturbed(MIXED, values, names, np.random.default_rng(7)) == perturbed(
        MIXED, values, names, np.random.default_rng(7)
    )
