"""What was read so far, whatever the format: the value of every metric at every epoch. And the protocol of a format.

Programs differ in where they put the epoch of a number. What is decided here, for all formats: of an epoch the first
number counts, since later lines repeat old values, and so does a restart that goes over epochs again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from automl.networks.status_rule import StatusRule

MOST_EPOCHS = 10**9


class Parser(Protocol):
    """Reads one file of a format."""

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the file, cut anywhere, and tells what they say. Raises nothing for any bytes."""
        ...


@dataclass
class MetricReadings:
    """All that was said.

    values: metric -> epoch (counted from 1) -> value. It may be NaN or infinite when nothing else was said of the
    epoch; who uses one decides what that means. metric: the one whose values are counted where epochs have no numbers.
    start: the epochs that were done before.
    """

    rule: StatusRule = field(default_factory=StatusRule)
    metric: str = ""
    start: int = 0
    values: dict[str, dict[int, float]] = field(default_factory=dict)
    epoch: int = 0  # the last that was named
    furthest: int = 0  # the largest that was named
    failure: str = ""  # the message of the last failure
    bad_lines: int = 0
    lines: int = 0  # that said anything
    _named: bool = False
    _alone: set[str] = field(default_factory=set)  # metrics that come without an epoch
    _held: dict[str, float] = field(default_factory=dict)  # without an epoch so far
    _counted: int = 0

    def add(self, epoch: float | None, numbers: Mapping[str, float]) -> None:
        """Takes the numbers of one line. epoch: the number that the line gives, None when it gives none."""
        self.lines += 1
        if self.rule.nan_is_missing:
            numbers = {name: value for name, value in numbers.items() if not math.isnan(value)}
        if epoch is None or not 0 <= epoch < MOST_EPOCHS or epoch != int(epoch):
            self._without_epoch(numbers)
            return
        self._at(int(epoch) + 1 - self.rule.first_epoch)
        self._named = True
        # a metric that comes without an epoch is only repeated on the lines that name one
        repeated = {name: value for name, value in numbers.items() if name not in self._alone}
        self._keep(self.epoch, {**repeated, **self._held})
        self._held.clear()

    def _without_epoch(self, numbers: Mapping[str, float]) -> None:
        if self.rule.without_epoch == "next":
            self._held.update(numbers)
            self._alone.update(numbers)
            return
        if self.rule.without_epoch == "counted" and self.metric in numbers:
            self._counted += 1
            self._at(self.start + self._counted)
        if self._named:
            self._alone.update(name for name in numbers if name not in self.values)
        self._keep(self.epoch, numbers)

    def _at(self, epoch: int) -> None:
        self.epoch = epoch
        self.furthest = max(self.furthest, epoch)

    def _keep(self, epoch: int, numbers: Mapping[str, float]) -> None:
        for name, value in numbers.items():
            of_epochs = self.values.setdefault(name, {})
            if not math.isfinite(of_epochs.get(epoch, math.nan)):
                of_epochs[epoch] = value


def status_lines(said: MetricReadings) -> bytes:
    """What was said, as TAO's status.json: one line an epoch, in order. What came before the first is left out."""
    found: dict[int, dict[str, float | str]] = {}
    for name, of_epochs in sorted(said.values.items()):
        for epoch, value in of_epochs.items():
            if epoch > 0:  # JSON has no number for the others
                found.setdefault(epoch, {})[name] = value if math.isfinite(value) else str(value)
    lines = [{"status": "RUNNING", "epoch": epoch, "kpi": found[epoch]} for epoch in sorted(found)]
    return b"".join(json.dumps(line, allow_nan=False).encode() + b"\n" for line in lines)


class Lines:
    """Cuts bytes into lines. A line counts when its end is there, and not when it is longer than `longest` bytes."""

    def __init__(self, take: Callable[[bytes], None], said: MetricReadings, longest: int) -> None:
        self._take, self._said, self._longest = take, said, longest
        self._rest = b""
        self._too_long = False  # the line that is under way

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if self._too_long or len(line) > self._longest:
                self._said.bad_lines += 1
            elif line.strip():
                self._take(line)
            self._too_long = False
        if len(self._rest) > self._longest:
            self._rest, self._too_long = b"", True


def number(value: Any) -> float | None:
    """The number that a program gives, also as text; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except OverflowError:  # of whole numbers only
        return -math.inf if isinstance(value, int) and value < 0 else math.inf
    except ValueError:
        return None
