"""Text that was written for people: regular expressions, searched in every line of a log.

A progress bar writes a line over itself: of its states, cut at carriage returns, the last that gives a number counts.
A line is cut at 1,000 characters, and one search may take a second: a pattern can cost more than the training.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from automl.execution.status_readers.readings import MetricReadings, Parser, number
from automl.execution.status_readers.required_text import RequiredTexts
from automl.networks.status_rule import compiled, expanded
from automl.text.terminal_codes import without_codes

if TYPE_CHECKING:
    import regex

_LONGEST = 1000  # characters of a line that are searched
_LONGEST_WITH_ESCAPES = 20_000  # characters of it before colours are taken out
_LONGEST_READ = 1 << 20  # bytes
_STATE = re.compile(rb"\S[^\r\n]*")  # of a line, if it is not empty
_SECONDS = 1.0  # that one pattern may take on one line
# Whole numbers of any form: hexadecimal; by thousands, 1,234.5; with a decimal comma, 0,87; as Python writes them
_NUMBER = re.compile(
    r"(?:(?<![\w.)\]])[-+])?"
    r"(?:0[xX][0-9a-fA-F]+"
    r"|(?:(?<!\d,)\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?"
    r"|(?<!\d,)\d+,\d+(?![\d,]|\.\d)"
    r"|\d[\d_]*(?:\.\d+)*"
    r"|\.\d+)(?:\.?[eE][-+]?\d+)?)"
)
_IN_A_NUMBER = frozenset("+-.,_0123456789abcdefABCDEFxX")
_NOT_FINITE = re.compile(r"(?:(?<![\w.)\]])[-+])?(?<![\w.])(?:nan|inf(?:inity)?)(?![\w.])", re.IGNORECASE)
_STANDS_FOR = ("1.5", "1")  # in place of nan or inf, for a pattern that takes digits only


class LogLines:
    """Each pattern finds an epoch, metrics, or both; what several find in one line belongs together."""

    def __init__(self, readings: MetricReadings) -> None:
        self._readings = readings
        self._epoch = readings.rule.epoch or "epoch"
        self._patterns = {pattern: compiled(pattern) for pattern in readings.rule.patterns}
        self._required = RequiredTexts([*map(expanded, self._patterns)])
        self._rest = b""
        self._too_long = False  # the state of a line that is under way
        self._numbers: dict[str, float] = {}  # of the states of the line that is under way
        self._matched = False

    def feed(self, data: bytes) -> None:
        lines, line_end, self._rest = (self._rest + data).rpartition(b"\n")
        for part, may_match in self._required.parts(lines + line_end):
            if may_match or self._too_long:
                for line in part.split(b"\n")[:-1]:
                    self._states(line)
                    self._end_line()
            else:
                self._end_line()
                self._count(part)
        if b"\r" in self._rest:
            states, _, self._rest = self._rest.rpartition(b"\r")
            self._states(states)
        if len(self._rest) > _LONGEST_READ:
            self._rest, self._too_long = b"", True

    def close(self) -> None:
        state, self._rest = self._rest, b""
        self._state(state)
        self._end_line()

    def _count(self, lines: bytes) -> None:
        """Takes lines of which nothing can be read."""
        if self._readings.problem:
            return
        states = _STATE.findall(lines)
        self._readings.all_lines += len(states)
        if max(map(len, states), default=0) > _LONGEST_READ:
            self._readings.bad_lines += sum(len(state) > _LONGEST_READ for state in states)

    def _states(self, line: bytes) -> None:
        for state in line.split(b"\r"):
            self._state(state)

    def _state(self, state: bytes) -> None:
        """Takes one state of the line: it goes over what the states before it showed of the same epoch."""
        if self._too_long or len(state) > _LONGEST_READ:
            self._readings.all_lines += 1
            self._readings.bad_lines += 1
        elif state.strip() and not self._readings.problem:
            self._readings.all_lines += 1
            matched, numbers = self._search(_plain(state))
            epoch = self._numbers.get(self._epoch)
            if epoch is not None and numbers.get(self._epoch, epoch) != epoch:
                self._end_line()
            self._numbers.update(numbers)
            self._matched = self._matched or matched
        self._too_long = False

    def _end_line(self) -> None:
        if self._matched:
            numbers = self._numbers
            self._readings.add(numbers.pop(self._epoch, None), numbers)
            self._numbers, self._matched = {}, False

    def _search(self, text: str) -> tuple[bool, dict[str, float]]:
        """Whether any pattern matches, and the numbers that they capture."""
        numbers: dict[str, float] = {}
        matched = False
        folded = text.casefold()
        may_not_be_finite = "nan" in folded or "inf" in folded  # a search of every line would cost more than the rest
        for pattern, search in self._patterns.items():
            try:
                for match in search.finditer(text, timeout=_SECONDS):
                    matched = True
                    self._take(pattern, match, numbers)
                if may_not_be_finite and _NOT_FINITE.search(text):
                    matched = _take_not_finite(search, text, numbers) or matched
            except TimeoutError:
                self._readings.problem = (
                    f"the pattern {pattern!r} took longer than {_SECONDS:g} s on the line {text[:80]!r}; "
                    "write it with fewer '.*'"
                )
                return False, {}
        return matched, numbers

    def _take(self, pattern: str, match: regex.Match[str], numbers: dict[str, float]) -> None:
        for name, captured in match.groupdict().items():
            if captured is None:
                continue
            value = number(captured)
            if value is None:
                self._readings.note_text(name, captured)
            elif (whole := _whole_number(match, name)) != captured.strip():
                self._readings.refused[name] = (
                    f"the pattern {pattern!r} takes {captured!r} out of {whole!r}; write (?P<{name}>{{number}})"
                )
            else:
                numbers[name] = value


def _plain(state: bytes) -> str:
    """The characters that are searched, without what a terminal makes of colours and movements."""
    return without_codes(state[: 4 * _LONGEST_WITH_ESCAPES].decode(errors="replace")[:_LONGEST_WITH_ESCAPES])[:_LONGEST]


def _take_not_finite(search: regex.Pattern[str], text: str, numbers: dict[str, float]) -> bool:
    """Takes the nan and inf that a pattern of digits misses; whether there was one.

    The pattern finds a number that stands in their place, and where it captures just that, it meant the nan.
    """
    for stands_for in _STANDS_FOR:
        replaced, spans = _with_numbers(text, stands_for)
        matches = [
            match
            for match in search.finditer(replaced, timeout=_SECONDS)
            if any(match.span(name) in spans for name in match.groupdict())
        ]
        for match in matches:
            for name, captured in match.groupdict().items():
                value = spans.get(match.span(name), number(captured))
                if value is not None:
                    numbers[name] = value
        if matches:
            return True
    return False


def _with_numbers(text: str, stands_for: str) -> tuple[str, dict[tuple[int, int], float]]:
    """The text with numbers in place of nan and inf, and what stood at each of these spans."""
    pieces: list[str] = []
    spans: dict[tuple[int, int], float] = {}
    end = length = 0
    for token in _NOT_FINITE.finditer(text):
        pieces += [text[end : token.start()], stands_for]
        length += token.start() - end + len(stands_for)
        spans[length - len(stands_for), length] = float(token.group())
        end = token.end()
    return "".join([*pieces, text[end:]]), spans


def _whole_number(match: regex.Match[str], name: str) -> str:
    """The whole number that a group captured a part of; what it captured where that is no part of a number."""
    captured: str = match.group(name).strip()
    start, end = match.span(name)
    if not {match.string[start - 1 : start], match.string[end : end + 1]} & _IN_A_NUMBER:
        return captured  # what the loop below finds too, in ten times the time
    for token in _NUMBER.finditer(match.string):
        low, high = token.span()
        if not (low < end and start < high and (low < start or end < high)):
            continue
        groups = match.groupdict()
        is_next = match.string[end:high].startswith(",") and any(match.start(group) == end + 1 for group in groups)
        is_previous = match.string[low:start].endswith(",") and any(match.end(group) == start - 1 for group in groups)
        return captured if is_next or is_previous else token.group()  # 3,4 are two where the pattern captures both
    return captured


_KEEPS_THE_PROTOCOL: type[Parser] = LogLines
