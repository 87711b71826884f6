"""Broken inputs, drawn by hypothesis: a good one with a part replaced, removed or added, or bytes that were damaged."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

_SPECIAL: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 2**63, 10**400, 1.5, 1e308, -1e308, 5e-324, "", "nan", "../x", "a\0b", "x" * 300, [], {}, [[]]]
)
_LEAVES = (
    _SPECIAL | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4)
)
VALUES = st.recursive(
    _LEAVES, lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(max_size=3), some, max_size=3)
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index) inside of a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *_places(value[key]))]


@st.composite
def changed(draw: st.DrawFn, good: Any, times: int = 2) -> Any:
    """A copy of a value of JSON or YAML in which up to `times` parts are not what they were."""
    value = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, times))):
        places = _places(value)
        if not places:
            return draw(VALUES)
        container, key = draw(st.sampled_from(places))
        act = draw(st.sampled_from(("replace", "replace", "remove", "add", "other")))
        if act == "remove":
            del container[key]
        elif (
            act == "other"
        ):  # a value that stands elsewhere: of the wrong kind, or of the right kind in the wrong place
            elsewhere, where = draw(st.sampled_from(places))
            container[key] = copy.deepcopy(elsewhere[where])
        elif act == "add" and isinstance(container, list):
            container.append(draw(VALUES))
        elif act == "add":
            container[draw(st.text(min_size=1, max_size=6))] = draw(VALUES)
        else:
            container[key] = draw(VALUES)
    return value


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """The bytes cut off, or with some of them replaced, removed or repeated."""
    data = good
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 12))
        act = draw(st.sampled_from(("cut", "replace", "remove", "repeat")))
        if act == "cut":
            data = data[:at]
        elif act == "repeat":
            data = data[:at] + data[max(0, at - length) :]
        else:
            data = data[:at] + (draw(st.binary(max_size=8)) if act == "replace" else b"") + data[at + length :]
    return data
