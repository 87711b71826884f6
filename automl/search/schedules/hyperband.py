"""Hyperband as TAO runs it (Tables 2 and 3 of its page): many short trainings, the best of which go on.

Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar: Hyperband (JMLR 18, 2018), algorithm 1. Stage s starts
n = floor((s_max + 1) / (s + 1)) nu^s experiments at r = floor(R / nu^s); its rung i keeps floor(n nu^-i) of them at
r nu^i. TAO leaves out stage s = 0, which is random search; `random_stage` puts it back, as in the paper.

Where no R is known to be enough, it grows from one run to the next (the paper's infinite horizon): `larger`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from automl.errors import InvalidInput
from automl.search.plan import Plan, Rung, Stage, StageKind

LEAST_MULTIPLIER = 3  # TAO lowers R until a unit of resource is at least three epochs
MOST_EPOCHS, MOST_UNITS = 1_000_000, 1_000_000_000
_TIE = 1e-9  # a multiplier this near a whole number is that number: E^(ln nu / ln R) is exact only on paper


@dataclass(frozen=True)
class Adjusted:
    """R and the epochs of one unit of resource, after TAO's automatic adjustment."""

    R: int
    multiplier: float


def adjust(R: int, nu: int, max_epochs: int, *, floor: bool = True, lower: bool = True) -> Adjusted:  # noqa: N803
    """TAO's rule: m = max_epochs^(ln nu / ln R), floored; while m < 3, R falls by 1.

    TAO's table of estimates follows the rule for some networks only, hence the switches. Raises InvalidInput when R
    would fall below nu, where no stage is left.
    """
    if lower:  # a larger R surely gives less than 3 epochs: no need to count down from a million one by one
        R = min(R, max(nu, math.ceil(max_epochs ** math.log(nu, LEAST_MULTIPLIER)) + 1))  # noqa: N806
    while True:
        multiplier = max_epochs ** (math.log(nu) / math.log(R))
        nearest = round(multiplier)
        if abs(multiplier - nearest) < _TIE * nearest:
            multiplier = float(nearest)
        if not lower or multiplier >= LEAST_MULTIPLIER:
            return Adjusted(R, float(math.floor(multiplier)) if floor else multiplier)
        if nu >= R:
            raise InvalidInput(
                f"max_epochs: {max_epochs} is too few for epoch_multiplier: auto with nu: {nu}",
                allowed=f"max_epochs that give at least {LEAST_MULTIPLIER} epochs a unit at R >= {nu}",
                advice="raise max_epochs, or give epoch_multiplier as a number or 'budget'",
            )
        R -= 1  # noqa: N806


def largest_stage(R: int, nu: int) -> int:  # noqa: N803
    """s_max: the largest s with nu^s <= R, by integers (a floating logarithm loses a stage at R = 243)."""
    s_max = 0
    while nu ** (s_max + 1) <= R:
        s_max += 1
    return s_max


@dataclass(frozen=True)
class Hyperband:
    """Settings of Hyperband.

    `epoch_multiplier` is the number of epochs in one unit of resource: a whole number; "auto", TAO's adjustment from
    max_epochs, which overshoots; or "budget", where the longest training gets exactly max_epochs. It is a fraction
    where a search with "budget" was extended to a larger R. `floor_multiplier` and `lower_R` are the switches of
    "auto".
    """

    R: int = 27
    nu: int = 3
    epoch_multiplier: float | Fraction | Literal["auto", "budget"] = "auto"
    max_epochs: int = 80
    random_stage: bool = False
    floor_multiplier: bool = True
    lower_R: bool = True  # noqa: N815

    def plan(self) -> Plan:
        self._check()
        R, unit = self.resource, self.unit  # noqa: N806
        stages = self._stages(R, unit)
        notes: list[str] = []
        if R != self.R:
            notes.append(f"R lowered from {self.R} to {R} for max_epochs = {self.max_epochs}")
        plan = Plan(stages, None if isinstance(unit, Fraction) else unit, resource=R)
        if self.epoch_multiplier == "auto":
            notes.append(f"epoch_multiplier = {unit:g}, from max_epochs = {self.max_epochs}")
            if (top := plan.longest) != self.max_epochs:
                notes.append(f"the longest training gets {top} epochs, not {self.max_epochs}; 'budget' keeps to it")
        return replace(plan, notes=tuple(notes))

    @property
    def resource(self) -> int:
        """R, after TAO's adjustment if epoch_multiplier is "auto"."""
        return self._adjusted().R if self.epoch_multiplier == "auto" else self.R

    @property
    def unit(self) -> float | Fraction:
        """The epochs of one unit of resource: a fraction where it follows from max_epochs by "budget"."""
        if isinstance(self.epoch_multiplier, Fraction):
            return self.epoch_multiplier
        if isinstance(self.epoch_multiplier, int | float):
            return float(self.epoch_multiplier)
        if self.epoch_multiplier == "auto":
            return self._adjusted().multiplier
        return Fraction(self.max_epochs, self._most_units(self.R))

    def larger(self, R: int) -> Hyperband:  # noqa: N803
        """The same with a larger R. A unit of resource keeps its epochs, so that results are comparable.

        So max_epochs grows with R, whatever epoch_multiplier says. Raises InvalidInput when no training would be
        longer.
        """
        before, now = self.resource, self.plan().longest
        advice = f"R: {before * self.nu} makes the longest training {self.nu} times as long"
        if before >= R:
            raise InvalidInput(
                f"R: {R}, where the search has R: {before}", allowed=f"a number above {before}", advice=advice
            )
        grown = replace(self, R=R, epoch_multiplier=self.unit)
        top = grown.plan().longest
        if top <= now:
            raise InvalidInput(
                f"R: {R}: its longest training would have {top} epochs, and that of R: {before} has {now}",
                allowed="an R with longer trainings",
                advice=advice,
            )
        if top > MOST_EPOCHS:
            raise InvalidInput(
                f"R: {R}: its longest training would have {top:,} epochs", allowed=f"up to {MOST_EPOCHS:,}"
            )
        return grown

    def _adjusted(self) -> Adjusted:
        return adjust(self.R, self.nu, self.max_epochs, floor=self.floor_multiplier, lower=self.lower_R)

    def _check(self) -> None:
        if not 2 <= self.nu <= self.R <= MOST_UNITS:
            raise InvalidInput(
                f"nu: {self.nu} with R: {self.R}",
                allowed=f"whole numbers with 2 <= nu <= R <= {MOST_UNITS:,}",
                advice="the usual pair is R: 27, nu: 3",
            )
        if not 1 <= self.max_epochs <= MOST_EPOCHS:
            raise InvalidInput(f"max_epochs: {self.max_epochs}", allowed=f"whole numbers from 1 to {MOST_EPOCHS:,}")
        if isinstance(self.epoch_multiplier, int | float) and not 1 <= self.epoch_multiplier <= MOST_EPOCHS:
            raise InvalidInput(
                f"epoch_multiplier: {self.epoch_multiplier}",
                allowed=f"whole numbers from 1 to {MOST_EPOCHS:,}, auto, or budget",
            )

    def _brackets(self, R: int) -> range:  # noqa: N803
        return range(largest_stage(R, self.nu), -1 if self.random_stage else 0, -1)

    def _most_units(self, R: int) -> int:  # noqa: N803
        """The units of resource of the longest training."""
        return max((R // self.nu**s * self.nu**s for s in self._brackets(R)), default=R)

    def _stages(self, R: int, unit: float | Fraction) -> tuple[Stage, ...]:  # noqa: N803
        s_max = largest_stage(R, self.nu)
        stages: list[Stage] = []
        first = 0
        for index, s in enumerate(self._brackets(R)):
            size = (s_max + 1) // (s + 1) * self.nu**s
            rungs = tuple(
                Rung(i, size // self.nu**i, _epochs(units, unit), units, new=i == 0)
                for i, units in enumerate(R // self.nu**s * self.nu**i for i in range(s + 1))
            )
            stages.append(Stage(index, f"s={s}", StageKind.SEARCH, first, rungs))
            self._check_growth(rungs)
            first += size
        return tuple(stages)

    def _check_growth(self, rungs: tuple[Rung, ...]) -> None:
        for before, rung in pairwise(rungs):
            if rung.epochs <= before.epochs:
                raise InvalidInput(
                    f"max_epochs: {self.max_epochs} leaves two rungs that end at epoch {rung.epochs} with R: {self.R}",
                    allowed="a budget that grows from rung to rung",
                    advice="another R"
                    if isinstance(self.epoch_multiplier, Fraction)
                    else "raise max_epochs or lower R",
                )


def _epochs(units: int, unit: float | Fraction) -> int:
    """The epochs of `units` units of resource, rounded half up."""
    exact = units * unit + Fraction(1, 2) if isinstance(unit, Fraction) else units * unit + 0.5
    return max(1, math.floor(exact))
