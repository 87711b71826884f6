"""Two options that a program gets in the same words are one: a new study that has both is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.errors import StudyFileError
from automl.networks import Network
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
