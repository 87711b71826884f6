"""Options that are one to a program are refused in a new study, and null among the options may be the default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.errors import StudyFileError
from automl.networks import Network
from automl.problem.completion import completed
from automl.study.definition import Definition
from automl.study.options import StudyFile

ARGS: dict[str, Any] = {"command": ["train", "{args}"], "fields": {"epochs": "epochs"}, "spec": {"epochs": 2}}
BRACE: dict[str, Any] = {"command": ["train", "{x}", "{epochs}"], "fields": {}, "spec": {}}


def spec(form: str) -> dict[str, Any]:
    return {"command": ["train", "{spec}"], "spec_format": form, "fields": {"epochs": "epochs"}, "spec": {"epochs": 2}}


def definition(network: dict[str, Any], options: list[Any]) -> Definition:
    table = {"x": {"kind": "categorical", "options": options, "automl_enabled": True}}
    metric = {"name": "score", "goal": "maximize"}
    made = Network.model_validate({"name": "own", "metric": metric, "epochs": 2, "parameters": table, **network})
    return Definition(StudyFile(name="study", network="own", algorithm="random"), made, home=Path())


@pytest.mark.parametrize(
    ("network", "options", "gets"),
    [
        (ARGS, [1, "1"], "gets --x 1 for both"),
        (ARGS, ["0.5", 0.5], "gets --x 0.5 for both"),
        (ARGS | {"booleans": "true_false"}, [True, "true"], "gets --x true for both"),
        (ARGS | {"booleans": "present"}, [True, False, None], "gets nothing for either"),
        (ARGS | {"arguments": "flags_equals"}, [[1, 2], "1,2"], "gets --x=1,2 for both"),
        (BRACE, [True, "true"], "gets true for both"),
        (BRACE, [1e-05, "1e-05"], "gets 1e-05 for both"),
        (spec("protobuf"), [True, "__true__"], "gets value: true for both"),
    ],
)
def test_options_that_are_one_to_the_program_are_refused(
    network: dict[str, Any], options: list[Any], gets: str
) -> None:
    begun = definition(network, options)  # a study that has them goes on
    with pytest.raises(StudyFileError, match="are one to the program of own, which ") as refusal:
        begun.check_new()
    assert gets in str(refusal.value)


@pytest.mark.parametrize(
    ("network", "options"),
    [
        (ARGS, [1, "one", 2.0, True, None]),
        (ARGS | {"arguments": "hydra"}, [1, "1", True, "true", None, "null"]),
        (ARGS | {"arguments": "json"}, [1, "1", True, "true", [1], None]),
        (spec("protobuf"), [1, "1", 2.0, True, "true", "__L1__", "L1"]),
        (spec("yaml"), [1, "1", True, "true", None, "null"]),
        (spec("toml"), [1, "1", True, None]),
    ],
)
def test_options_that_a_program_tells_apart_are_searched(network: dict[str, Any], options: list[Any]) -> None:
    definition(network, options).check_new()


@pytest.mark.parametrize(
    ("spec", "train_spec", "first"),
    [
        ({"x": None}, {}, None),
        ({"x": "a"}, {}, "a"),
        ({"x": "a"}, {"x": None}, None),
        ({"x": None}, {"x": "b"}, "b"),
    ],
)
def test_a_search_begins_at_a_default_that_is_null(
    spec: dict[str, Any], train_spec: dict[str, Any], first: str | None
) -> None:
    table = {
        "x": {"kind": "categorical", "options": ["a", "b", None], "automl_enabled": True},
        "y": {"kind": "float", "low": 0, "high": 1, "default": 0.5, "depends_on": "x == a", "automl_enabled": True},
    }
    network = definition(ARGS | {"spec": {"epochs": 2, **spec}, "parameters": table}, []).network
    begun = Definition(StudyFile(name="study", network="own", algorithm="random", train_spec=train_spec), network)
    assert begun.space.defaults() == {"x": first, **({"y": 0.5} if first == "a" else {})}
    assert completed(begun.space, {"x": None}) == {"x": None}
    assert completed(begun.space, {"x": "a"}) == {"x": "a", "y": 0.5}
    of_before = Definition.from_json({**begun.to_json(), "rules": 5})
    assert of_before.space.defaults()["x"] == (train_spec.get("x") or spec["x"] or "b"), "the middle, as it was"
