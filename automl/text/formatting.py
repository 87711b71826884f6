"""How numbers, durations and settings are written for people, in a terminal and on the page."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

_MOST_NUMBERS = 12  # of experiments, in a sentence
_GROUPED = 1e12  # from which on nobody counts the digits
_LONGEST = 80  # characters of a value that an error repeats


def shown(value: Any) -> str:
    """A value as an error repeats it: JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def duration(minutes: float | None) -> str:
    """Minutes for people: '40 s', '12 min', '3 h 20 min', '2 d 4 h'."""
    if minutes is None:
        return "unknown"
    if minutes < 1:
        return f"{math.ceil(minutes * 60)} s"
    whole = round(minutes)
    if whole < 60:
        return f"{whole} min"
    hours, rest = divmod(whole, 60)
    if hours < 48:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def spent(seconds: float) -> str:
    """A measured time, with three digits: '0.84 s', '42.1 s', '12.3 min', '3.25 h', '120 h'."""
    size, unit = (1, "s") if seconds < 100 else (60, "min") if seconds < 6000 else (3600, "h")
    value = seconds / size
    return f"{value:,.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"


def number(value: float | None) -> str:
    """A metric's value for people: 0.9130, 99,650, 2.4e-4."""
    if value is None:
        return "-"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else _very_large_or_small(value)


def _very_large_or_small(value: float) -> str:
    """99,650; 99,650.5; 2.4e-4; 1.2e15."""
    if 1e4 <= abs(value) < _GROUPED:
        return f"{value:,.1f}".removesuffix(".0")
    digits, _, exponent = f"{value:.3e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}" if exponent else digits


def signed(value: float) -> str:
    """A difference of two values of a metric for people, with its sign."""
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return f"{sign}{number(abs(value))}"


def setting(value: Any) -> str:
    """A parameter's value for people."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if 1e-3 <= abs(value) < 1e4 or value == 0 else _very_large_or_small(value)


def shortened(name: str, names: Iterable[str]) -> str:
    """The last part of a dotted name, with the parts before it that distinguish it from names that end alike."""
    *before, last = name.split(".")
    others = [name_parts for name_parts in (text.split(".") for text in set(names) - {name}) if name_parts[-1] == last]
    prefixes = [name_parts[:-1] for name_parts in others]
    if not prefixes:
        return last
    while before and all(prefix and prefix[0] == before[0] for prefix in prefixes):
        before, prefixes = before[1:], [prefix[1:] for prefix in prefixes]
    while before and all(prefix and prefix[-1] == before[-1] for prefix in prefixes):
        before, prefixes = before[:-1], [prefix[:-1] for prefix in prefixes]
    return ".".join([*before, last])


def counted(count: int, what: str) -> str:
    """A count with its noun: '1 run', '19 runs'."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def numbered(what: str, numbers: Sequence[int]) -> str:
    """experiment 4; experiments 4 to 8; experiments 1, 4 and 8; of many the first few. The numbers rise."""
    if len(numbers) < 2:
        return f"{what} {', '.join(map(str, numbers))}"
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{what}s {numbers[0]} to {numbers[-1]}"
    if len(numbers) > _MOST_NUMBERS:
        return f"{what}s {', '.join(map(str, numbers[:_MOST_NUMBERS]))} and {len(numbers) - _MOST_NUMBERS} more"
    return f"{what}s {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def signed_alike(*values: float) -> tuple[str, ...]:
    """Differences with their signs and equally many decimals, two digits of how far they lie apart: +0.030, -0.009."""
    apart = max(values) - min(values) or max(map(abs, values)) or 1.0
    decimals = 1 - math.floor(math.log10(apart))
    if decimals > 6 or apart >= _GROUPED:
        return tuple(map(signed, values))
    texts = (f"{value:+,.{max(0, decimals)}f}" for value in values)
    return tuple(text if text.strip("+-0.,") else text[1:] for text in texts)
