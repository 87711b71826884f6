"""Every bad definition of a parameter or a space is refused with its name and with what to do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from automl.errors import SpaceError
from automl.problem.search_space import Parameter, SearchSpace

Definition = dict[str, Any]


def parameter(name: str, /, **definition: object) -> Parameter:
    return Parameter.from_mapping(name, definition)


def space(constants: Mapping[str, Any] | None = None, /, **definitions: Definition) -> SearchSpace:
    return SearchSpace(tuple(parameter(name, **data) for name, data in definitions.items()), constants or {})


FLOAT: Definition = {"kind": "float", "low": 0, "high": 1}
INT: Definition = {"kind": "int", "low": 1, "high": 9}
PAIR: Definition = {"kind": "categorical", "options": ["a", "b"]}

BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: parameter("lr", **FLOAT | {"loww": 0}), "did you mean 'low'"),
    (lambda: parameter("lr", **FLOAT | {"min": 0}), "keep one"),
    (lambda: parameter("lr", **FLOAT | {"kind": "flaot"}), "did you mean 'float'"),
    (lambda: parameter("lr", low=0, high=1), "no type is given"),
    (lambda: parameter("lr", **FLOAT | {"name": "rl"}), "one name"),
    (lambda: parameter("lr", **FLOAT | {"low": 2}), "exchange"),
    (lambda: parameter("lr", **FLOAT | {"high": math.inf}), "finite high"),
    (lambda: parameter("lr", **FLOAT | {"high": "inf"}), "finite high"),
    (lambda: parameter("lr", **FLOAT | {"high": None}), "finite high"),
    (lambda: parameter("lr", **FLOAT | {"low": math.nan}), "finite number"),
    (lambda: parameter("lr", **FLOAT | {"low": True}), "finite number"),
    (lambda: parameter("lr", **FLOAT | {"low": "small"}), "finite number"),
    (lambda: parameter("lr", **FLOAT | {"low": -1.7e308, "high": 1.7e308}), "narrow"),
    (lambda: parameter("lr", **FLOAT | {"log": True}), "raise low above 0"),
    (lambda: parameter("lr", **FLOAT | {"low": -1, "log": True}), "raise low above 0"),
    (lambda: parameter("lr", **FLOAT | {"log": "yes"}), "log: true"),
    (lambda: parameter("lr", **FLOAT | {"low": 0.1, "log": True, "conditions": "> 0.1"}), "above 0.1"),
    (lambda: parameter("lr", **FLOAT | {"low": 0.1, "log": True, "conditions": "< 0.5"}), "below 0.5"),
    (lambda: parameter("lr", **FLOAT | {"step": 0}), "above 0"),
    (lambda: parameter("lr", **FLOAT | {"step": -0.1}), "above 0"),
    (lambda: parameter("lr", **FLOAT | {"step": math.nan}), "finite number"),
    (lambda: parameter("lr", **FLOAT | {"step": 1e-18}), "larger step"),
    (lambda: parameter("lr", **INT | {"step": 0.5}), "whole number"),
    (lambda: parameter("lr", **INT | {"low": 0.5}), "whole number"),
    (lambda: parameter("lr", **INT | {"high": 10**20}), "narrow"),
    (lambda: parameter("lr", **FLOAT | {"default": 2}), "into the range"),
    (lambda: parameter("lr", **FLOAT | {"default": math.nan}), "finite"),
    (lambda: parameter("lr", **FLOAT | {"default": 0, "conditions": "> 0"}), "greater than 0"),
    (lambda: parameter("lr", **INT | {"default": 2.5}), "whole number"),
    (lambda: parameter("lr", **INT | {"default": True}), "whole number"),
    (lambda: parameter("lr", **INT | {"conditions": "> 9"}), "widen"),
    (lambda: parameter("lr", **INT | {"conditions": "/ 32"}), "widen"),
    (lambda: parameter("lr", **INT | {"step": 2, "conditions": "/ 2"}), "widen"),
    (lambda: parameter("lr", **FLOAT | {"conditions": ["> 0.5", "< 0.5"]}), "widen"),
    (lambda: parameter("lr", **FLOAT | {"conditions": "~ 3"}), "like one of these"),
    (lambda: parameter("lr", **FLOAT | {"conditions": "> inf"}), "finite"),
    (lambda: parameter("lr", **FLOAT | {"conditions": "/ 0"}), "above 0"),
    (lambda: parameter("lr", **FLOAT | {"conditions": "^ 1"}), "at least 2"),
    (lambda: parameter("lr", **FLOAT | {"conditions": "/ other"}), "needs a number"),
    (lambda: parameter("lr", **FLOAT | {"conditions": "> lr"}), "another parameter"),
    (lambda: parameter("lr", **FLOAT | {"conditions": 3}), "conditions: [...]"),
    (lambda: parameter("lr", **FLOAT | {"math_cond": "> depends_on"}), "add depends_on"),
    (lambda: parameter("lr", **FLOAT | {"weights": [1]}), "remove weights"),
    (lambda: parameter("lr", **FLOAT | {"length": 2}), "remove length"),
    (lambda: parameter("lr", kind="categorical", options=[]), "at least one"),
    (lambda: parameter("lr", kind="categorical", options=["a", "a"]), "keep one"),
    (lambda: parameter("lr", kind="categorical", options=[1, 1.0]), "keep one"),
    (lambda: parameter("lr", kind="categorical", options=[[1, 2], [1, 2]]), "keep one"),
    (lambda: parameter("lr", kind="categorical", options=["a", math.nan]), "remove it"),
    (lambda: parameter("lr", kind="categorical", options="ab"), "options: [...]"),
    (lambda: parameter("lr", kind="ordered", options=[3, 1]), "[1, 3]"),
    (lambda: parameter("lr", kind="int", options=[1, "x"]), "categorical"),
    (lambda: parameter("lr", kind="int", options=[1, 9], max=8), "remove the option"),
    (lambda: parameter("lr", **PAIR | {"default": "c"}), "none of ['a', 'b']"),
    (lambda: parameter("lr", kind="categorical", options=[1, 2], default=True), "none of [1, 2]"),
    (lambda: parameter("lr", **PAIR | {"weights": [1]}), "one weight per option"),
    (lambda: parameter("lr", **PAIR | {"weights": [1, -1]}), "0 and above"),
    (lambda: parameter("lr", **PAIR | {"weights": [1, math.nan]}), "0 and above"),
    (lambda: parameter("lr", **PAIR | {"weights": [0, 0]}), "at least one"),
    (lambda: parameter("lr", kind="bool", weights=[1, 1, 1]), "one weight per option"),
    (lambda: parameter("lr", kind="bool", default=1), "neither true nor false"),
    (lambda: parameter("lr", **PAIR | {"conditions": "> 0"}), "remove conditions"),
    (lambda: parameter("lr", kind="ordered", options=["a", "b"], conditions="> 0"), "remove the condition"),
    (lambda: parameter("lr", kind="list", low=0, high=1), "give length"),
    (lambda: parameter("lr", kind="list", low=0, high=1, length=2, default=[1]), "not a list of 2"),
    (lambda: parameter("lr", kind="bool", active_when="somehow"), "values"),
    (lambda: parameter("lr", kind="bool", active_when="a in []"), "at least one value"),
    (lambda: parameter("lr", kind="bool", active_when="a == 1", depends_on="b == 1"), "keep one"),
    (lambda: parameter("lr rate", **FLOAT), "dotted path"),
    (lambda: Parameter.from_mapping("lr", [0, 1]), "a mapping"),  # type: ignore[arg-type]  # what a YAML file may hold
    (lambda: SearchSpace((parameter("lr", **FLOAT), parameter("lr", **INT))), "keep one"),
    (lambda: space({"lr": 1}, lr=FLOAT), "constants"),
    (lambda: space(lr=FLOAT | {"conditions": "< max_lrr"}, max_lr=FLOAT), "did you mean 'max_lr'"),
    (lambda: space(lr=FLOAT | {"conditions": "< batch"}), "search batch too"),
    (lambda: space({"mode": "x"}, lr=FLOAT | {"conditions": "< mode"}), "a number"),
    (lambda: space({"top": 0}, lr=FLOAT | {"conditions": "< top"}), "the constant top"),
    (lambda: space({"top": 0.5}, lr=FLOAT | {"conditions": "< top", "default": 0.7}), "the constant top"),
    (lambda: space(lr=FLOAT | {"conditions": "< o"}, o=PAIR), "remove the condition"),
    (lambda: space(lr=FLOAT | {"conditions": "< a"}, a=FLOAT | {"conditions": "< lr"}), "remove one"),
    (
        lambda: space(
            lr=FLOAT | {"conditions": "<= a"}, a=FLOAT | {"conditions": "<= b"}, b=FLOAT | {"conditions": "<= lr"}
        ),
        "circle",
    ),
    (lambda: space(lr=INT | {"low": 9, "conditions": "< a"}, a=INT), "raise a"),
    (
        lambda: space(lr=INT | {"high": 2, "conditions": ["> a", "< b"]}, a=INT | {"high": 1}, b=INT | {"high": 2}),
        "lower a",
    ),
    (lambda: space(lr=FLOAT | {"conditions": "< a", "default": 0.5}, a=FLOAT | {"default": 0.1}), "default"),
    (lambda: space(lr=FLOAT | {"active_when": "optimiser == sgd"}, optimizer=PAIR), "did you mean 'optimizer'"),
    (lambda: space(lr=FLOAT | {"active_when": "o == c"}, o=PAIR), "values that o can take"),
    (lambda: space(lr=FLOAT | {"active_when": "o == 1"}, o=FLOAT), "bool"),
    (lambda: space(lr=INT | {"active_when": "o == 1"}, o=INT | {"active_when": "lr == 1"}), "circle"),
    (lambda: space(lr=INT | {"conditions": "< n"}, n=INT, o=FLOAT | {"active_when": "lr == 1"}), "numbers only"),
]


@pytest.mark.parametrize(("make", "said"), BAD, ids=[f"{place}-{said}" for place, (_, said) in enumerate(BAD)])
def test_a_bad_definition_is_refused_with_its_name_and_advice(make: Callable[[], object], said: str) -> None:
    with pytest.raises(SpaceError) as caught:
        make()
    assert "lr" in caught.value.given
    assert said in str(caught.value)
    assert caught.value.advice
