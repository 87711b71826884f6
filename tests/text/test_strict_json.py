"""One value has one byte sequence, and only strict JSON is read."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import RecordError
from automl.text import strict_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
).filter(lambda value: "\\ud" not in ascii(value))


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert strict_json.load(strict_json.dump(value), "a.json") == value


def test_the_order_of_keys_makes_no_difference() -> None:
    assert strict_json.dump({"b": 1, "a": [0.1]}) == strict_json.dump({"a": [0.1], "b": 1})
    assert strict_json.dump({"b": 1, "a": "é"}) == '{\n  "a": "é",\n  "b": 1\n}\n'.encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        strict_json.dump({"a": [value]})


BAD = {
    b"": "Expecting value",
    b'{"a": 1': "line 1 column 8",
    b'{"a": NaN}': "NaN is not a number",
    b"[Infinity]": "Infinity is not a number",
    b"[-Infinity]": "-Infinity is not a number",
    b"[1e999]": "1e999 is too large",
    b'{"a": 1, "a": 1}': "the key 'a' is given twice",
    b'{"b": {"a": 1, "a": 2}}': "the key 'a' is given twice",
    b'"\xff"': "byte 0xff",
    b"[1] 2": "Extra data",
    b"[" * 100_000: "recursion",
    b"{'a': 1}": "double quotes",
}


@pytest.mark.parametrize(("data", "says"), BAD.items(), ids=range(len(BAD)))
def test_anything_else_is_refused_with_the_name_of_the_object(data: bytes, says: str) -> None:
    with pytest.raises(RecordError, match=r"^s3://b/a\.json is not strict JSON") as refused:
        strict_json.load(data, "s3://b/a.json")
    assert says in str(refused.value)
