"""`automl.Study.of_function`: a function's source becomes a program, and the same study file comes out."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from math import sqrt as root
from pathlib import Path
from typing import Any

import pytest
import yaml

import automl
from automl.drafting.function import program_text
from automl.errors import InvalidInput
from tests.command_line import automl as command

SPACE: dict[str, Any] = {"lr": {"low": 0.001, "high": 0.5, "log": True}, "depth": [1, 2, 4]}
FEW: dict[str, Any] = {"algorithm": "random", "max_recommendations": 2, "final": {"repeats": 0}}
OUTSIDE = 3


def helper(value: float) -> float:
    return value


# fmt: off
def train(lr, depth=2, epochs=3, seed=0):  # type: ignore[no-untyped-def]
    import random
    weight = 1.0 + random.Random(seed).random() / 10  # noqa: S311
    for epoch in range(1, epochs + 1):
        weight *= (1 - lr) * root(1) + math.sin(0)
        report(epoch=epoch, val_acc=1 - weight / depth)  # type: ignore[name-defined]  # noqa: F821
    with open("model.pt", "w") as file:  # noqa: PTH123
        file.write(str(lr))


def without_epochs(lr):  # type: ignore[no-untyped-def]
    report(epoch=1, loss=lr)  # type: ignore[name-defined]  # noqa: F821


def needs_a_global(lr):  # type: ignore[no-untyped-def]
    return lr * OUTSIDE


def needs_a_function(lr):  # type: ignore[no-untyped-def]
    return [helper(value) for value in (lr, OUTSIDE)]


def needs_a_name_in_its_defaults(lr, depth=OUTSIDE):  # type: ignore[no-untyped-def]
    return lr * depth


def needs_nothing_that_exists(lr):  # type: ignore[no-untyped-def]
    return lr * unknown  # type: ignore[name-defined]  # noqa: F821


def needs_more(lr, data):  # type: ignore[no-untyped-def]
    return lr, data
# fmt: on


def with_a_closure() -> Callable[..., Any]:
    rate = time.time()

    def inner(lr):  # type: ignore[no-untyped-def]
        return lr * rate

    return inner


def test_a_function_is_searched(tmp_path: Path, quick_runner: None) -> None:
    study = automl.Study.of_function(
        train, space=SPACE, metric="val_acc", path=tmp_path / "train.yaml", epochs=3, keep=["model.pt"], **FEW
    )
    assert study.definition.metric_rule.goal == "maximize"
    ran = command("run", "train.yaml", "-j", "2", cwd=tmp_path)
    assert ran.code == 0, ran
    controller = json.loads((tmp_path / "train/controller.json").read_text())
    best = controller["experiments"][controller["best"]["experiment"]]
    assert [len(row["history"]) for row in controller["experiments"]] == [3, 3]
    assert float((tmp_path / "train/best_model/model.pt").read_text()) == best["values"]["lr"]


def test_with_an_image_the_file_carries_the_program(tmp_path: Path, quick_runner: None) -> None:
    automl.Study.of_function(
        train, space=SPACE, metric="val_acc", path=tmp_path / "t.yaml", epochs=2, image="python:3.12", **FEW
    )
    assert [path.name for path in tmp_path.iterdir()] == ["t.yaml"]
    assert command("run", "t.yaml", "-j", "2", cwd=tmp_path).code == 0
    text = (tmp_path / "t.yaml").read_text()
    (tmp_path / "c.yaml").write_text(text + "run: {store: 's3://bucket/t'}\n")
    compiled = command("compile", "c.yaml", cwd=tmp_path)
    assert compiled.code == 0, compiled
    assert "python:3.12" in compiled.out


def test_a_function_without_epochs_trains_as_it_does(tmp_path: Path) -> None:
    automl.Study.of_function(
        without_epochs, space={"lr": (0.0, 1.0)}, metric="loss", path=tmp_path / "t.yaml", epochs=1, **FEW
    )
    network = yaml.safe_load((tmp_path / "t.yaml").read_text())["network"]
    assert (network["fixed_epochs"], network["parameters"]) == (True, {"lr": {"low": 0.0, "high": 1.0}})


def test_the_program_imports_what_the_function_uses_and_no_more() -> None:
    lines = program_text(train).splitlines()
    assert "import math" in lines
    assert "from math import sqrt as root" in lines
    assert "import yaml" not in lines
    compile(program_text(train), "program", "exec")


def test_the_same_again_is_the_same_study_and_another_is_refused(tmp_path: Path) -> None:
    for _ in range(2):
        automl.Study.of_function(train, space=SPACE, metric="val_acc", path=tmp_path / "t.yaml", **FEW)
    before = (tmp_path / "t.yaml").read_text()
    with pytest.raises(InvalidInput, match="already exists"):
        automl.Study.of_function(train, space={"lr": [0.1, 0.2]}, metric="val_acc", path=tmp_path / "t.yaml", **FEW)
    assert (tmp_path / "t.yaml").read_text() == before


BAD: dict[str, tuple[Callable[..., Any], dict[str, Any], str]] = {
    "a global": (needs_a_global, {}, "needs_a_global needs what stands outside of it: OUTSIDE"),
    "functions and globals of nested scopes": (needs_a_function, {}, "OUTSIDE, helper"),
    "a global in a default": (needs_a_name_in_its_defaults, {}, "OUTSIDE"),
    "a closure": (with_a_closure(), {}, "inner needs what stands outside of it: rate"),
    "a name that nothing has": (needs_nothing_that_exists, {}, "unknown"),
    "a parameter that nobody gives": (
        needs_more,
        {},
        "the parameter data, which is neither in space nor has a default",
    ),
    "a parameter that it lacks": (train, {"space": {"lrr": [1, 2]}}, "no parameter lrr.*did you mean 'lr'"),
    "what the search sets": (train, {"space": {"epochs": [1, 2]}}, "epochs is set by the search"),
    "a range that is none": (train, {"space": {"lr": 0.1}}, "space: lr: 0.1"),
    "a goal that no name says": (train, {"metric": "quality"}, "less or more of quality"),
    "a lambda": (lambda lr: lr, {}, "is no function of its own"),
    "a builtin": (max, {}, "the source of max is not to be had"),
}


@pytest.mark.parametrize(("function", "given", "says"), BAD.values(), ids=BAD.keys())
def test_what_cannot_become_a_program_is_refused_by_name(
    function: Callable[..., Any], given: dict[str, Any], says: str, tmp_path: Path
) -> None:
    settings = {"space": {"lr": (0.0, 1.0)}, "metric": "val_acc", **given}
    with pytest.raises(InvalidInput, match=says):
        automl.Study.of_function(function, path=tmp_path / "t.yaml", **settings)
    assert not list(tmp_path.iterdir())
