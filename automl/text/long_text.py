"""A text that is too long to be kept whole: its first and its last lines, and one line that says what is left out."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\n|\r")
_NEAR = 4096  # bytes in which the end of a line is looked for; without one the cut is where it falls


def shortened(first: bytes, last: bytes, total: int, note: str) -> bytes:
    """The beginning and the end of a text of `total` bytes, cut between lines. `note` follows what is left out."""
    first, last = _whole_lines_at_the_end(first), _whole_lines_at_the_beginning(last)
    line_end = b"" if not first or first.endswith(b"\n") else b"\n"
    left_out = f"[automl: {total - len(first) - len(last):,} of {total:,} bytes are left out here; {note}]\n"
    return first + line_end + left_out.encode() + last


def _whole_lines_at_the_end(text: bytes) -> bytes:
    ends = [match.end() for match in _LINE_END.finditer(text, max(0, len(text) - _NEAR))]
    return text[: ends[-1]] if ends else text


def _whole_lines_at_the_beginning(text: bytes) -> bytes:
    end = _LINE_END.search(text, 0, _NEAR)
    return text[end.end() :] if end else text
