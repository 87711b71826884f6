"""A text that stands in every line that a pattern matches: to look for it costs a hundredth of a search.

Most lines of a log hold none of it. Only what is certain counts: plain characters outside of all groups, classes,
choices and repeats. Digits and dots are left out, for a number is put in the place of a nan (log_lines.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_CODES = (b"\x1b", b"\xc2\x9b", b"\x00", b"\x08")  # of a terminal; they may stand inside of the text
_TOKEN = re.compile(
    r"(?P<escaped>\\.)|(?P<characters>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<repeat>[*+?]|\{\d*,?\d*\})|(?P<plain>.)",
    re.DOTALL,
)
_UNCLEAR = re.compile(r"\A\(\?[a-zA-Z]+\)|\(\?#|\[\[|\\[xuUN]")  # flags, remarks, POSIX classes, numbers of characters
_SHORTEST = 2  # characters


class RequiredTexts:
    """Tells the lines in which none of some patterns can match."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """`patterns` are written as Python's `re` takes them."""
        texts = {required_text(pattern).encode() for pattern in patterns}
        self._texts = () if b"" in texts else (*texts, *_CODES)

    def parts(self, lines: bytes) -> Iterator[tuple[bytes, bool]]:
        """Whole lines in their order: each that may match alone, and those between two of them in one piece.

        The second of a pair is False for a piece in which nothing matches.
        """
        position, end, following = 0, len(lines), dict.fromkeys(self._texts, -1)
        while position < end:
            for text, at in following.items():
                if at < position:
                    following[text] = _place(text, lines, position)
            hit = min(following.values(), default=position)  # of patterns without such a text, every line
            begin = max(position, lines.rfind(b"\n", position, hit) + 1) if hit < end else end
            if begin > position:
                yield lines[position:begin], False
            position = min(end, _place(b"\n", lines, begin) + 1)
            if position > begin:
                yield lines[begin:position], True


def _place(text: bytes, lines: bytes, start: int) -> int:
    """Where a text stands next; at the end where it does not."""
    at = lines.find(text, start)
    return at if at >= 0 else len(lines)


def required_text(pattern: str) -> str:
    """The longest text that is known to stand in whatever the pattern matches; empty where none is known."""
    if _UNCLEAR.search(pattern):
        return ""
    runs, depth = [""], 0
    for token in _TOKEN.finditer(pattern):
        text = token.group()
        if text in {"(", ")"}:
            depth += 1 if text == "(" else -1
            runs.append("")
        elif depth == 0 and text in {"|", "{", "}"}:
            return ""
        elif depth == 0:
            if token.lastgroup == "repeat":
                runs[-1] = runs[-1][:-1]
            character = text[-1]
            is_plain = not character.isalnum() if token.lastgroup == "escaped" else token.lastgroup == "plain"
            if is_plain and not (character.isdigit() or character == "." or text in {"^", "$"}):
                runs[-1] += character
            else:
                runs.append("")
    longest = max(runs, key=len)
    return longest if len(longest) >= _SHORTEST else ""
