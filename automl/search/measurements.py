"""What a training reports beside its first metric, by epoch, and the value that goes with an epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Measurements: TypeAlias = Mapping[str, tuple[tuple[int, float], ...]]  # (epoch, value) in the order of epochs, by name


def value_at(points: Sequence[tuple[int, float]], epoch: int) -> float:
    """The value of the newest of these points, in the order of epochs, that is no later than `epoch`; else the first.

    A metric need not be reported at every epoch: a latency is often measured once, at the end.
    """
    return next((value for at, value in reversed(points) if at <= epoch), points[0][1])


def to_json(measured: Measurements) -> dict[str, Any]:
    """The stored form of further metrics by epoch."""
    return {name: [list(point) for point in measured[name]] for name in sorted(measured)}


def from_json(data: Mapping[str, Any]) -> Measurements:
    """Raises AttributeError, TypeError or ValueError for what is damaged."""
    read = {name: tuple((int(epoch), float(value)) for epoch, value in points) for name, points in data.items()}
    if not all(math.isfinite(value) for points in read.values() for _, value in points):
        raise ValueError("a further metric holds what is not a number")
    return read
