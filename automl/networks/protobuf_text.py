"""Protobuf's text format, read into plain values and written back without the messages' definitions.

google.protobuf.text_format needs the compiled definitions of every message, which the training images keep to
themselves; what a spec needs is little: names, values, nesting, repetition. So here

    a name that stands once        is a value, or a mapping for a message
    a name that stands repeatedly  is a list of them, in their order
    a bare word, as in `type: L1`  is the text "__L1__", as TAO's tables write an enum; true and false are booleans
    None, and a message of Nones   is not written, since the format knows no null; an empty mapping is an empty message

Comments are not kept. Written names are in order, for the order of different names means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from automl.errors import SpecError

_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
      | (?P<number>-?\s*(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?)(?![\w.]))
      | (?P<word>[A-Za-z_]\w*)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<sign>[{}<>\[\]:,;/.-])""",
    re.VERBOSE,
)
_NAME = re.compile(r"[A-Za-z_]\w*|\[[\w./-]+\]")  # the second: an extension, or the type of an Any
_ENUM = re.compile(r"__([A-Za-z_]\w*)__")
_BOOLEANS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_DEEPEST = 60


def load(text: str) -> dict[str, Any]:
    """The mapping that a text describes. Raises SpecError with the line of the first mistake."""
    return _Reader(text).message("", 0)


def dump(spec: Mapping[str, Any]) -> str:
    """The text of a mapping. Raises SpecError for what the format cannot say: lists in lists, odd names, infinity."""
    return "".join(f"{line}\n" for line in _lines(spec, ""))


class _Reader:
    """The tokens of a text, and the place that has been reached."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []  # kind, text, where it begins
        offset = 0
        while offset < len(text):
            match = _TOKEN.match(text, offset)
            if match is None:
                raise self._error("cannot be read", offset)
            if match.lastgroup != "blank":
                self._tokens.append((str(match.lastgroup), match.group(), offset))
            offset = match.end()
        self._tokens.append(("end", "the end of the text", len(text)))
        self._next = 0

    def message(self, closing: str, depth: int) -> dict[str, Any]:
        """The fields up to `closing`, or to the end of the text where it is empty."""
        if depth > _DEEPEST:
            raise self._error(f"is nested deeper than {_DEEPEST} messages")
        fields: dict[str, list[Any]] = {}
        while not self._at_end(closing):
            name = self._name()
            said_colon = self._skip(":")
            fields.setdefault(name, []).extend(self._values(depth, said_colon))
            while self._skip(",") or self._skip(";"):
                pass
        return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}

    def _at_end(self, closing: str) -> bool:
        kind, text, _ = self._tokens[self._next]
        if kind == "end" and closing:
            raise self._error(f"comes before the {closing!r} of a message")
        if closing and text == closing:
            self._next += 1
            return True
        return kind == "end"

    def _name(self) -> str:
        kind, text, _ = self._take()
        if kind == "word":
            return text
        if text == "[":
            name = ""
            while (part := self._take())[1] != "]":
                if part[0] == "end":
                    raise self._error("comes before the ']' of a name")
                name += part[1]
            return f"[{name}]"
        self._next -= 1
        raise self._error("stands where the name of a field is expected")

    def _values(self, depth: int, said_colon: bool) -> list[Any]:
        """The value or values of one field: a scalar, a message, or a list of them in brackets."""
        if self._skip("["):
            values: list[Any] = []
            while not self._skip("]"):
                values.append(self._value(depth, True))
                if not self._skip(",") and self._tokens[self._next][1] != "]":
                    raise self._error("stands where ',' or ']' is expected")
            return values
        return [self._value(depth, said_colon)]

    def _value(self, depth: int, said_colon: bool) -> Any:
        for opening, closing in (("{", "}"), ("<", ">")):
            if self._skip(opening):
                return self.message(closing, depth + 1)
        if not said_colon:
            raise self._error("stands where ':' or '{' is expected")
        kind, text, offset = self._take()
        if kind == "number":
            return _number(text)
        if kind == "word":
            return _BOOLEANS.get(text, f"__{text}__")
        if kind == "text":
            pieces = [text]
            while self._tokens[self._next][0] == "text":  # neighbours are one text
                pieces.append(self._take()[1])
            try:
                decoded = b"".join(_unescaped(piece) for piece in pieces).decode()
            except (ValueError, OverflowError):
                raise self._error("is no text in UTF-8", offset) from None
            if _ENUM.fullmatch(decoded):
                raise self._error("is a text that looks like TAO's spelling of an enum", offset)
            return decoded
        self._next -= 1
        raise self._error("stands where a value is expected")

    def _take(self) -> tuple[str, str, int]:
        token = self._tokens[self._next]
        if token[0] != "end":
            self._next += 1
        return token

    def _skip(self, sign: str) -> bool:
        kind, text, _ = self._tokens[self._next]
        matches = kind == "sign" and text == sign
        self._next += matches
        return matches

    def _error(self, problem: str, offset: int | None = None) -> SpecError:
        if offset is None:
            kind, text, offset = self._tokens[self._next]
        else:
            kind, text = "", self._text[offset : offset + 20].split("\n")[0]
        shown = text if kind == "end" else repr(text)
        line = self._text.count("\n", 0, offset) + 1
        return SpecError(
            f"line {line}: {shown} {problem}", allowed="protobuf's text format: 'name: value', 'name { ... }'"
        )


def _number(text: str) -> int | float:
    text = "".join(text.split())
    digits = text.lstrip("-")
    if digits[:2] in {"0x", "0X"}:
        return int(text, 16)
    if digits.isdigit():
        return (
            int(text, 8)
            if len(digits) > 1 and digits[0] == "0" and "8" not in digits and "9" not in digits
            else int(text)
        )
    return float(text.rstrip("fF"))


def _unescaped(quoted: str) -> bytes:
    def one(match: re.Match[bytes]) -> bytes:
        octal, hexadecimal, short, long, sign = match.groups()
        if octal or hexadecimal:
            return bytes([int(octal, 8) if octal else int(hexadecimal, 16)])
        if short or long:
            return chr(int(short or long, 16)).encode()
        return _ESCAPED.get(sign, sign)

    return _ESCAPE.sub(one, quoted[1:-1].encode())


def _lines(message: Mapping[str, Any], indent: str) -> list[str]:
    lines = []
    for name in sorted(message):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise SpecError(f"{name!r} is no name of a field in protobuf text", allowed="letters, digits and '_'")
        value = message[name]
        for item in value if isinstance(value, list | tuple) else [value]:
            if isinstance(item, Mapping):
                if _says_nothing(item):
                    continue
                lines += [f"{indent}{name} {{", *_lines(item, indent + "  "), f"{indent}}}"]
            elif item is not None:
                lines.append(f"{indent}{name}: {_scalar(name, item)}")
    return lines


def _says_nothing(value: Any) -> bool:
    """Whether it is None, or a message of such values only; an empty message does say something."""
    return value is None or (isinstance(value, Mapping) and bool(value) and all(map(_says_nothing, value.values())))


def _scalar(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value - value == 0:  # finite
        return repr(value)
    if isinstance(value, str):
        if enum := _ENUM.fullmatch(value):
            return enum[1]
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
        return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\{ord(match[0]):03o}", escaped) + '"'
    raise SpecError(f"{name}: {value!r} cannot be written as protobuf text", allowed="texts, finite numbers, booleans")
