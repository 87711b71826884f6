"""JSON as this package reads and writes it: no NaN, no repeated keys, one byte sequence for each value."""

from __future__ import annotations

import json
import math
from typing import Any

from automl.errors import RecordError


def dump(value: Any) -> bytes:
    """The one byte sequence of a value: sorted keys, two spaces, a newline at the end.

    Raises ValueError for NaN and infinity: they are failures, never numbers (state rule 8).
    """
    return (json.dumps(value, allow_nan=False, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def load(data: bytes, where: str) -> Any:
    """The value of the JSON text `data`; `where` names it in errors.

    Raises RecordError for text that is cut off, is not UTF-8, holds NaN or infinity, or repeats a key.
    """
    try:
        return json.loads(
            data.decode(), parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_no_doubles
        )
    except (ValueError, RecursionError) as error:
        raise RecordError(
            f"{where} is not strict JSON ({error})",
            advice="the object is damaged: restore it from a copy, or start the study under another name",
        ) from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large for a number")
    return number


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise ValueError(f"the key {key!r} is given twice")
        members[key] = value
    return members
