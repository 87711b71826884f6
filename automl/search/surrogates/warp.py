"""Losses as a process wants them: clipped where bad, bent by the power that makes them most Gaussian, standardised.

The power transform is that of Yeo & Johnson (2000); it keeps the order of the losses. Unlike score_transform.py this
needs neither scipy.stats nor scipy.optimize, whose imports take most of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy.special import boxcox1p, inv_boxcox1p

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

LARGEST = 1e100  # beyond, the square of a difference overflows
_ROUNDING = 1e-12  # numbers that differ by less than this part of the median are equal
_FEWEST = 5  # below it the shape of a distribution is a guess
_TRIED = 61  # powers between those two, 0.05 apart: targets hardly change from one to the next
_POWERS = (-1.0, 2.0)  # below 0 large losses draw together: what a heavy bad tail needs


@dataclass(frozen=True)
class Warp:
    """Losses (smaller is better) to targets of mean 0 and deviation 1, and back. `limit` clips the bad tail."""

    limit: float
    centre: float
    spread: float
    power: float
    mean: float
    deviation: float

    @classmethod
    def fit(cls, losses: Array, tail: float) -> Warp | None:
        """The warp of finite losses, at least one; None where they are all equal.

        `tail` is how many interquartile ranges above the median a loss is clipped.
        """
        clip = clipped(losses, tail)
        if clip is None:
            return None
        losses, limit = clip
        centre, spread = float(losses.mean()), _deviation(losses)
        standard = (losses - centre) / spread
        power = _most_gaussian(standard)
        bent = _bent(standard, power)
        return cls(limit, centre, spread, power, float(bent.mean()), float(bent.std()) or 1.0)

    def targets(self, losses: Array) -> Array:
        standard = (np.clip(losses, -LARGEST, self.limit) - self.centre) / self.spread
        return np.asarray((_bent(standard, self.power) - self.mean) / self.deviation)

    def loss(self, target: float) -> float:
        """The loss of a target; where the transform has no inverse, the largest that was fitted."""
        bent = np.float64(target * self.deviation + self.mean)
        if bent < 0:
            return float(-inv_boxcox1p(-bent, 2.0 - self.power) * self.spread + self.centre)
        above = float(inv_boxcox1p(bent, self.power)) if 1 + self.power * bent > 0 else np.inf
        return min(float(above * self.spread + self.centre), self.limit)


def standardised(losses: Array, tail: float) -> Array:
    """Losses of one of several metrics as targets of mean 0 and deviation 1; zeros where they are all equal.

    They are clipped as `Warp` does and not bent: that draws apart what piles up at the best end of one metric, so that
    the ends of a front seem to be worth most.
    """
    clip = clipped(losses, tail)
    if clip is None:
        return np.zeros(len(losses))
    kept, _ = clip
    return np.asarray((kept - kept.mean()) / _deviation(kept))


def clipped(losses: Array, tail: float) -> tuple[Array, float] | None:
    """Losses without the worst tail, and the limit that they were clipped at; None where they are all equal.

    `tail` is how many interquartile ranges above the median the limit is.
    """
    losses = np.clip(losses, -LARGEST, LARGEST)
    low, median, high = np.quantile(losses, (0.25, 0.5, 0.75))
    rounding = _ROUNDING * abs(median)
    if np.ptp(losses) <= rounding:
        return None
    limit, scale = LARGEST, high - low
    if scale <= rounding:  # half or more are equal, and the nearest worse one gives the scale
        worse = losses[losses > median + rounding]
        scale = worse.min() - median if worse.size else 0.0
    if scale > 0:
        limit = float(median + tail * scale)
        losses = np.minimum(losses, limit)
    return losses, limit


def _deviation(losses: Array) -> float:
    """The standard deviation, above 0 also where the squares of the differences are below all floats."""
    width = float(np.ptp(losses))
    return (float(((losses - losses.min()) / width).std()) * width or width) if width > 0 else 1.0


def _most_gaussian(values: Array) -> float:
    """The power of greatest likelihood."""
    if len(values) < _FEWEST:
        return 1.0
    powers = np.linspace(*_POWERS, _TRIED)
    slopes = float((np.sign(values) * np.log1p(np.abs(values))).sum())
    variances = np.array([max(float(_bent(values, power).var()), 1e-300) for power in powers])
    return float(powers[np.argmin(0.5 * len(values) * np.log(variances) - (powers - 1) * slopes)])


def _bent(values: Array, power: float) -> Array:
    above, below = np.maximum(values, 0.0), np.maximum(-values, 0.0)
    return np.asarray(boxcox1p(above, power) - boxcox1p(below, 2.0 - power))
