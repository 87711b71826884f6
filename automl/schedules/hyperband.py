"""Hyperband as TAO runs it (Tables 2 and 3 of its page): many short trainings, the best of which go on.

Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar: Hyperband (JMLR 18, 2018), algorithm 1. Stage s starts
n = floor((s_max + 1) / (s + 1)) nu^s experiments at r = floor(R / nu^s); its rung i keeps floor(n nu^-i) of them at
r nu^i. TAO leaves out stage s = 0, which is random search; `random_stage` puts it back, as in the paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from automl.errors import InvalidInput
from automl.plan import Plan, Rung, Stage

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

    Its own table of estimates keeps to the rule for some networks only, hence the switches. Raises InvalidInput when
    R would fall below nu, where no stage is left.
    """
    if lower:  # what is beyond gives less than 3 epochs for sure: no need to come down from a million one by one
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

    epoch_multiplier: epochs of one unit of resource: a whole number; "auto", TAO's adjustment from max_epochs, which
    overshoots; or "budget", where the longest training gets exactly max_epochs. floor_multiplier and lower_R are the
    switches of "auto".
    """

    R: int = 27
    nu: int = 3
    epoch_multiplier: int | Literal["auto", "budget"] = "auto"
    max_epochs: int = 80
    random_stage: bool = False
    floor_multiplier: bool = True
    lower_R: bool = True  # noqa: N815

    def plan(self) -> Plan:
        if not 2 <= self.nu <= self.R <= MOST_UNITS:
            raise InvalidInput(
                f"nu: {self.nu} with R: {self.R}",
                allowed=f"whole numbers with 2 <= nu <= R <= {MOST_UNITS:,}",
                advice="the usual pair is R: 27, nu: 3",
            )
        if not 1 <= self.max_epochs <= MOST_EPOCHS:
            raise InvalidInput(f"max_epochs: {self.max_epochs}", allowed=f"whole numbers from 1 to {MOST_EPOCHS:,}")
        if isinstance(self.epoch_multiplier, int) and not 1 <= self.epoch_multiplier <= MOST_EPOCHS:
            raise InvalidInput(
                f"epoch_multiplier: {self.epoch_multiplier}",
                allowed=f"whole numbers from 1 to {MOST_EPOCHS:,}, auto, or budget",
            )
        notes: list[str] = []
        R, multiplier = self.R, None  # noqa: N806
        if self.epoch_multiplier == "auto":
            adjusted = adjust(R, self.nu, self.max_epochs, floor=self.floor_multiplier, lower=self.lower_R)
            if adjusted.R != R:
                notes.append(f"R lowered from {R} to {adjusted.R} for max_epochs = {self.max_epochs}")
            R, multiplier = adjusted.R, adjusted.multiplier  # noqa: N806
            notes.append(f"epoch_multiplier = {multiplier:g}, from max_epochs = {self.max_epochs}")
        elif self.epoch_multiplier != "budget":
            multiplier = float(self.epoch_multiplier)
        stages = self._stages(R, multiplier)
        top = max(stage.schedule_epochs for stage in stages)
        if self.epoch_multiplier == "auto" and top != self.max_epochs:
            notes.append(f"the longest training gets {top} epochs, not {self.max_epochs}; 'budget' keeps to it")
        return Plan(stages, multiplier, tuple(notes))

    def _stages(self, R: int, multiplier: float | None) -> tuple[Stage, ...]:  # noqa: N803
        s_max = largest_stage(R, self.nu)
        brackets = range(s_max, -1 if self.random_stage else 0, -1)
        longest = max((R // self.nu**s * self.nu**s for s in brackets), default=R)
        stages: list[Stage] = []
        first = 0
        for index, s in enumerate(brackets):
            size = (s_max + 1) // (s + 1) * self.nu**s
            rungs = tuple(
                Rung(i, size // self.nu**i, self._epochs(units, multiplier, longest), units, new=i == 0)
                for i, units in enumerate(R // self.nu**s * self.nu**i for i in range(s + 1))
            )
            stages.append(Stage(index, f"s={s}", "search", first, rungs))
            self._check_growth(rungs)
            first += size
        return tuple(stages)

    def _epochs(self, units: int, multiplier: float | None, longest: int) -> int:
        if multiplier is None:  # budget: the longest training gets max_epochs, the others their share, half up
            return max(1, (2 * units * self.max_epochs + longest) // (2 * longest))
        return max(1, math.floor(units * multiplier + 0.5))

    def _check_growth(self, rungs: tuple[Rung, ...]) -> None:
        for before, rung in pairwise(rungs):
            if rung.epochs <= before.epochs:
                raise InvalidInput(
                    f"max_epochs: {self.max_epochs} leaves two rungs that end at epoch {rung.epochs} with R: {self.R}",
                    allowed="a budget that grows from rung to rung",
                    advice="raise max_epochs or lower R",
                )
