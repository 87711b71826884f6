"""One JSON object a line: TAO's status.json in all its dialects, and the JSON lines of any other program.

A line that is no JSON is counted and passed over, for a program that was killed may have left half of one in the middle
of a file that its next start appends to.
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

    def __init__(self, said: MetricReadings) -> None:
        self._said, self._lines = said, Lines(self._line, said, LONGEST)
        self._epoch = said.rule.epoch or "epoch"

    def feed(self, data: bytes) -> None:
        self._lines.feed(data)

    def _line(self, line: bytes) -> None:
        try:
            found = json.loads(line.decode())
        except (ValueError, RecursionError):
            self._said.bad_lines += 1
            return
        if isinstance(found, dict):
            self._object(found)
        else:
            self._said.bad_lines += 1

    def _object(self, found: dict[str, Any]) -> None:
        numbers = dict(_leaves(found, "", _DEEPEST))
        self._said.add(numbers.pop(self._epoch, None), numbers)


class TaoStatus(JsonLines):
    """TAO's dialect: the metrics stand in groups, and a line with status FAILURE says why a training failed.

    Its Keras networks write numbers as text, and 'nan' between validations.
    """

    def _object(self, found: dict[str, Any]) -> None:
        if str(found.get("status")).upper() == "FAILURE":
            self._said.failure = str(found.get("message", ""))[:1000]
        numbers: dict[str, float] = {}
        for group in _GROUPS:
            inside = found.get(group)
            if isinstance(inside, Mapping):
                numbers.update(_leaves(inside, "", 1))
        self._said.add(number(found.get(self._epoch)), numbers)


def _leaves(tree: Mapping[str, Any], prefix: str, deep: int) -> Iterator[tuple[str, float]]:
    for name, value in tree.items():
        found = number(value)
        if found is not None:
            yield f"{prefix}{name}", found
        elif isinstance(value, Mapping) and deep > 1:
            yield from _leaves(value, f"{prefix}{name}.", deep - 1)


_KEEP_THE_PROTOCOL: tuple[type[Parser], ...] = (JsonLines, TaoStatus)
