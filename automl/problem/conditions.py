"""What a value must satisfy, and when a parameter exists at all: `Condition` and `Activation`.

A condition is written as TAO's tables write it: "> 0", ">= 1", "< other.parameter", "/ 32" (a multiple of 32),
"^ 2" (a power of 2). An activation is "optimizer == sgd" or "optimizer in [sgd, rmsprop]".
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from automl.errors import SpaceError

Number: TypeAlias = int | float
# A JSON scalar, or a list of them. Lists are frozen to tuples inside a Parameter and come out of a space as lists;
# their elements are Any because list[Scalar] would refuse a list[float] (lists are invariant).
Value: TypeAlias = bool | int | float | str | tuple[Any, ...] | list[Any] | None

_NAME = re.compile(r"[A-Za-z_][\w-]*(\[\d+\])?(\.[\w-]+(\[\d+\])?)*")
_CONDITION = re.compile(r"(<=|>=|<|>|/|\^)\s*(.+)")
_EQUALS = re.compile(r"(?P<name>[^=<>]+?)\s*==\s*(?P<value>[^=].*)")
_AMONG = re.compile(r"(?P<name>.+?)\s+in\s*\[(?P<values>.*)\]")

COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = {
    "<": "less than",
    "<=": "at most",
    ">": "greater than",
    ">=": "at least",
    "/": "a multiple of",
    "^": "a power of",
}
_REWRITE = "write the condition like one of these"
_ALLOWED = '"< x", "<= x", "> x", ">= x" with a number or a parameter\'s name, "/ 32" (a multiple), "^ 2" (a power)'


def is_number(value: object) -> bool:
    """Whether a value is a finite number; a bool is not, although Python counts it among the ints."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def identical(left: Value, right: Value) -> bool:
    """Whether two JSON values are the same: 1 and 1.0 are, True and 1 are not."""
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(identical, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def repaired_name(name: str) -> str:
    """A dotted name without the stray spaces around dots of TAO's tables; SpaceError where it is not one."""
    repaired = re.sub(r"\s*\.\s*", ".", str(name).strip())  # YAML reads a key 1 as a number
    if not _NAME.fullmatch(repaired):
        raise SpaceError(
            f"{name!r} is not the name of a parameter",
            allowed="a dotted path into the train spec, such as train.optim.lr",
            advice="write the path with letters, digits, '_', '-' and dots",
        )
    return repaired


def exact(number: Number | Fraction) -> Fraction:
    """The number as it is written: 0.1 is 1/10, not the binary fraction next to it, so that grids count exactly."""
    return Fraction(float.__repr__(number)) if isinstance(number, float) else Fraction(number)


def on_grid(value: Number, anchor: Number | Fraction, spacing: Number | Fraction) -> bool:
    """Whether value is one of anchor, anchor +- spacing, ... (as the nearest float where it is a float)."""
    steps = round((exact(value) - exact(anchor)) / exact(spacing))
    return _written_as(value, exact(anchor) + steps * exact(spacing))


def is_power(value: Number, base: int) -> bool:
    """Whether value is base ** n for a whole n; negative n only for floats (0.25 is a power of 2)."""
    return value > 0 and _written_as(value, Fraction(base) ** round(math.log(value, base)))


def _written_as(value: Number, number: Fraction) -> bool:
    """Whether value is the number: exactly for an int, as the nearest float for a float."""
    if isinstance(value, int):
        return number == value
    try:
        return float(number) == value
    except OverflowError:  # beyond the largest float, which value is not
        return False


@dataclass(frozen=True)
class Condition:
    """One condition on a value. `operand` is a number, or the name of another parameter or a constant."""

    operator: str
    operand: Number | str

    def __post_init__(self) -> None:
        text = f"the condition {self.operator} {self.operand!r}"
        if self.operator not in _WORDS:
            raise SpaceError(f"{text} has an unknown operator", allowed=_ALLOWED, advice=_REWRITE)
        if not isinstance(self.operand, str) and not is_number(self.operand):
            raise SpaceError(f"{text} does not compare with a finite number", allowed=_ALLOWED, advice=_REWRITE)
        if self.operator in COMPARISONS:
            return
        if isinstance(self.operand, str) or self.operand <= 0:
            raise SpaceError(f"{text} needs a number above 0", allowed=_ALLOWED, advice=_REWRITE)
        if self.operator == "^" and (self.operand < 2 or self.operand != int(self.operand)):
            raise SpaceError(f"{text} needs a whole base of at least 2", allowed='"^ 2", "^ 10" ...', advice=_REWRITE)

    @classmethod
    def parse(cls, text: str) -> Condition:
        """The condition that "< other.parameter" or "/ 32" states. Raises SpaceError where the text states none."""
        match = _CONDITION.fullmatch(text.strip())
        if match is None:
            raise SpaceError(f"{text!r} is not a condition", allowed=_ALLOWED, advice=_REWRITE)
        operand = as_number(match[2])
        return cls(match[1], operand if isinstance(operand, int | float) else repaired_name(match[2]))

    def __str__(self) -> str:
        return f"{self.operator} {self.operand}"

    @property
    def other(self) -> str | None:
        """The name that the condition compares with; None where it compares with a number."""
        return self.operand if isinstance(self.operand, str) else None

    @property
    def words(self) -> str:
        """The condition in plain words: "less than 3", "a multiple of 32"."""
        return f"{_WORDS[self.operator]} {self.operand}"

    def holds(self, value: Number, operand: Number) -> bool:
        """Whether a value satisfies the condition, with `operand` standing for what it compares with."""
        if self.operator in COMPARISONS:
            return COMPARISONS[self.operator](value, operand)
        return on_grid(value, 0, operand) if self.operator == "/" else is_power(value, int(operand))


@dataclass(frozen=True)
class Activation:
    """A parameter exists only while another parameter (or constant) has one of these values."""

    parameter: str
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise SpaceError(f"no value of {self.parameter} switches it on", advice="name at least one value")

    @classmethod
    def parse(cls, text: str) -> Activation:
        """The activation that a text such as "optimizer == sgd" or "optimizer in [sgd, rmsprop]" states.

        A value is read as JSON if it is JSON (true, 3, "a"), otherwise as plain text. Raises SpaceError where the text
        states no activation.
        """
        if match := _EQUALS.fullmatch(text.strip()):
            return cls(repaired_name(match["name"]), (_scalar(match["value"]),))
        if match := _AMONG.fullmatch(text.strip()):
            parts = [part for part in match["values"].split(",") if part.strip()]
            return cls(repaired_name(match["name"]), tuple(_scalar(part) for part in parts))
        raise SpaceError(
            f"{text!r} does not say when the parameter exists",
            allowed='"optimizer == sgd", "optimizer in [sgd, rmsprop]" or {parameter: optimizer, values: [sgd]}',
            advice="name the other parameter and its values",
        )

    def __str__(self) -> str:
        return f"{self.parameter} in {list(self.values)}"

    def holds(self, value: Value) -> bool:
        """Whether this value of the other parameter switches the parameter on."""
        return any(identical(value, switching) for switching in self.values)


def as_number(value: Any) -> Any:
    """The number that a text is; anything else unchanged.

    YAML 1.1 reads 1e-4 (no dot) as text, and TAO's tables say "inf".
    """
    if not isinstance(value, str):
        return value
    for convert in (int, float):
        try:
            return convert(value)
        except ValueError:
            continue
    return value


def _scalar(text: str) -> Value:
    """A value inside an activation's text."""
    bare = text.strip()
    if bare in {"True", "False"}:
        return bare == "True"
    try:
        value: Value = json.loads(bare)
    except ValueError:
        return bare.strip("'\"")
    return value
