"""What was read so far, in any format: the value of every metric at every epoch. And the protocol of a format.

Programs differ in where they put the epoch of a number. What is decided here, for all formats: of an epoch the first
number counts, since later lines repeat old values, and so does a restart that goes over epochs again; `of_epoch` may
choose another one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from automl.networks.status_rule import StatusRule

MOST_EPOCHS = 10**9
_MOST_NAMES = 50
_LONGEST_TEXT = 60  # characters of a text that is repeated in a message


class Parser(Protocol):
    """Reads one file of a format."""

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the file, cut anywhere. Raises nothing for any bytes."""
        ...

    def close(self) -> None:
        """Takes what is left: the program succeeded, so its last line is complete although it has no line end."""
        ...


@dataclass
class MetricReadings:
    """All numbers that a program wrote.

    `values` is metric -> epoch (counted from 1) -> value. A value may be NaN or infinite when nothing else was written
    about the epoch; who uses one decides what that means. `metric` is the one whose values are counted where epochs
    have no numbers. `start` is the number of epochs that were done before.
    """

    rule: StatusRule = field(default_factory=StatusRule)
    metric: str = ""
    start: int = 0
    values: dict[str, dict[int, float]] = field(default_factory=dict)
    epoch: int = 0  # the last that was named
    furthest: int = 0  # the largest that was named
    failure: str = ""  # the message of the last failure
    problem: str = ""  # why nothing that is read can be trusted; it fails the experiment
    bad_lines: int = 0
    lines: int = 0  # that hold a number
    all_lines: int = 0  # that are not empty
    names: dict[str, None] = field(default_factory=dict)  # columns or members, whatever they hold
    not_numbers: dict[str, str] = field(default_factory=dict)  # metric -> the first text that is no number
    refused: dict[str, str] = field(default_factory=dict)  # metric -> why a pattern must not be used for it
    fractional_epoch: float | None = None  # the first that is not whole and was not rounded
    _named: bool = False
    _alone: set[str] = field(default_factory=set)  # metrics that come without an epoch
    _held: dict[str, float] = field(default_factory=dict)  # without an epoch so far
    _open: dict[str, float] = field(default_factory=dict)  # of the epoch that is under way, where not the first counts
    _counted: int = 0

    def add(self, epoch: float | None, numbers: Mapping[str, float]) -> None:
        """Takes the numbers of one line; `epoch` is the number that the line gives, None when it gives none."""
        self.lines += 1
        self.note_names(numbers)
        if self.rule.nan_is_missing:
            numbers = {name: value for name, value in numbers.items() if not math.isnan(value)}
        if epoch is None or (whole := self._whole(epoch)) is None:
            self._without_epoch(numbers)
            return
        self._begin_epoch(whole + 1 - self.rule.first_epoch)
        self._named = True
        # a metric that comes without an epoch is only repeated on the lines that name one
        repeated = {name: value for name, value in numbers.items() if name not in self._alone}
        self._keep(self.epoch, {**repeated, **self._held})
        self._held.clear()

    def close(self) -> None:
        """The program has ended: the value of its last epoch stands."""
        self._settle()

    def note_names(self, names: Iterable[str]) -> None:
        """Remembers columns or members, to say in a failure what was found instead of what was expected."""
        for name in names:
            if len(self.names) < _MOST_NAMES:
                self.names[name] = None

    def note_text(self, name: str, text: str) -> None:
        """Remembers the first text of a metric that is no number."""
        if text.strip() and len(self.not_numbers) < _MOST_NAMES:
            self.not_numbers.setdefault(name, text.strip()[:_LONGEST_TEXT])

    def _whole(self, epoch: float) -> int | None:
        if not 0 <= epoch < MOST_EPOCHS:
            return None
        if epoch == int(epoch):
            return int(epoch)
        if self.rule.round_epochs:
            return math.floor(epoch + 0.5)
        if self.fractional_epoch is None:
            self.fractional_epoch = epoch
        return None

    def _without_epoch(self, numbers: Mapping[str, float]) -> None:
        if self.rule.without_epoch == "next":
            self._held.update(numbers)
            self._alone.update(numbers)
            return
        if self.rule.without_epoch == "counted" and self.metric in numbers:
            self._counted += 1
            self._begin_epoch(self.start + self._counted)
        elif self.rule.without_epoch == "one":
            self._begin_epoch(self.start + 1)
        if self._named:
            self._alone.update(name for name in numbers if name not in self.values and name not in self._open)
        self._keep(self.epoch, numbers)

    def _begin_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self._settle()
        self.epoch = epoch
        self.furthest = max(self.furthest, epoch)

    def _keep(self, epoch: int, numbers: Mapping[str, float]) -> None:
        """Keeps the numbers of an epoch, by `of_epoch` the first, the last, the least or the largest of it."""
        if self.rule.of_epoch == "first":
            self._store(epoch, numbers)
            return
        for name, value in numbers.items():
            before = self._open.get(name, math.nan)
            if self.rule.of_epoch == "last" or not math.isfinite(before):
                self._open[name] = value
            elif math.isfinite(value):
                self._open[name] = (min if self.rule.of_epoch == "min" else max)(before, value)

    def _settle(self) -> None:
        """The epoch that was under way is over: its values stand, also when a later start goes over it again."""
        self._store(self.epoch, self._open)
        self._open = {}

    def _store(self, epoch: int, numbers: Mapping[str, float]) -> None:
        for name, value in numbers.items():
            of_epochs = self.values.setdefault(name, {})
            if not math.isfinite(of_epochs.get(epoch, math.nan)):
                of_epochs[epoch] = value


def status_lines(readings: MetricReadings, after: int = 0) -> bytes:
    """The readings after an epoch as TAO's status.json: one line an epoch. What came before the first is left out."""
    by_epoch: dict[int, dict[str, float | str]] = {}
    for name, of_epochs in sorted(readings.values.items()):
        for epoch, value in of_epochs.items():
            if epoch > after:  # JSON has no number for the others
                by_epoch.setdefault(epoch, {})[name] = value if math.isfinite(value) else str(value)
    lines = [{"status": "RUNNING", "epoch": epoch, "kpi": by_epoch[epoch]} for epoch in sorted(by_epoch)]
    return b"".join(json.dumps(line, allow_nan=False).encode() + b"\n" for line in lines)


class Lines:
    """Cuts bytes into lines. A line counts when its end is there, and not when it is longer than `longest` bytes."""

    def __init__(self, take: Callable[[bytes], None], readings: MetricReadings, longest: int) -> None:
        self._take, self._readings, self._longest = take, readings, longest
        self._rest = b""
        self._too_long = False  # the line that is under way

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > self._longest:
            self._rest, self._too_long = b"", True

    def close(self) -> None:
        """Takes the last line although its end is not there."""
        if self._rest or self._too_long:
            line, self._rest = self._rest, b""
            self._line(line)

    def _line(self, line: bytes) -> None:
        if self._too_long or len(line) > self._longest:
            self._readings.all_lines += 1
            self._readings.bad_lines += 1
        elif line.strip():
            self._readings.all_lines += 1
            self._take(line)
        self._too_long = False


def number(value: Any) -> float | None:
    """The number that a program gives, possibly as text; None if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except OverflowError:  # of whole numbers only
        return -math.inf if isinstance(value, int) and value < 0 else math.inf
    except ValueError:
        return None
