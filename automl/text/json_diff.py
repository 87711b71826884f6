"""Where two JSON values first differ: the path of the field, and the value that each has there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

ABSENT = "(absent)"  # what a side without the field shows


@dataclass(frozen=True)
class Difference:
    """A field such as 'issued[2].values.train.lr', and what each side has there."""

    field: str
    one: Any
    other: Any


def first_difference(left: Any, right: Any) -> Difference | None:
    """The first field in which two JSON values differ, in the order of `left`; None when they are the same."""
    return next(differences(left, right), None)


def differences(left: Any, right: Any, field: str = "") -> Iterator[Difference]:
    """Every field in which they differ. 1 and 1.0 are different, as their bytes are; so are 1 and true."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in dict.fromkeys((*left, *right)):
            path = f"{field}.{name}" if field else str(name)
            yield from differences(left.get(name, ABSENT), right.get(name, ABSENT), path)
    elif isinstance(left, list) and isinstance(right, list):
        for index, items in enumerate(zip_longest(left, right, fillvalue=ABSENT)):
            yield from differences(*items, f"{field}[{index}]")
    elif type(left) is not type(right) or left != right:
        yield Difference(field, left, right)
