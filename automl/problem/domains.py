"""The sets that values are drawn from, and the map between such a set and a coordinate in [0, 1].

`Continuous` is an interval of floats; `Points` is a sorted or listed set: whole numbers, a grid, powers, options. Both
can be cut (`above`, `below`), which is how an inequality between two parameters holds without rejection: what is left
after a cut is again one of the two, and 0 and 1 are again its lowest and its highest value.
"""

from __future__ import annotations

import itertools
import math
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from typing import Any, TypeAlias, TypeVar, overload

from automl.problem.conditions import Condition, Number, Value, exact, identical, is_number, is_power, on_grid

DIGITS = 6  # significant digits of a float that people will read
COARSE = 1e-3  # an interval narrower than this part of its magnitude keeps all digits: six would leave few values
MARGIN = 1e-6  # "> 0" on an interval that starts at 0: how far above 0 the lowest value lies, as a part of the interval
MOST_POINTS = 2**53  # beyond, floats cannot tell two points apart


@dataclass(frozen=True)
class Continuous:
    """All floats from low to high, both included; uniform in the value, or in its logarithm."""

    low: float
    high: float
    log: bool = False

    @property
    def empty(self) -> bool:
        return self.low > self.high

    def above(self, bound: Number, strict: bool) -> Continuous:
        """What is left at or (strict) above the bound."""
        return replace(self, low=max(self.low, math.nextafter(bound, math.inf) if strict else float(bound)))

    def below(self, bound: Number, strict: bool) -> Continuous:
        """What is left at or (strict) below the bound."""
        return replace(self, high=min(self.high, math.nextafter(bound, -math.inf) if strict else float(bound)))

    def pick(self, coordinate: float) -> float:
        """The value at a coordinate, rounded to DIGITS where that stays inside; 0 and 1 give the bounds themselves."""
        if coordinate <= 0 or coordinate >= 1:
            return self.low if coordinate <= 0 else self.high
        value = self._raw(coordinate)
        if self.high - self.low < COARSE * max(abs(self.low), abs(self.high)):
            return value
        rounded = float(f"{value:.{DIGITS}g}")
        return rounded if self.low <= rounded <= self.high else value

    def place(self, value: Number) -> float:
        """A coordinate that `pick` turns into this value, or into the nearest one that it can pick."""
        if value <= self.low or value >= self.high:
            return 0.5 if self.low == self.high else float(value >= self.high)
        if self.log:
            guess = (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        else:
            guess = (value - self.low) / (self.high - self.low)
        if self.pick(guess) == value:
            return guess
        return _coordinate_of(self._raw, value, guess)

    def nearest(self, value: Number) -> float:
        """The member nearest to a value."""
        return min(max(float(value), self.low), self.high)

    def few_values(self, most: int) -> tuple[float, ...] | None:
        """All values that `pick` can return, increasing; None where they are more than `most`."""
        if self.empty:
            return ()
        magnitude = max(abs(self.low), abs(self.high))
        step = max(10.0 ** (math.floor(math.log10(magnitude or 1.0)) - DIGITS + 1), math.ulp(magnitude))
        if (self.high - self.low) / step > most + 1:  # no two neighbours are that far apart: there is nothing to list
            return None
        if self.high - self.low < COARSE * magnitude or magnitude == 0:
            inside = _floats(self.low, self.high)
        elif self.low < 0 < self.high or magnitude < sys.float_info.min:
            return None
        elif self.low < 0:
            inside = (-value for value in _decimals(-self.high, -self.low))
        else:
            inside = _decimals(self.low, self.high)
        values = {self.low, self.high, *itertools.islice(inside, most + 1)}
        return tuple(sorted(values)) if len(values) <= most else None

    def _raw(self, coordinate: float) -> float:
        """The value before rounding; never decreasing in the coordinate, which `place` relies on."""
        if self.log:
            value = self.low * math.exp(coordinate * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + coordinate * (self.high - self.low)
        return min(max(value, self.low), self.high)


@dataclass(frozen=True)
class Ticks(Sequence[float]):
    """The floats ticks[i] / scale: a decimal grid held in whole numbers, so that 0.1 + 2 * 0.1 is 0.3."""

    ticks: range
    scale: int

    def __len__(self) -> int:
        return len(self.ticks)

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> Ticks: ...
    def __getitem__(self, index: int | slice) -> float | Ticks:
        if isinstance(index, slice):
            return Ticks(self.ticks[index], self.scale)
        return self.ticks[index] / self.scale


@dataclass(frozen=True)
class Points:
    """A listed set; each point owns a cell of [0, 1], in the order of the list.

    `values` are increasing numbers (a range, Ticks or a tuple), or options in any order, which are never cut. `weights`
    are the relative widths of the cells; all are equal where it is empty. With `log`, cells are as wide as in log
    space.
    """

    values: Sequence[Any]
    weights: tuple[float, ...] = ()
    log: bool = False

    @property
    def empty(self) -> bool:
        return len(self.values) == 0

    @property
    def low(self) -> Any:
        return self.values[0]

    @property
    def high(self) -> Any:
        return self.values[-1]

    def above(self, bound: Number, strict: bool) -> Points:
        """What is left at or (strict) above the bound."""
        start = (bisect_right if strict else bisect_left)(self.values, bound)
        return replace(self, values=self.values[start:], weights=self.weights[start:])

    def below(self, bound: Number, strict: bool) -> Points:
        """What is left at or (strict) below the bound."""
        stop = (bisect_left if strict else bisect_right)(self.values, bound)
        return replace(self, values=self.values[:stop], weights=self.weights[:stop])

    def pick(self, coordinate: float) -> Any:
        """The point whose cell holds the coordinate."""
        return self.values[self._slot(coordinate)]

    def place(self, value: Value) -> float:
        """The centre of the cell of the value, or of the nearest point where the value is not one."""
        slot = self._index(value)
        if slot is None:
            return 0.5  # an option of weight 0: it owns no cell
        start, stop = self._cell(slot)
        return _coordinate_of(lambda coordinate: float(self._slot(coordinate)), slot, (start + stop) / 2)

    def nearest(self, value: Value) -> Any:
        """The point nearest to a value; the first one, where options have no order."""
        slot = self._index(value)
        return self.values[0 if slot is None else slot]

    def beside(self, value: Value, by: int) -> Any:
        """The point that stands `by` places behind that of a value (before it, if negative), or the last one there."""
        slot = self._index(value)
        return value if slot is None else self.values[min(max(slot + by, 0), len(self.values) - 1)]

    def _slot(self, coordinate: float) -> int:
        last = len(self.values) - 1
        if last == 0 or coordinate >= 1:
            return last
        if self.weights:
            ends = list(accumulate(self.weights))
            return min(bisect_right(ends, coordinate * ends[-1]), last)
        if not self.log:
            return min(int(coordinate * (last + 1)), last)
        start, stop = self._edge(0), self._edge(last + 1)
        value = start * math.exp(coordinate * (math.log(stop) - math.log(start)))
        slot = min(max(bisect_right(self.values, value) - 1, 0), last)
        return slot + 1 if slot < last and value >= self._edge(slot + 1) else slot

    def _cell(self, slot: int) -> tuple[float, float]:
        """Where a point's cell starts and stops in [0, 1]."""
        count = len(self.values)
        if self.weights:
            ends = [0.0, *accumulate(self.weights)]
            return ends[slot] / ends[-1], ends[slot + 1] / ends[-1]
        if not self.log or count == 1:
            return slot / count, (slot + 1) / count
        start, width = math.log(self._edge(0)), math.log(self._edge(count)) - math.log(self._edge(0))
        return (math.log(self._edge(slot)) - start) / width, (math.log(self._edge(slot + 1)) - start) / width

    def _edge(self, slot: int) -> float:
        """The value at which the cell of a log point starts: half way from its neighbour, v - 0.5 for whole numbers."""
        if 0 < slot < len(self.values):
            return float(self.values[slot - 1] + self.values[slot]) / 2
        if slot > 0:
            return float(self.high + (self.high - self.values[-2]) / 2)
        half = (self.values[1] - self.low) / 2
        # Half a step below the first point may reach 0: mirror the upper edge in log space instead.
        return float(self.low - half if half < self.low else self.low * self.low / (self.low + half))

    def _index(self, value: Value) -> int | None:
        """The slot of a value, or of the nearest point; None for an option that cannot be drawn."""
        if not isinstance(self.values, tuple):
            assert isinstance(value, int | float), "only options can be anything else than numbers"
            slot = bisect_left(self.values, value)
            near = [at for at in (slot - 1, slot) if 0 <= at < len(self.values)]
            return min(near, key=lambda at: float(abs(self.values[at] - value)))
        for slot, option in enumerate(self.values):
            if identical(option, value):
                return slot
        if not isinstance(value, int | float) or not all(map(is_number, (value, *self.values))):
            return None
        return min(range(len(self.values)), key=lambda at: float(abs(self.values[at] - value)))


def _floats(low: float, high: float) -> Iterator[float]:
    """All floats from low to high, increasing."""
    value = low
    while value <= high:
        yield value
        value = math.nextafter(value, math.inf)


def _decimals(low: float, high: float) -> Iterator[float]:
    """The numbers of DIGITS significant digits from low to high, both at least 0, increasing from the first above 0."""
    start = exact(low) if low > 0 else exact(sys.float_info.min)
    power = math.floor(math.log10(start)) - DIGITS + 1
    count = math.ceil(start / Fraction(10) ** power)
    while (value := count * Fraction(10) ** power) <= exact(high):
        yield float(value)
        count += 1
        if count >= 10**DIGITS:
            count, power = count // 10, power + 1


Domain: TypeAlias = Continuous | Points
D = TypeVar("D", Continuous, Points)


def options_domain(options: Sequence[Value], weights: Sequence[float], conditions: Sequence[Condition]) -> Points:
    """The options that can be drawn: those with a weight above 0 that satisfy every condition with a number."""
    kept = [
        (option, weight)
        for option, weight in zip(options, weights or [1.0] * len(options), strict=True)
        if weight > 0 and all(_fits(option, condition) for condition in conditions)
    ]
    return Points(tuple(option for option, _ in kept), tuple(weight for _, weight in kept) if weights else ())


def interval_domain(low: Number, high: Number, log: bool, conditions: Sequence[Condition]) -> Continuous:
    """The floats of an interval that satisfy the comparisons with numbers; `above` and `below` take the other bounds.

    A strict comparison that touches a linear interval leaves a margin of MARGIN of it. On a log scale the caller has
    made sure that no comparison touches it.
    """
    whole = Continuous(float(low), float(high), log)
    for condition in conditions:
        if condition.operator in {">=", "<="} and not isinstance(condition.operand, str):
            whole = _cut(whole, condition.operator, condition.operand)
    cut = whole
    for condition in conditions:
        bound = condition.operand
        if isinstance(bound, str):
            continue
        if condition.operator == ">" and bound >= whole.low:
            margin = MARGIN * (whole.high - bound)
            cut = cut.above(max(bound + margin, math.nextafter(bound, math.inf)), strict=False)
        elif condition.operator == "<" and bound <= whole.high:
            margin = MARGIN * (bound - whole.low)
            cut = cut.below(min(bound - margin, math.nextafter(bound, -math.inf)), strict=False)
    return cut


def grid_domain(
    bounds: tuple[Number, Number], spacing: Number | None, log: bool, whole: bool, conditions: Sequence[Condition]
) -> Points | None:
    """The points low, low + spacing, ... that satisfy every condition with a number; None where they are too many.

    Without a `spacing` the multiples or powers among the conditions make the grid. With `whole`, points are ints.
    Powers all have cells of the same width, which is uniform in their logarithm, whatever `log` is.
    """
    literal = [(condition.operator, condition.operand) for condition in conditions if condition.other is None]
    multiples = [operand for operator, operand in literal if operator == "/" and not isinstance(operand, str)]
    bases = [int(operand) for operator, operand in literal if operator == "^"]
    low, high = exact(bounds[0]), exact(bounds[1])
    lattice = None if spacing is None else (low, exact(spacing))
    for multiple in multiples:
        lattice = (Fraction(0), exact(multiple)) if lattice is None else _meet(*lattice, exact(multiple))
        if lattice is None:
            return Points(())
    points: Points | None
    if bases:
        powers = [power for power in _powers(low, high, bases[0], whole) if all(is_power(power, b) for b in bases)]
        kept = [p for p in powers if lattice is None or on_grid(p, *lattice)]
        points = Points(tuple(kept))
    else:
        assert lattice is not None, "a grid needs a spacing, a multiple or a power"
        points = _lattice_points(low, high, lattice, log, whole)
    if points is None:
        return None
    for operator, operand in literal:
        if not isinstance(operand, str):
            points = _cut(points, operator, operand)
    return points


def _cut(domain: D, operator: str, bound: Number) -> D:
    """What is left of a domain after a comparison; other operators leave all of it."""
    if operator in {">", ">="}:
        return domain.above(bound, operator == ">")
    return domain.below(bound, operator == "<") if operator in {"<", "<="} else domain


def _fits(option: Any, condition: Condition) -> bool:
    return isinstance(condition.operand, str) or condition.holds(option, condition.operand)


def _meet(anchor: Fraction, spacing: Fraction, multiple: Fraction) -> tuple[Fraction, Fraction] | None:
    """Where anchor + i * spacing meets the multiples: again (anchor, spacing), or None where they never meet."""
    scale = math.lcm(anchor.denominator, spacing.denominator, multiple.denominator)
    start, step, factor = (int(number * scale) for number in (anchor, spacing, multiple))
    common = math.gcd(step, factor)
    if start % common:
        return None
    steps = -start // common * pow(step // common, -1, factor // common) % (factor // common)
    return Fraction(start + steps * step, scale), Fraction(step * factor // common, scale)


def _lattice_points(
    low: Fraction, high: Fraction, lattice: tuple[Fraction, Fraction], log: bool, whole: bool
) -> Points | None:
    anchor, spacing = lattice
    first, last = math.ceil((low - anchor) / spacing), math.floor((high - anchor) / spacing)
    if last - first >= MOST_POINTS:
        return None
    scale = math.lcm(anchor.denominator, spacing.denominator)
    start, step = int((anchor + first * spacing) * scale), int(spacing * scale)
    ticks = range(start, start + (last - first + 1) * step, step)
    return Points(ticks if whole else Ticks(ticks, scale), log=log)


def _powers(low: Fraction, high: Fraction, base: int, whole: bool) -> list[Number]:
    """The powers of a base from low to high, increasing; only whole ones where `whole` is true."""
    powers: list[Number] = []
    power = Fraction(1)
    while not whole and power / base >= low:
        power /= base
    while power <= high:
        if power >= low:
            powers.append(int(power) if whole else float(power))
        power *= base
    return powers


def _coordinate_of(function: Callable[[float], float], target: Number, guess: float) -> float:
    """A coordinate at which a never decreasing function returns the target, by bisection; `guess` where none does."""
    if function(guess) == target:
        return guess
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        value = function(middle)
        if value == target:
            return middle
        low, high = (middle, high) if value < target else (low, middle)
    return guess
