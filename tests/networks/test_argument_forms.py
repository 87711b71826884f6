"""Values on a command line: each form against what a reader of that form makes of it."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from automl.errors import SpecError
from automl.networks.argument_forms import words

VALUES: dict[str, Any] = {
    "lr": 1e-05,
    "batch-size": 32,
    "optimizer": "adam w",
    "amp": True,
    "shuffle": False,
    "layers": [1, 2, 3],
    "resume": None,
    "model.depth": 4,
}
FORMS = {
    "flags": "--lr 1e-05 --batch-size 32 --optimizer|adam w --amp --no-shuffle --layers 1 2 3 --model.depth 4",
    "flags_equals": "--lr=1e-05 --batch-size=32 --optimizer=adam w|--amp --no-shuffle --layers=1,2,3 --model.depth=4",
    "hydra": "lr=1e-05 batch-size=32 optimizer='adam w'|amp=true shuffle=false layers=[1,2,3] model.depth=4",
}


def split(line: str) -> tuple[str, ...]:
    """The words of a line; one with a blank in it stands between bars or at the end of its part."""
    line = (
        line.replace("--optimizer|adam w --", "--optimizer adam\0w --").replace("adam w", "adam\0w").replace("|", " ")
    )
    return tuple(word.replace("\0", " ") for word in line.split(" "))


@pytest.mark.parametrize("form", FORMS)
def test_a_form(form: str) -> None:
    assert words(VALUES, form, "no_flag") == split(FORMS[form])


def test_argparse_reads_the_flags_as_they_were_meant() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--optimizer")
    parser.add_argument("--amp", action=argparse.BooleanOptionalAction)
    parser.add_argument("--shuffle", action=argparse.BooleanOptionalAction)
    parser.add_argument("--layers", type=int, nargs="*")
    parser.add_argument("--resume")
    parser.add_argument("--model.depth", type=int)
    assert vars(parser.parse_args(words(VALUES, "flags", "no_flag"))) == {
        name.replace("-", "_"): value for name, value in VALUES.items()
    }


def test_json_is_one_word_nested_and_without_null() -> None:
    (word,) = words({**VALUES, "model.width": 2, "group": {"a": None, "b": 1}}, "json", "no_flag")
    read = json.loads(word)
    assert read["model"] == {"depth": 4, "width": 2}
    assert read["group"] == {"b": 1}
    assert "resume" not in read
    assert (read["shuffle"], read["layers"]) == (False, [1, 2, 3])


@pytest.mark.parametrize(
    ("booleans", "form", "expected"),
    [
        ("no_flag", "flags", ("--amp", "--no-shuffle")),
        ("true_false", "flags", ("--amp", "true", "--shuffle", "false")),
        ("present", "flags", ("--amp",)),
        ("no_flag", "flags_equals", ("--amp", "--no-shuffle")),
        ("true_false", "flags_equals", ("--amp=true", "--shuffle=false")),
        ("present", "flags_equals", ("--amp",)),
        ("present", "hydra", ("amp=true", "shuffle=false")),
    ],
)
def test_booleans(booleans: str, form: str, expected: tuple[str, ...]) -> None:
    assert words({"amp": True, "shuffle": False}, form, booleans) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("adam", "adam"),
        ("/data/a-1.csv", "/data/a-1.csv"),
        ("1e3", "'1e3'"),
        ("true", "'true'"),
        ("NULL", "'NULL'"),
        ("", "''"),
        ("it's", r"'it\'s'"),
        ("a,b", "'a,b'"),
        ("ends in \\", r"'ends in \\'"),
        (r"a\b", r"'a\b'"),
        ({"a": [1, None]}, "{a:[1,null]}"),
    ],
)
def test_hydra_takes_a_text_for_a_text(value: Any, expected: str) -> None:
    assert words({"x": value}, "hydra", "no_flag") == (f"x={expected}",)


@pytest.mark.parametrize("value", [{"a": 1}, [[1, 2]], [{"a": 1}], [None]])
@pytest.mark.parametrize("form", ["flags", "flags_equals"])
def test_what_no_flag_can_say_is_refused(form: str, value: Any) -> None:
    if form == "flags_equals" and isinstance(value, dict):
        assert words({"x": value}, form, "no_flag") == ('--x={"a":1}',)
        return
    with pytest.raises(SpecError, match="cannot be written as a flag"):
        words({"x": value}, form, "no_flag")
