"""What a train spec may hold, said once: keys with their rule, default and help; read, checked and described from that.

A program's settings are frozen dataclasses, one a section, whose fields are made by the functions here, and one
dataclass that has the sections:

    @dataclass(frozen=True)
    class Model:
        width: int = whole(1, "channels of the first block", 8)

    @dataclass(frozen=True)
    class Settings:
        model: Model

    settings = read(Settings, {"model": {"width": 16}})
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar, get_type_hints

from automl.errors import SpecError, nearest

S = TypeVar("S")
Plain = int | float | str | None


@dataclass(frozen=True)
class Rule:
    """What a key may hold: `convert` gives the value, or None when it may not stand there; `allowed` in words."""

    allowed: str
    convert: Callable[[object], Any]


def whole(low: int, help_text: str, default: int | None, *, free: bool = False, moves: bool = False) -> Any:
    """A whole number from `low`; null too where that is the default. It `moves` if it is the size of no weights."""

    def convert(value: object) -> int | None:
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= low else None

    return _field(f"a whole number from {low}" + _or_null(default), convert, help_text, default, free=free, moves=moves)


def number(low: float, high: float, help_text: str, default: float, *, open_low: bool = False) -> Any:
    """A finite number in the bounds; `low` itself not when it is open. It is the size of nothing, so it moves."""

    def convert(value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            number = float(value)  # a text too: YAML 1.1 reads 1e-3 as one
        except ValueError:
            return None
        return number if low <= number <= high and math.isfinite(number) and not (open_low and number == low) else None

    bounds = f"{'above' if open_low else 'from'} {low:g}" + (f" to {high:g}" if math.isfinite(high) else "")
    return _field(f"a number {bounds}", convert, help_text, default, moves=True)


def choice(options: tuple[str, ...], help_text: str, default: str, *, free: bool = False) -> Any:
    """One of the texts."""

    def convert(value: object) -> str | None:
        return value if isinstance(value, str) and value in options else None

    return _field(" or ".join(options), convert, help_text, default, free=free)


def switch(help_text: str, *, default: bool, free: bool = False) -> Any:
    """True or false."""

    def convert(value: object) -> bool | None:
        return value if isinstance(value, bool) else None

    return _field("true or false", convert, help_text, default, free=free)


def text(help_text: str, default: str | None, *, free: bool = False) -> Any:
    """A text that is not empty; null too where that is the default."""
    return _field("a text" + _or_null(default), _some_text, help_text, default, free=free)


def optional_path(help_text: str, *, free: bool = True) -> Any:
    """The path of a file or folder, or null. What lies there is told by a digest, so the path itself may change."""
    return _field("a path or null", _some_text, help_text, None, free=free)


def read(kind: type[S], spec: Mapping[str, Any]) -> S:
    """The settings that a train spec gives, with defaults for what it leaves out.

    Raises SpecError for a section or key that does not exist, with the nearest name, and for a value that is not
    allowed.
    """
    sections = _sections(kind)
    paths = [f"{section}.{item.name}" for section, item in _items(kind)]
    for section, values in spec.items():
        if section not in sections:
            raise SpecError(
                f"the train spec has a section {section!r}",
                allowed=", ".join(sections),
                advice=nearest(str(section), sections),
            )
        if not isinstance(values, Mapping):
            raise SpecError(f"{section} is {values!r}", allowed=f"a mapping with {section}'s keys")
        for key in values:
            if f"{section}.{key}" not in paths:
                raise SpecError(
                    f"the train spec has a key {section}.{key}",
                    allowed=", ".join(path for path in paths if path.startswith(f"{section}.")),
                    advice=nearest(f"{section}.{key}", paths),
                )
    return kind(**{name: section(**_values(name, section, spec)) for name, section in sections.items()})


def described(kind: type[Any]) -> str:
    """The table of all keys, for --help."""
    lines = []
    for section, item in _items(kind):
        default = "null" if item.default is None else str(item.default).lower()
        rule: Rule = item.metadata["rule"]
        lines.append(f"  {f'{section}.{item.name}':<26} [{default}] {item.metadata['help']} ({rule.allowed})")
    return "\n".join(lines)


def bound(settings: Any) -> dict[str, Plain]:
    """The values of all keys that are not `free`, by dotted path: they shape the weights.

    They must be the same when a training goes on from a checkpoint. Free keys may change: how far to train, where, how
    often to save.
    """
    return {
        f"{section}.{item.name}": getattr(getattr(settings, section), item.name)
        for section, item in _items(type(settings))
        if not item.metadata["free"]
    }


def moving(kind: type[Any]) -> frozenset[str]:
    """The keys, by dotted path, with other values of which the weights of a checkpoint can be trained on."""
    return frozenset(f"{section}.{item.name}" for section, item in _items(kind) if item.metadata["moves"])


def _field(
    allowed: str,
    convert: Callable[[object], Any],
    help_text: str,
    default: object,
    *,
    free: bool = False,
    moves: bool = False,
) -> Any:
    rule = Rule(allowed, convert)
    return field(default=default, metadata={"rule": rule, "help": help_text, "free": free, "moves": moves})


def _or_null(default: object) -> str:
    return ", or null" if default is None else ""


def _some_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _sections(kind: type[Any]) -> dict[str, Any]:
    """The dataclasses of the sections, by name."""
    hints = get_type_hints(kind)
    return {item.name: hints[item.name] for item in fields(kind)}


def _items(kind: type[Any]) -> Iterator[tuple[str, Field[Any]]]:
    for section, values in _sections(kind).items():
        for item in fields(values):
            yield section, item


def _values(section: str, kind: Any, spec: Mapping[str, Any]) -> dict[str, Any]:
    given = spec.get(section, {})
    values: dict[str, Any] = {}
    for item in fields(kind):
        if item.name not in given or (given[item.name] is None and item.default is None):
            continue
        rule: Rule = item.metadata["rule"]
        value = rule.convert(given[item.name])
        if value is None:
            raise SpecError(f"{section}.{item.name} is {given[item.name]!r}", allowed=rule.allowed)
        values[item.name] = value
    return values
