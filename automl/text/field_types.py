"""Whether the fields of a dataclass hold what their annotations say: what was read from JSON may be anything."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_LARGEST = 2**63  # whole numbers beyond it count nothing, and no float holds the largest of them


def checked(value: T) -> T:
    """The dataclass itself. Raises TypeError for a field of another kind, also inside of tuples and dataclasses."""
    kind: Any = type(value)
    for name, annotation in _annotations(kind):
        held = getattr(value, name)
        if not _is(held, annotation):
            raise TypeError(f"{name}: {held!r:.100}")
    return value


@cache
def _annotations(kind: Any) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in fields(kind))


def _is(value: Any, annotation: Any) -> bool:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in {Union, types.UnionType}:
        return any(_is(value, part) for part in parts)
    if origin is tuple:
        inside = [parts[0]] * len(value) if parts[1:] == (...,) and isinstance(value, tuple) else parts
        return isinstance(value, tuple) and len(value) == len(inside) and all(map(_is, value, inside))
    if origin is not None:
        return isinstance(value, Mapping if origin is Mapping else origin)
    if annotation in {int, float}:
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST
        return whole or (annotation is float and isinstance(value, float) and math.isfinite(value))
    if annotation is Any:
        return True
    return isinstance(value, annotation) and (not is_dataclass(value) or checked(value) is value)
