"""The first field in which two JSON values differ."""

from __future__ import annotations

from typing import Any

import pytest

from automl.text.json_diff import ABSENT, Difference, differences, first_difference

CASES: dict[str, tuple[Any, Any, Difference | None]] = {
    "the same": ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, None),
    "a value": ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, Difference("a[1].b", 2, 3)),
    "the order of names decides nothing": ({"a": 1, "b": 2}, {"b": 2, "a": 1}, None),
    "the first in the order of the one": ({"b": 1, "a": 1}, {"a": 2, "b": 2}, Difference("b", 1, 2)),
    "a name is gone": ({"a": 1}, {}, Difference("a", 1, ABSENT)),
    "a name is new": ({}, {"a": None}, Difference("a", ABSENT, None)),
    "a list is longer": ({"a": [1]}, {"a": [1, 2]}, Difference("a[1]", ABSENT, 2)),
    "1 is not 1.0": ({"a": 1}, {"a": 1.0}, Difference("a", 1, 1.0)),
    "1 is not true": ([1], [True], Difference("[0]", 1, True)),
    "another kind": ({"a": {}}, {"a": []}, Difference("a", {}, [])),
}


@pytest.mark.parametrize(("one", "other", "wanted"), CASES.values(), ids=CASES.keys())
def test_the_first_difference(one: Any, other: Any, wanted: Difference | None) -> None:
    found = first_difference(one, other)
    assert repr(found) == repr(wanted)  # 1 == 1.0 == True, as values


def test_all_differences_come_in_order() -> None:
    found = [each.field for each in differences({"a": 1, "b": [1, 2]}, {"a": 2, "b": [2, 2, 3]})]
    assert found == ["a", "b[0]", "b[2]"]
