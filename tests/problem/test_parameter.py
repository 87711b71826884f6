"""One parameter: what users and TAO's tables write for it, and a user's changes over it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy
import pytest
import yaml

from automl.errors import SpaceError
from automl.problem.search_space import Activation, Condition, Parameter, SearchSpace

TAO_TABLES = Path(__file__).parents[3] / "shared" / "tao-networks"

Definition = dict[str, Any]


def parameter(name: str, /, **definition: object) -> Parameter:
    return Parameter.from_mapping(name, definition)


def test_the_spellings_of_tao_are_read() -> None:
    number = parameter(
        "a.b", type="integer", min=1, max="9", default=4, math_cond="> 2", depends_on="< a .c", parent="TRUE"
    )
    assert number == Parameter("a.b", "int", 4, 1, 9, conditions=(Condition(">", 2), Condition("<", "a.c")))
    assert parameter("x", type="string", valid_options=["a"]).kind == "categorical"
    assert parameter("x", type="ordered_int", options=[1, 3]).kind == "ordered"
    assert parameter("x", type="float", min=0, max=9, math_cond="> depends_on", depends_on="y").conditions == (
        Condition(">", "y"),
    )
    assert parameter("x", type="int", min=1, max=9, depends_on="y").conditions == (), "a bare name is only a hint"
    width = parameter("x", type="integer", min=32, max=384, options=[256, 288, 384], math_cond="/ 32", default=288)
    assert (width.kind, width.options, width.low) == ("ordered", (256, 288, 384), None)
    assert parameter("x", kind="float", low="1e-4", high="1e-1", log=True).low == 1e-4, "YAML 1.1 reads 1e-4 as text"
    assert parameter("x", kind="bool", active_when="m in [a, 'b', 3, true]").active_when == Activation(
        "m", ("a", "b", 3, True)
    )


TAO_BROKEN = {
    "classification_pyt dataset.augmentation.random_color.hue",  # default 0, "> 0.0"
    "classification_tf2 train.reg_config.type",  # no options
    "detectnet_v2 training_config.optimizer.adam.beta2",  # default 0.999 above its maximum 0.95
    "faster_rcnn training_config.regularizer.weight",  # minimum 0.003 above its maximum 3e-07
    "retinanet training_config.early_stopping.monitor",  # options in the column of the minimum
    *(f"unet dataset_config.{name}" for name in ("augment", "filter_data", "resize_padding")),  # options "TRUE/FALSE"
    *(f"unet model_config.{name}" for name in ("freeze_bn", "use_batch_norm", "enable_qat")),
}


@pytest.mark.skipif(not TAO_TABLES.is_dir(), reason="the TAO tables are not here")
def test_every_finite_row_of_the_tao_tables_is_read_and_the_broken_ones_are_named() -> None:
    read, refused = 0, set()
    for path in sorted(TAO_TABLES.glob("*.yaml")):
        table = yaml.safe_load(path.read_text())
        found = []
        rows = [*(table.get("automl_default") or []), *(table.get("automl_eligible") or [])]
        for row in rows:
            numeric = row["type"] not in {"bool", "ordered", "ordered_int", "categorical", "string"}
            if numeric and not all(math.isfinite(float(row.get(bound, "inf"))) for bound in ("min", "max")):
                continue
            try:
                found.append(Parameter.from_mapping(row["name"], row))
                read += 1
            except SpaceError:
                refused.add(f"{path.stem} {row['name']}")
        names = {one.name for one in found}
        others = {row["name"]: row.get("default") for row in rows if row["name"] not in names}
        searched = SearchSpace(tuple(found), others)
        rng = numpy.random.default_rng(0)
        for values in [searched.sample(rng) for _ in range(20)]:
            assert searched.check(values) == ()
            assert searched.decode(searched.encode(values)) == values
    assert read == 615
    assert refused == TAO_BROKEN


LR = {"kind": "float", "low": 1e-5, "high": 1e-1, "log": True, "default": 1e-3}


@pytest.mark.parametrize(
    ("definition", "changes", "wanted"),
    [
        (LR, {"max": 1e-4}, LR | {"high": 1e-4, "default": 1e-4}),
        (LR, {"low": 0.01, "high": 0.05}, LR | {"low": 0.01, "high": 0.05, "default": 0.01}),
        (LR, {"high": 1e-2}, LR | {"high": 1e-2}),
        (LR, {"high": 1e-4, "default": 5e-5}, LR | {"high": 1e-4, "default": 5e-5}),
        (LR, {"default": None}, LR | {"default": None}),
        (LR, {"log": False, "low": 0.0}, LR | {"log": False, "low": 0}),
        (LR, {"options": [1e-4, 2e-3, 0.5]}, {"kind": "ordered", "options": [1e-4, 2e-3, 0.5], "default": 1e-4}),
        (
            {"kind": "int", "low": 1, "high": 99, "default": 33},
            {"math_cond": "/ 32"},
            {"default": 32, "conditions": "/ 32"},
        ),
        ({"kind": "int", "low": 0, "high": 99, "default": 33}, {"step": 10}, {"step": 10, "default": 30}),
        (
            {"kind": "categorical", "options": ["a", "b"], "weights": [1, 2], "default": "b"},
            {"options": ["c", "a"]},
            {"options": ["c", "a"], "weights": None, "default": "c"},
        ),
        (
            {"kind": "ordered", "options": [1, 4, 16], "default": 4},
            {"options": [2, 5, 99]},
            {"options": [2, 5, 99], "default": 5},
        ),
        (
            {"kind": "list", "low": 0.0, "high": 1, "default": [0.2, 0.9]},
            {"low": 0.5},
            {"low": 0.5, "default": [0.5, 0.9]},
        ),
        ({"kind": "bool", "default": True}, {"weights": [1, 3]}, {"weights": [1, 3]}),
    ],
)
def test_changes_lie_over_a_parameter_and_an_excluded_default_moves(
    definition: Definition, changes: Definition, wanted: Definition
) -> None:
    changed = parameter("x", **definition).replaced(changes)
    assert changed == parameter("x", **(wanted if wanted.get("kind") else definition | wanted))
    assert SearchSpace((changed,)).check(SearchSpace((changed,)).defaults()) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lowest": 1}, "unknown"),
        ({"type": "int"}, "cannot be changed"),
        ({"active_when": "a == b"}, "cannot be changed"),
        ({"low": 1}, "above high"),
        ({"high": 1e-4, "default": 1e-3}, "does not fit"),
        ({"low": 0}, "logarithmic"),
        ({"min": 1e-4, "low": 1e-4}, "keep one"),
    ],
)
def test_changes_that_cannot_be_are_refused(changes: Definition, said: str) -> None:
    with pytest.raises(SpaceError, match="x: .*" + said):
        parameter("x", **LR).replaced(changes)
