"""A train spec is read and changed by dotted path, and written in the format that the training program reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from automl.errors import SpecError
from automl.networks.spec_formats import FORMATS, flatten, get_path, has_path, load, set_paths

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
    with pytest.raises(SpecError, match="is given twice"):
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
    assert {name: each.ending for name, each in FORMATS.items()} == {name: name for name in FORMATS}
    with pytest.raises(ValueError, match="JSON"):
        FORMATS["json"].dump({"lr": float("nan")})


REPEATED: dict[str, Any] = {"stages": [{"lr": 1, "steps": [1, 2]}, {"lr": 2}], "plain": {"x": 1}}


def test_a_path_goes_into_lists_by_place_or_through_all_of_them() -> None:
    assert get_path(REPEATED, "stages[1].lr") == 2
    assert get_path(REPEATED, "stages[*].lr") == 1
    assert get_path(REPEATED, "stages[0].steps[1]") == 2
    assert get_path(REPEATED, "stages[2].lr") is None
    assert set_paths(REPEATED, {"stages[*].lr": 7, "stages[0].steps[1]": 9}) == {
        "stages": [{"lr": 7, "steps": [1, 9]}, {"lr": 7}],
        "plain": {"x": 1},
    }
    assert [has_path(REPEATED, path) for path in ("stages[0]", "stages[1].steps", "plain.x", "plain[0]", "no")] == [
        True,
        False,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("path", ["stages[2].lr", "stages.lr", "plain[0]", "stages[0].steps[2]", "plain.x[*]"])
def test_a_place_that_a_list_does_not_have_is_refused(path: str) -> None:
    with pytest.raises(SpecError, match=r"in the train spec"):
        set_paths(REPEATED, {path: 1})


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_in_a_format_is_read_back(name: str) -> None:
    spec: dict[str, Any] = {"train": {"lr": 1e-05, "steps": [1, 2], "on": True, "name": "a: 'b' # c"}, "n": 3}
    assert load(FORMATS[name].dump(spec), name, "x") == spec


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("toml", "a = 1979-05-27"),
        ("toml", "a = inf"),
        ("toml", "a ="),
        ("json", "[1]"),
        ("json", '{"a": NaN}'),
        ("yaml", "- 1"),
        ("yaml", "a: .inf"),
        ("protobuf", "a"),
    ],
)
def test_a_text_that_is_no_train_spec_is_refused(name: str, text: str) -> None:
    with pytest.raises(SpecError, match=r"^mine: .*a train spec in |^mine: .*a mapping of names"):
        load(text, name, "mine")


def test_toml_leaves_null_out() -> None:
    assert load(FORMATS["toml"].dump({"a": None, "b": {"c": None, "d": [1]}}), "toml", "x") == {"b": {"d": [1]}}
    with pytest.raises(SpecError, match="without null"):
        FORMATS["toml"].dump({"a": [None]})
