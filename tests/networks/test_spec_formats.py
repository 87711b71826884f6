"""A train spec is read and changed by dotted path, and written in the format that the training program reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from automl.errors import SpecError
from automl.networks.spec_formats import FORMATS, flatten, get_path, set_paths

SPEC: dict[str, Any] = {"train": {"lr": 0.1, "steps": [1, 2], "extra": {}}, "seed": None, "a-b": {"c_d": "no"}}


def test_every_leaf_has_one_dotted_path() -> None:
    flat = {"train.lr": 0.1, "train.steps": [1, 2], "train.extra": {}, "seed": None, "a-b.c_d": "no"}
    assert flatten(SPEC) == flat
    assert {path: get_path(SPEC, path) for path in flat} == flat
    assert set_paths({}, flat) == SPEC
    assert flatten(flat) == flat


def test_nested_and_dotted_keys_mean_the_same() -> None:
    for same in (
        {"train": {"lr": {"min": 1}}},
        {"train.lr": {"min": 1}},
        {"train": {"lr.min": 1}},
        {"train.lr.min": 1},
    ):
        assert flatten(same) == {"train.lr.min": 1}


@pytest.mark.parametrize("twice", [{"a": {"b": 1}, "a.b": 2}, {"a": {"b": {"c": 1}, "b.c": 1}}])
def test_a_path_that_stands_twice_is_refused(twice: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="stands twice"):
        flatten(twice)


@pytest.mark.parametrize("path", ["train.no", "no", "no.lr", "train.lr.no", "seed.no", "train.steps.0", ""])
def test_nothing_is_at_a_path_that_leads_nowhere(path: str) -> None:
    assert get_path(SPEC, path) is None


def test_a_change_makes_the_folders_on_its_way_and_leaves_the_rest() -> None:
    changed = set_paths(SPEC, {"train.lr": 1, "new.group.x": {"y": [1]}, "train.extra.z": 2})
    assert changed == {
        "train": {"lr": 1, "steps": [1, 2], "extra": {"z": 2}},
        "seed": None,
        "a-b": {"c_d": "no"},
        "new": {"group": {"x": {"y": [1]}}},
    }


def test_a_change_never_reaches_what_it_was_made_from() -> None:
    given: dict[str, Any] = {"train.steps": [[3]]}
    before = json.dumps(SPEC)
    changed = set_paths(SPEC, given)
    changed["train"]["steps"][0].append(4)
    changed["a-b"]["c_d"] = 5
    assert json.dumps(SPEC) == before
    assert given == {"train.steps": [[3]]}


@pytest.mark.parametrize(
    ("path", "says"), [("train.lr.min", "train.lr is 0.1"), ("seed.x", "seed is"), ("train.steps.0", "train.steps")]
)
def test_a_path_through_a_value_is_refused(path: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        set_paths(SPEC, {path: 1})


def test_a_spec_is_written_in_its_format() -> None:
    assert json.loads(FORMATS["json"].dump(SPEC)) == SPEC
    assert yaml.safe_load(FORMATS["yaml"].dump(SPEC)) == SPEC
    assert {name: each.ending for name, each in FORMATS.items()} == {"json": "json", "yaml": "yaml"}
    with pytest.raises(ValueError, match="JSON"):
        FORMATS["json"].dump({"lr": float("nan")})
