"""Text that was written for people: regular expressions, searched in every line of a log.

A line is cut at 1,000 characters: what a pattern costs can grow with the square of a line's length.
"""

from __future__ import annotations

import re

from automl.execution.status_readers.readings import Lines, MetricReadings, Parser, number

_LONGEST = 1000  # characters of a line that are searched
_LONGEST_READ = 1 << 20  # bytes
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # colours


class LogLines:
    """Each pattern finds an epoch, metrics, or both; what several find in one line belongs together."""

    def __init__(self, said: MetricReadings) -> None:
        self._said, self._lines = said, Lines(self._line, said, _LONGEST_READ)
        self._epoch = said.rule.epoch or "epoch"
        self._patterns = [re.compile(pattern) for pattern in said.rule.patterns]

    def feed(self, data: bytes) -> None:
        self._lines.feed(data.replace(b"\r", b"\n"))  # what a progress bar writes over itself

    def _line(self, line: bytes) -> None:
        text = _ESCAPES.sub("", line.decode(errors="replace")[:_LONGEST])
        numbers: dict[str, float] = {}
        matched = False
        for pattern in self._patterns:
            for match in pattern.finditer(text):
                matched = True
                for name, said in match.groupdict().items():
                    found = number(said)
                    if found is not None:
                        numbers[name] = found
        if matched:
            self._said.add(numbers.pop(self._epoch, None), numbers)


_KEEPS_THE_PROTOCOL: type[Parser] = LogLines
