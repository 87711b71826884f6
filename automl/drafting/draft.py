"""A draft of a study in one file, and its text: what is guessed has a comment on its line.

Whoever makes a draft (a command line, a function, a file of another tool) says what it knows; the text is the same.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_WIDE = 118  # columns of the text
_COMMENT = 60  # the column where comments begin, if the line is not longer
_PLAIN = re.compile(
    r"(?:--?(?=[A-Za-z]))?[A-Za-z_./][A-Za-z0-9_./-]*"
)  # texts that need no quotation marks between brackets
_NO_TEXTS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity", ".nan"})


@dataclass(frozen=True)
class Searched:
    """A parameter with its row of a network file, and why it has that range."""

    name: str
    row: Mapping[str, Any]
    why: str = ""


@dataclass(frozen=True)
class Draft:
    """What a study file will say.

    `network` are the keys of its network but for the parameters, `options` those of the study beside the network, both
    in the order of the file. `comments` belong to keys of either. `others` are parameters that the program has and that
    are not searched: they stand in comments. `head` are lines above all.
    """

    name: str
    network: Mapping[str, Any]
    searched: tuple[Searched, ...]
    options: Mapping[str, Any]
    comments: Mapping[str, str] = field(default_factory=dict)
    others: tuple[Searched, ...] = ()
    head: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of the study file."""
        lines = [f"# {line}".rstrip() for note in self.head for line in textwrap.wrap(note, _WIDE - 2) or [""]]
        lines += [*_lines("name", self.name, self.comments.get("name", "")), "network:"]
        lines += [f"  {line}" for line in self._network_lines()]
        lines += self._section(self.options)
        return "\n".join([*lines, ""])

    def _network_lines(self) -> Iterator[str]:
        yield from self._section(self.network)
        yield "parameters:" if self.searched else "parameters: {}"
        for parameter in self.searched:
            yield from (f"  {line}" for line in _lines(_key(parameter.name), parameter.row, parameter.why))
        if self.others:
            yield "  # not searched; take the '# ' away from a line to search it:"
            for parameter in self.others:
                lines = _lines(_key(parameter.name), parameter.row, parameter.why)
                yield from (f"  {line}" if line.startswith("#") else f"  # {line}" for line in lines)

    def _section(self, values: Mapping[str, Any]) -> list[str]:
        lines = []
        for key, value in values.items():
            comment = self.comments.get(key, "")
            if value is None:  # a key that is only spoken of
                lines.append(f"# {comment}")
            else:
                lines += _lines(_key(key), value, comment)
        return lines


def _lines(key: str, value: Any, comment: str) -> list[str]:
    """The line of a key with its comment behind it, or above it when that would be too long."""
    line, comment = f"{key}: {flow(value)}", " ".join(comment.split())
    if not comment:
        return [line]
    behind = f"{line:<{_COMMENT}}  # {comment}"
    return [behind] if len(behind) <= _WIDE else [f"# {comment}"[:_WIDE], line]


def flow(value: Any) -> str:
    """A value in YAML on one line, the same in YAML 1.1 and 1.2."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(key)}: {flow(part)}' for key, part in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, float):
        return number(value)
    return _text(value) if isinstance(value, str) else json.dumps(value)


def number(value: float) -> str:
    """A number as people write it and every YAML reads it: 0.0001, 1.0e-07."""
    text = repr(value)
    if "e" not in text:
        return text
    if 1e-7 <= abs(value) < 1:
        return f"{value:.17f}".rstrip("0") if float(f"{value:.17f}") == value else text
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{mantissa}e{exponent if exponent[0] in '+-' else f'+{exponent}'}"


def _key(key: str) -> str:
    return _text(str(key))


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXTS and text != ".":
        return text
    if text.isprintable() and text:
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    return json.dumps(text, ensure_ascii=False)
