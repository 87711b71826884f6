"""A dataclass that was made of JSON holds what its annotations say, or is refused by the name of the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from automl.text.field_types import checked


@dataclass(frozen=True)
class Inner:
    name: str


@dataclass(frozen=True)
class Outer:
    whole: int = 1
    number: float = 0.5
    maybe: float | None = None
    texts: tuple[str, ...] = ()
    points: tuple[tuple[int, float], ...] = ()
    inner: Inner | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    "good",
    [{}, {"number": 3}, {"maybe": 2}, {"points": ((1, 2), (2, 0.5))}, {"inner": Inner("a")}, {"values": {"a": [1]}}],
)
def test_what_the_annotations_say_is_taken(good: dict[str, Any]) -> None:
    assert checked(Outer(**good)) == Outer(**good)


@pytest.mark.parametrize(
    "bad",
    [
        {"whole": 1.0},
        {"whole": True},
        {"whole": "1"},
        {"whole": 10**400},
        {"number": 10**400},
        {"number": float("inf")},
        {"number": None},
        {"maybe": "x"},
        {"texts": ["a"]},
        {"texts": ("a", 1)},
        {"points": ((1, 2, 3),)},
        {"points": ((1.5, 2),)},
        {"inner": {"name": "a"}},
        {"inner": Inner(1)},  # type: ignore[arg-type]
        {"values": []},
    ],
)
def test_anything_else_is_refused_by_name(bad: dict[str, Any]) -> None:
    name = "name" if isinstance(bad.get("inner"), Inner) else next(iter(bad))
    with pytest.raises(TypeError, match=f"^{name}: "):
        checked(Outer(**bad))
