"""A table with a header: one line an epoch, or several of which each fills some columns (Lightning's CSVLogger)."""

from __future__ import annotations

import csv

from automl.execution.status_readers.json_lines import LONGEST
from automl.execution.status_readers.readings import Lines, MetricReadings, Parser, number

_DELIMITERS = ",;\t"


class CsvTable:
    """The first line names the columns. Cut at the delimiter that it has most of: a comma, a semicolon or a tab."""

    def __init__(self, said: MetricReadings) -> None:
        self._said, self._lines = said, Lines(self._line, said, LONGEST)
        self._epoch = said.rule.epoch or "epoch"
        self._columns: list[str] = []
        self._delimiter = ","

    def feed(self, data: bytes) -> None:
        self._lines.feed(data)

    def _line(self, line: bytes) -> None:
        text = line.decode("utf-8-sig", errors="replace").strip("\r")
        if not self._columns:
            self._delimiter = max(_DELIMITERS, key=text.count)
        try:
            cells = [cell.strip() for cell in next(csv.reader([text], delimiter=self._delimiter))]
        except (csv.Error, StopIteration):
            self._said.bad_lines += 1
            return
        if not self._columns:
            self._columns = cells
            return
        if len(cells) != len(self._columns):
            self._said.bad_lines += 1
            return
        if cells == self._columns:  # a program that was started again wrote its header again
            return
        found = {name: number(cell) for name, cell in zip(self._columns, cells, strict=True)}
        numbers = {name: value for name, value in found.items() if value is not None}
        self._said.add(numbers.pop(self._epoch, None), numbers)


_KEEPS_THE_PROTOCOL: type[Parser] = CsvTable
