"""One JSON object a line: TAO's status.json in each of its dialects, and the JSON lines of any other program.

A line that is not JSON is counted and skipped: a program that was killed may have left half a line in the middle of a
file that its next start appends to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from automl.execution.status_readers.readings import Lines, MetricReadings, Parser, number

LONGEST = 1 << 20  # bytes of a line; the first of TAO's PyTorch programs holds the whole train spec
_DEEPEST = 8
_GROUPS = ("kpi", "graphical")  # where TAO's programs put numbers; the later group wins within a line


class JsonLines:
    """Every number of a line is one of its metrics, by its dotted path: {"val": {"loss": 0.5}} gives val.loss."""

    def __init__(self, readings: MetricReadings) -> None:
        self._readings, self._lines = readings, Lines(self._line, readings, LONGEST)
        self._epoch = readings.rule.epoch or "epoch"

    def feed(self, data: bytes) -> None:
        self._lines.feed(data)

    def close(self) -> None:
        self._lines.close()

    def _line(self, line: bytes) -> None:
        try:
            content = json.loads(line.decode())
        except (ValueError, RecursionError):
            self._readings.bad_lines += 1
            return
        if isinstance(content, dict):
            self._readings.note_names(str(name) for name in content)
            self._object(content)
        else:
            self._readings.bad_lines += 1

    def _object(self, members: dict[str, Any]) -> None:
        numbers = dict(self._leaves(members, "", _DEEPEST))
        self._readings.add(numbers.pop(self._epoch, None), numbers)

    def _leaves(self, tree: Mapping[str, Any], prefix: str, deep: int) -> Iterator[tuple[str, float]]:
        """Every number below `tree` with its dotted path; text that is not a number is noted."""
        for name, content in tree.items():
            value = number(content)
            if value is not None:
                yield f"{prefix}{name}", value
            elif isinstance(content, Mapping) and deep > 1:
                yield from self._leaves(content, f"{prefix}{name}.", deep - 1)
            elif isinstance(content, str):
                self._readings.note_text(f"{prefix}{name}", content)


class TaoStatus(JsonLines):
    """TAO's dialect: the metrics stand in groups, and a line with status FAILURE says why a training failed.

    Its Keras networks write numbers as text, and 'nan' between validations.
    """

    def _object(self, members: dict[str, Any]) -> None:
        if str(members.get("status")).upper() == "FAILURE":
            self._readings.failure = str(members.get("message", ""))[:1000]
        numbers: dict[str, float] = {}
        for group in _GROUPS:
            inside = members.get(group)
            if isinstance(inside, Mapping):
                numbers.update(self._leaves(inside, "", 1))
        self._readings.add(number(members.get(self._epoch)), numbers)


_KEEP_THE_PROTOCOL: tuple[type[Parser], ...] = (JsonLines, TaoStatus)
