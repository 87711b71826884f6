"""Follows the files that a training program writes while they grow, are added, are cut off or begin again."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automl.execution.plain_files import readable
from automl.execution.status_readers.csv_table import CsvTable
from automl.execution.status_readers.event_files import EventFile
from automl.execution.status_readers.json_lines import JsonLines, TaoStatus
from automl.execution.status_readers.log_lines import LogLines
from automl.execution.status_readers.readings import MetricReadings, Parser
from automl.networks.status_rule import EVENT_FILES, StatusRule

PARSERS: Mapping[str, Callable[[MetricReadings], Parser]] = {
    "tao": TaoStatus,
    "json_lines": JsonLines,
    "csv": CsvTable,
    "regex": LogLines,
    "tensorboard": EventFile,
}
_USUAL_PATHS = {"tao": "status.json", "tensorboard": EVENT_FILES}
_CHUNK = 1 << 20  # bytes read at once
AT_A_LOOK = 4 << 20  # bytes of a file that one look takes while its program runs
_BEGINNING = 256  # bytes by which a file is known again


@dataclass
class _File:
    """One file and how far it is read. `changed` is its time of change at the last look, in ns."""

    parser: Parser
    position: int = 0
    changed: int = -1
    beginning: bytes = b""


@dataclass
class Follower:
    """Reads the files that the rule names, below `results` or in `log`. Call `read` now and then.

    `readings` is what was read so far. `written` is when a file with something new was last written to, in ns.
    `trouble` is why a file cannot be read. `is_behind` says that the last look left something for the next one. Files
    are taken in the order of their names.
    """

    rule: StatusRule
    results: Path
    log: Path
    metric: str
    start: int
    written: int = 0
    trouble: str = ""
    is_behind: bool = False
    readings: MetricReadings = field(init=False)
    _files: dict[Path, _File] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._begin()

    def read(self, most: float = math.inf) -> None:
        """Takes what is new, at most about `most` bytes of each file: a program may print faster than is read.

        When a file was cut off or written anew, all are read again from their beginning.
        """
        self.trouble, self.is_behind = "", False
        if not self._read_all(most):
            self._begin()
            self._read_all(most)

    def close(self) -> None:
        """Takes what is left when the program has succeeded: a last line is complete although it has no line end."""
        self.read()
        for file in self._files.values():
            file.parser.close()
        self.readings.close()

    @property
    def path(self) -> str | None:
        """The path or pattern below the results folder, None for the log."""
        return self.rule.path or _USUAL_PATHS.get(self.rule.reader)

    @property
    def log_position(self) -> int | None:
        """How many bytes of the log are read; None where it is not the log that is read."""
        if self.path is not None:
            return None
        return self._files[self.log].position if self.log in self._files else 0

    def paths(self) -> list[Path]:
        """The files that exist, none where the system does not say: `trouble` has the reason after `read`."""
        try:
            return self._paths()
        except OSError:
            return []

    def _paths(self) -> list[Path]:
        path = self.path
        if path is None:
            return [self.log] if self.log.exists() else []
        if not any(sign in path for sign in "*?["):
            return [self.results / path] if (self.results / path).exists() else []
        return sorted(match for match in self.results.glob(path) if match.is_file())

    def _begin(self) -> None:
        self.readings = MetricReadings(self.rule, self.metric, self.start)
        self._files = {}

    def _read_all(self, most: float) -> bool:
        """False when a file is not the one that was read before."""
        try:
            paths = self._paths()
        except OSError as error:
            self.trouble = f"{self.path} cannot be read: {error.strerror}"
            return True
        for path in paths:
            if path not in self._files:
                self._files[path] = _File(PARSERS[self.rule.reader](self.readings))
            try:
                if not self._read_file(path, self._files[path], most):
                    return False
            except FileNotFoundError:  # gone while we looked
                continue
            except OSError as error:
                self.trouble = f"{readable(path.name)} cannot be read: {error.strerror}"
        return True

    def _read_file(self, path: Path, file: _File, most: float) -> bool:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
            self.trouble = f"{readable(path.name)} cannot be read: it is no plain file"  # to open a pipe could block
            return True
        if about.st_size < file.position:
            return False
        if about.st_size == file.position and about.st_mtime_ns == file.changed:
            return True
        lines = self.readings.lines
        end = min(about.st_size, file.position + most)  # what is written from now on is for the next look
        with path.open("rb") as opened:
            if opened.read(len(file.beginning)) != file.beginning:
                return False
            opened.seek(file.position)
            while file.position < end and (data := opened.read(_CHUNK)):
                file.parser.feed(data)
                if len(file.beginning) < _BEGINNING and file.position == len(file.beginning):
                    file.beginning += data[: _BEGINNING - file.position]
                file.position += len(data)
            now = os.fstat(opened.fileno())
        file.changed, self.is_behind = now.st_mtime_ns, self.is_behind or file.position < now.st_size
        if self.readings.lines > lines:
            self.written = max(self.written, file.changed)
        return True
