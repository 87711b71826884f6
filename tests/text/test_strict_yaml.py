"""YAML is read by the core schema of version 1.2, and what is written means the same to readers of 1.1 and 1.2."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import InvalidInput
from automl.text import strict_yaml

SCALARS: dict[str, Any] = {
    "1e-4": 1e-4,  # text in YAML 1.1
    "1E5": 1e5,
    "1.": 1.0,
    ".5": 0.5,
    "+.5e+1": 5.0,
    "-0": 0,
    "-0.0": -0.0,
    "017": 17,  # 15 in YAML 1.1
    "0o17": 15,
    "0x1F": 31,
    "+12": 12,
    "123456789012345678901234567890": 123456789012345678901234567890,
    "1_000": "1_000",
    "0b1": "0b1",
    "12:30:45": "12:30:45",  # 45045 in YAML 1.1
    "2020-01-01": "2020-01-01",
    "no": "no",
    "on": "on",
    "y": "y",
    "Yes": "Yes",
    "true": True,
    "TRUE": True,
    "tRUE": "tRUE",
    "false": False,
    "null": None,
    "~": None,
    "": None,
    "none": "none",
    "'1'": "1",
    '"null"': "null",
    "1.2.3": "1.2.3",
    "e5": "e5",
    "<<": "<<",
    "=": "=",
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items(), ids=repr)
def test_a_scalar_is_read_as_yaml_1_2_says(text: str, value: Any) -> None:
    (found,) = strict_yaml.load(f"- {text}\n", "a.yaml")
    assert (type(found), repr(found)) == (type(value), repr(value))


@pytest.mark.parametrize(("text", "value"), [(".inf", math.inf), ("-.INF", -math.inf)])
def test_infinity_is_a_number_that_a_mapping_refuses(text: str, value: float) -> None:
    assert strict_yaml.load(text, "a.yaml") == value
    with pytest.raises(InvalidInput, match=r"a\.yaml: b\[1\]\.c is -?inf; allowed: finite numbers"):
        strict_yaml.mapping(f"b: [1, {{c: {text}}}]", "a.yaml")


def test_nan_is_refused_in_a_mapping() -> None:
    assert math.isnan(strict_yaml.load(".NaN", "a.yaml"))
    with pytest.raises(InvalidInput, match="a is nan"):
        strict_yaml.mapping("a: .nan", "a.yaml")


@pytest.mark.parametrize(
    "text", ["a: 1\r\nb: [x]\r\n", "\ufeffa: 1\nb: [x]\n", "a: 1\nb: [x]", "---\na: 1\nb: [x]\n..."]
)
def test_windows_line_ends_and_a_byte_order_mark_change_nothing(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(text.encode())
    assert strict_yaml.mapping(strict_yaml.read_text(path, "a file"), str(path)) == {"a": 1, "b": ["x"]}


def test_nesting_and_size_end_at_their_limits() -> None:
    deepest = "[" * (strict_yaml.MAX_DEPTH - 1) + "]" * (strict_yaml.MAX_DEPTH - 1)
    assert strict_yaml.load(f"- {deepest}", "a.yaml")
    with pytest.raises(InvalidInput, match="line 1, column 52: nested deeper than 50"):
        strict_yaml.load(f"- [{deepest}]", "a.yaml")
    with pytest.raises(InvalidInput, match="1,000,001 characters"):
        strict_yaml.load("#" * (strict_yaml.MAX_BYTES + 1), "a.yaml")


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn"]), max_size=20)
WORDS = st.sampled_from(
    [*SCALARS, ".inf", ".nan", "- a", "a: b", "#", " a", "a ", "{a", "&a", "!a", "%", "@", "?", "|"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | WORDS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT | WORDS, VALUES, max_size=4))
def test_what_is_written_is_read_again(value: dict[str, Any]) -> None:
    text = strict_yaml.dump(value)
    assert strict_yaml.mapping(text, "a.yaml") == value
    assert yaml.safe_load(text) == value  # a training program's reader, YAML 1.1


def test_keys_are_written_in_their_order() -> None:
    assert strict_yaml.dump({"b": 1, "a": {"d": 2, "c": [3]}}) == "b: 1\na:\n  d: 2\n  c:\n  - 3\n"


_CHARACTERS = "[]{}#'\"`@,\\\n\t%?\ufeff\x85\u2028\u00e9\x07"
_PIECES = st.sampled_from(
    [
        *(
            *_CHARACTERS,
            "a",
            "b: ",
            "- ",
            "\n  ",
            "\n- ",
            ", ",
            ": ",
            " # c",
            "|\n a\n",
            ">-\n a\n\n b",
            "|#",
            "1e-3",
            "0o7",
        ),
        *("null", "~", "&a ", "*a", "!t ", "---\n", "...\n", "\r\n"),
    ]
)


@given(st.lists(_PIECES, max_size=14).map("".join))
def test_both_parsers_read_the_same(text: str) -> None:
    """libyaml's parser is used where it is there; the one in Python says what is wrong."""
    found = []
    for fast in (strict_yaml._FastLoader, None):
        with mock.patch.object(strict_yaml, "_FastLoader", fast):
            try:
                found.append(repr(strict_yaml.load(text, "a.yaml")))
            except InvalidInput as error:
                found.append(str(error))
    assert found[0] == found[1]


def test_the_fast_parser_is_there_and_refuses_what_the_other_refuses() -> None:
    assert strict_yaml._FastLoader is not None
    for text in ("a: &x 1", "a: *x", "a: !t 1", "{a: 1, a: 2}", "[" * 60 + "]" * 60, "a: {b"):
        with pytest.raises(yaml.YAMLError):
            yaml.load(text, strict_yaml._FastLoader)  # noqa: S506 - the loader under test
