"""YAML as this package reads and writes it: safe, without surprises, and with line and column in every error.

It reads the core schema of YAML 1.2: `1e-4` is a number, `no` and `on` are text, there are no dates. A repeated key, a
tag, an anchor or an alias is refused. It writes text that has the same meaning in YAML 1.1 and 1.2.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from automl.errors import InvalidInput

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_DIGITS = 300  # of a whole number; beyond, not even a float could hold it


class _Strict(Composer, SafeConstructor):
    """Refuses what refers elsewhere, and keys that stand twice."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[attr-defined]  # the parser's
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors and aliases are not allowed", problem_mark=event.start_mark)
        if getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem=f"the tag {event.tag!r} is not allowed", problem_mark=event.start_mark)
        if self.depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH}", problem_mark=event.start_mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key_node.start_mark)
            if key in keys:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} is given twice", problem_mark=key_node.start_mark)
            keys.add(key)
        return super().construct_mapping(node, deep=deep)


class _Loader(_Strict, yaml.SafeLoader):
    """The safe loader with the scalars of YAML 1.2. Its errors are the ones that users see."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - as in the base class


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+0123456789."),
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def _integer(_: _Loader, node: yaml.ScalarNode) -> int:
    text = str(node.value)
    if len(text) > MAX_DIGITS:
        raise yaml.MarkedYAMLError(problem=f"a number of {len(text)} digits", problem_mark=node.start_mark)
    return int(text, 0) if text[:2] in {"0x", "0o"} else int(text)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


_FastLoader: Any = None  # where PyYAML was built without libyaml
with contextlib.suppress(ImportError):
    from yaml.cyaml import CParser  # type: ignore[attr-defined]

    class _LibyamlLoader(_Strict, CParser, Resolver):
        """The loader above on libyaml's parser: the same values in a fifth of the time."""

        yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers
        yaml_constructors = _Loader.yaml_constructors

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)

    _FastLoader = _LibyamlLoader


# What the two parsers do not read alike: tabs, marks of byte order, directives, '?' in a flow, comments after | and >
_READ_DIFFERENTLY = re.compile(r"[\t\ufeff%?]|[|>]#")


def _loaded(text: str) -> Any:
    if _FastLoader is not None and not _READ_DIFFERENTLY.search(text):
        with contextlib.suppress(yaml.YAMLError):  # said below, in the words of the other parser
            return yaml.load(text, _FastLoader)  # noqa: S506 - it constructs what SafeLoader does
    return yaml.load(text, _Loader)  # noqa: S506 - _Loader is a SafeLoader


class _Dumper(yaml.SafeDumper):
    """The safe dumper; text that YAML 1.2 would read as something else is quoted too."""


def _quoted(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    special = any(pattern.match(text) for _, pattern in _Loader.yaml_implicit_resolvers.get(text[:1], ()))
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if special else None)


_Dumper.add_representer(str, _quoted)

_PLAIN = (  # the parser's words -> plainer ones
    (r"could not find expected ':'", "a line that is not 'key: value'"),
    (r"expected <block end>, but found .*", "it does not fit the lines above it; look at the indentation"),
    (r"expected '(.)' or '(.)', but got .*", r"'\1' or '\2' is missing"),
    (r"found character '\\t' that cannot start any token", "a tab; indent with spaces"),
    (r"found character (.*) that cannot start any token", r"text that begins with \1 needs quotes"),
    (r"found unexpected end of stream", "the text ends inside quotes"),
    (r"mapping values are not allowed here", "a second ': ' in one value, which needs quotes, or a wrong indentation"),
    (r"but found another document", "a second document begins; keep one"),
)


def _plain(problem: str) -> str:
    for pattern, ours in _PLAIN:
        if match := re.fullmatch(pattern, problem):
            return match.expand(ours)
    return problem


def read_text(path: Path, what: str) -> str:
    """The text of a file that a user wrote; `what` says in errors what it should be. Raises InvalidInput."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise InvalidInput(f"file {path} does not exist", allowed=what) from error
    except IsADirectoryError as error:
        raise InvalidInput(f"{path} is a folder", allowed=what) from error
    except (OSError, ValueError) as error:  # ValueError: a path that no system can have
        reason = getattr(error, "strerror", None) or "it is not a path"
        raise InvalidInput(f"{str(path)!r} cannot be read: {reason}", allowed=what) from error
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"{path} is too large", allowed=f"{what}, up to {MAX_BYTES:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} is not UTF-8: the byte 0x{data[error.start]:02x} at position {error.start}",
            allowed=f"{what}, as text in UTF-8",
            advice="save it again as UTF-8",
        ) from error


def load(text: str, where: str) -> Any:
    """The value of the YAML text; `where` names the file in errors. Raises InvalidInput with line and column."""
    if len(text) > MAX_BYTES:
        raise InvalidInput(f"{where} has {len(text):,} characters", allowed=f"up to {MAX_BYTES:,}")
    try:
        return _loaded(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        position = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidInput(f"{where}{position}: {_plain(str(error.problem))}", advice="correct it there") from error
    except yaml.reader.ReaderError as error:
        raise InvalidInput(
            f"{where}: the character U+{int(error.character):04X} at position {error.position}",
            allowed="YAML, which is text without control characters",
        ) from error


def mapping(text: str, where: str) -> dict[str, Any]:
    """As `load`, for a file that must hold a mapping with text keys and finite numbers."""
    value = load(text, where)
    if not isinstance(value, dict):
        kind = "nothing" if value is None else "a list" if isinstance(value, list) else f"only {value!r:.60}"
        raise InvalidInput(f"{where} holds {kind}", allowed="a mapping, one 'key: value' a line")
    _check(value, where, "")
    return value


def _check(value: Any, where: str, path: str) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise InvalidInput(f"{where}: the key {key!r} at {path or 'the top'} is not text", advice="quote it")
            _check(key, where, path)
            _check(inner, where, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check(inner, where, f"{path}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"{where}: {path} is {value}", allowed="finite numbers")
    elif isinstance(value, str) and (bad := _UNWRITABLE.search(value)):
        raise InvalidInput(
            f"{where}: {path or 'a key at the top'} holds the character U+{ord(bad[0]):04X}",
            allowed="text without control characters",
        )


# A path, a log or a terminal would choke on these; half a surrogate pair cannot even be stored.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def dump(value: Any) -> str:
    """YAML text of a value, keys in their order."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return str(text)
