"""From values to places on an axis, 0 to 1, and the ticks that people read there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from automl.problem.search_space import Parameter
from automl.text.formatting import setting

_FENCE = 3.0  # worse values more than so many interquartile ranges away are drawn at the edge
_LARGEST, _ALIKE = 1e300, 1e-12  # what is beyond, or nearer to each other, rounding spoils
_TIMES = 20.0  # times of which the longest is more than so many of the shortest are drawn on a logarithmic axis
_EVEN = 8.0  # ordered values of which the largest is so many of the smallest have a logarithmic axis
_DECADES = 1.7  # a metric above 0 whose values span more decades is drawn on a logarithmic axis


class Scale(Protocol):
    """An axis."""

    def place(self, value: Any) -> float | None:
        """From 0 to 1; None for what the axis cannot show. What lies beyond an end is placed at that end."""
        ...

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """About `most` places, each with its label."""
        ...


@dataclass(frozen=True)
class Numbers:
    """Numbers from low to high, low < high.

    `log` makes the axis logarithmic; then 0 < low, and high is not next to it. `whole` allows whole numbers only.
    `marks` are the only values that there are, rising; without any, all in the range.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False
    marks: tuple[float, ...] = ()

    def place(self, value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return None
        return min(max(self._place(value), 0.0), 1.0)

    def beyond(self, value: float) -> bool:
        """Whether a value lies outside and is drawn at the edge."""
        return not self.low <= value <= self.high

    def ticks(self, most: int) -> list[tuple[float, str]]:
        if self.marks:
            shown = self.marks[:: math.ceil(len(self.marks) / most)]
            return [(self._place(value), setting(value)) for value in shown]
        heads = self._decades(most) if self.log else []
        if len(heads) > 1:
            return [(self._place(value), _written(value, value)) for value in heads]
        values = _steps(self.low, self.high, most, least=1.0 if self.whole else 0.0)
        step = values[1] - values[0] if len(values) > 1 else self.high - self.low
        return [(self._place(value), _written(value, step)) for value in values]

    def _place(self, value: float) -> float:
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        if value <= 0:
            return 0.0
        return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))

    def _decades(self, most: int) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        for heads in ((1, 2, 5), (1, 3), (1,)):
            ticks = [head * 10.0**power for power in range(first, last + 1) for head in heads]
            ticks = [float(f"{value:.3g}") for value in ticks if self._is_inside(value)]
            if len(ticks) <= most:
                break
        else:
            ticks = ticks[:: math.ceil(len(ticks) / most)]
        return ticks

    def _is_inside(self, value: float) -> bool:
        return self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)


@dataclass(frozen=True)
class Options:
    """Options next to each other, in their order."""

    options: tuple[Any, ...]

    def place(self, value: Any) -> float | None:
        for index, option in enumerate(self.options):
            if type(option) is type(value) and option == value:
                return (index + 0.5) / len(self.options)
        return None

    def ticks(self, most: int) -> list[tuple[float, str]]:
        every = math.ceil(len(self.options) / most)
        room = max(6, 8 * most // len(self.options))  # characters of a name
        places = ((index + 0.5) / len(self.options) for index in range(len(self.options)))
        names = (setting(option) for option in self.options)
        cut = (name if len(name) <= room else f"{name[: room - 1]}…" for name in names)
        return list(zip(places, cut, strict=True))[::every]


def of_parameter(parameter: Parameter) -> Scale:
    """The axis of a parameter; for a list, the axis of each of its elements."""
    if parameter.kind == "bool":
        return Options((False, True))
    if parameter.options:
        return _of_ordered(parameter.options) if parameter.kind == "ordered" else Options(parameter.options)
    assert parameter.low is not None, "checked when the parameter was made"
    assert parameter.high is not None, "checked when the parameter was made"
    if parameter.low == parameter.high:
        return Numbers(parameter.low - 0.5, parameter.high + 0.5, whole=parameter.kind == "int")
    wide = parameter.high > parameter.low * (1 + 1e-6)  # in a narrower range a logarithm is a straight line
    return Numbers(parameter.low, parameter.high, parameter.log and wide, whole=parameter.kind == "int")


def _of_ordered(values: tuple[Any, ...]) -> Scale:
    """Ordered numbers at their own places; anything else as options."""
    if len(values) < 2 or not all(isinstance(value, int | float) and abs(value) < _LARGEST for value in values):
        return Options(values)
    low, high = float(values[0]), float(values[-1])
    if low >= high or (high - low) <= _ALIKE * max(abs(low), abs(high)):
        return Options(values)
    if low > 0 and high >= _EVEN * low:
        margin = (high / low) ** 0.06
        return Numbers(low / margin, high * margin, log=True, marks=tuple(values))
    margin = 0.06 * (high - low)
    return Numbers(low - margin, high + margin, marks=tuple(values))


def gap(scale: Scale) -> float | None:
    """How far the nearest two of a few places lie apart, as a share of the axis; None where any place may be taken."""
    if isinstance(scale, Options):
        return 1 / len(scale.options)
    places = (
        [place for mark in scale.marks if (place := scale.place(mark)) is not None]
        if isinstance(scale, Numbers)
        else []
    )
    return min((after - before for before, after in pairwise(places)), default=None)


def of_metric(values: Sequence[float], *, minimize: bool) -> Numbers:
    """The axis of a metric. It holds all values except those far worse than most, which lie beyond its end."""
    ordered = sorted(values)
    if not ordered:
        return Numbers(0.0, 1.0)
    low, high = ordered[0], ordered[-1]
    if len(ordered) >= 8:
        first, third = ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
        if third > first and math.isfinite(_FENCE * (third - first)):
            reach = _FENCE * (third - first)
            low, high = (low, min(high, third + reach)) if minimize else (max(low, first - reach), high)
    low, high = (max(-_LARGEST, min(end, _LARGEST)) for end in (low, high))
    if low > 0 and (decades := math.log10(high) - math.log10(low)) > _DECADES:
        first, last = math.log10(low) - 0.04 * decades, math.log10(high) + 0.04 * decades
        return Numbers(10.0 ** max(first, -300), 10.0 ** min(last, 300), log=True)
    margin = 0.04 * (high - low)
    if margin <= _ALIKE * max(abs(low), abs(high)):  # all the same, except for rounding
        margin = max(0.05 * abs(high), 1 / _LARGEST) if high else 0.5
    return Numbers(low - margin, high + margin)


def of_times(times: Sequence[float]) -> Numbers:
    """The axis of one or more times. It is logarithmic when they span much, and starts at 0 unless half were empty."""
    low, high = min(times), max(times)
    if low > 0 and high > _TIMES * low:
        margin = (high / low) ** 0.04
        return Numbers(low / margin, high * margin, log=True)
    margin = 0.04 * (high - low)
    if low > high / 2 and margin > _ALIKE * high:
        return Numbers(low - margin, high + margin)
    return Numbers(0.0, 1.04 * high or 1.0)


def _steps(low: float, high: float, most: int, *, least: float) -> list[float]:
    """The multiples in the range of a round step: the finest, from `least` on, that makes about `most` of them."""
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        return [low]  # no tick between could be told from its neighbours
    rough = max((high - low) / max(1, most), least)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(head * power for head in (1, 2, 5, 10) if head * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    count = math.floor(high / step + 1e-9) - first + 1
    return [float(f"{(first + index) * step:.14g}") for index in range(count)]


def _written(value: float, step: float) -> str:
    """The text of a tick, as short as its neighbours `step` away allow: 0.001, 1e-5, 20000, 3e6."""
    if value == 0:
        return "0"
    finest = math.floor(math.log10(abs(step)) + 1e-9)
    if 1e-4 < abs(value) < 1e5 and finest >= -8:
        return f"{value:.{max(0, -finest)}f}"
    digits = min(12, max(0, math.floor(math.log10(abs(value)) + 1e-9) - finest))
    head, _, power = f"{value:.{digits}e}".partition("e")
    return f"{head}e{int(power)}"
