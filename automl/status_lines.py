"""Reads what a training program writes while it trains: TAO's status.json, one JSON object a line.

The file grows while it is read. A line without its end is not read yet; a line that is no JSON is counted and passed
over, for a program that was killed may have left half of one in the middle of a file that its next start appends to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_GROUPS = ("kpi", "graphical")  # where TAO's programs put numbers; the later group wins within a line
_MOST_EPOCHS = 10**9


@dataclass
class StatusReader:
    """Follows one status file.

    values: metric -> epoch -> value, the first number that was said of an epoch: later lines repeat old values. It may
    be NaN or infinite when nothing else was said; who uses one decides what that means.
    """

    values: dict[str, dict[int, float]] = field(default_factory=dict)
    epoch: int = 0  # the last that a line named; a metric on a line without one is of this
    furthest: int = 0  # the largest that a line named
    failure: str = ""  # the message of the last FAILURE line
    bad_lines: int = 0
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the file, cut anywhere."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.strip():
                self._line(line)

    def _line(self, line: bytes) -> None:
        try:
            found = json.loads(line.decode())
        except (ValueError, RecursionError):
            self.bad_lines += 1
            return
        if not isinstance(found, dict):
            self.bad_lines += 1
            return
        if str(found.get("status")).upper() == "FAILURE":
            self.failure = str(found.get("message", ""))[:1000]
        epoch = _number(found.get("epoch"))
        if epoch is not None and 0 <= epoch < _MOST_EPOCHS and epoch == int(epoch):
            self.epoch = int(epoch)
            self.furthest = max(self.furthest, self.epoch)
        for name, value in _numbers(found).items():
            of_epochs = self.values.setdefault(name, {})
            if not math.isfinite(of_epochs.get(self.epoch, math.nan)):
                of_epochs[self.epoch] = value


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for group in _GROUPS:
        inside = found.get(group)
        if isinstance(inside, Mapping):
            for name, value in inside.items():
                number = _number(value)
                if number is not None:
                    numbers[str(name)] = number
    return numbers


def _number(value: Any) -> float | None:
    """The number that a line gives; TAO's Keras networks write numbers as text, and 'nan' between evaluations."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except OverflowError:  # of whole numbers only
        return -math.inf if isinstance(value, int) and value < 0 else math.inf
    except ValueError:
        return None
