"""A table with a header: one line for each epoch, or several that each fill some columns (Lightning's CSVLogger)."""

from __future__ import annotations

import csv
from collections import Counter

from automl.execution.status_readers.json_lines import LONGEST
from automl.execution.status_readers.readings import Lines, MetricReadings, Parser, number

_DELIMITERS = ",;\t"


class CsvTable:
    """The first line names the columns. The delimiter is the one that it has most of: comma, semicolon or tab."""

    def __init__(self, readings: MetricReadings) -> None:
        self._readings, self._lines = readings, Lines(self._line, readings, LONGEST)
        self._epoch = readings.rule.epoch or "epoch"
        self._columns: list[str] = []
        self._delimiter = ","

    def feed(self, data: bytes) -> None:
        self._lines.feed(data)

    def close(self) -> None:
        self._lines.close()

    def _line(self, line: bytes) -> None:
        text = line.decode("utf-8-sig", errors="replace").strip("\r")
        if not self._columns:
            self._delimiter = max(_DELIMITERS, key=text.count)
        try:
            cells = [cell.strip() for cell in next(csv.reader([text], delimiter=self._delimiter))]
        except (csv.Error, StopIteration):
            self._readings.bad_lines += 1
            return
        if not self._columns:
            self._header(cells)
            return
        if len(cells) != len(self._columns):
            self._readings.bad_lines += 1
            return
        if cells == self._columns:  # a program that was started again wrote its header again
            return
        numbers: dict[str, float] = {}
        for name, cell in zip(self._columns, cells, strict=True):
            if name in self._readings.refused:
                continue
            value = number(cell)
            if value is None:
                self._readings.note_text(name, cell)
            else:
                numbers[name] = value
        self._readings.add(numbers.pop(self._epoch, None), numbers)

    def _header(self, columns: list[str]) -> None:
        self._columns = columns
        self._readings.note_names(columns)
        for name, count in Counter(columns).items():
            if count > 1:
                self._readings.refused[name] = (
                    f"{count} columns are named {name!r}, and which of them counts is unknown"
                )


_KEEPS_THE_PROTOCOL: type[Parser] = CsvTable
