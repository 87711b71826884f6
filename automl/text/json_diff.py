"""Where two JSON values differ first: the path of the field, and the value that each has there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

ABSENT = "(absent)"  # what a side without the field shows


@dataclass(frozen=True)
class Difference:
    """A field as 'issued[2].values.train.lr', and what each side holds there."""

    field: str
    one: Any
    other: Any


def first_difference(one: Any, other: Any) -> Difference | None:
    """The first field in which two JSON values differ, in the order of `one`; None when they are the same."""
    return next(differences(one, other), None)


def differences(one: Any, other: Any, field: str = "") -> Iterator[Difference]:
    """Every field in which they differ. 1 and 1.0 are two values, as they are in bytes; so are 1 and true."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            path = f"{field}.{name}" if field else str(name)
            yield from differences(one.get(name, ABSENT), other.get(name, ABSENT), path)
    elif isinstance(one, list) and isinstance(other, list):
        for index, (mine, theirs) in enumerate(zip_longest(one, other, fillvalue=ABSENT)):
            yield from differences(mine, theirs, f"{field}[{index}]")
    elif type(one) is not type(other) or one != other:
        yield Difference(field, one, other)
