"""Turns scores into what a Gaussian process expects, standardised and nearly Gaussian targets to minimise, and back.

One diverged training would flatten the differences between all others, so the bad tail is clipped; the rest is bent by
the power transform of Yeo & Johnson (2000) that makes it most Gaussian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import boxcox1p, inv_boxcox1p
from scipy.stats import yeojohnson_llf

from automl.search.surrogates.warp import LARGEST, clipped

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

_SMALLEST_SPREAD = 1e-150  # below, squares lose their digits
_FEWEST = 5  # below it the shape of a distribution is a guess


@dataclass(frozen=True)
class ScoreTransform:
    """Scores (larger is better) to targets (smaller is better; mean 0 and deviation 1 over the fitted scores) and back.

    A loss is a negated score, clipped at `limit`. (loss - centre) / spread goes through Yeo-Johnson with `power`, and
    is then standardised by `mean` and `deviation`.
    """

    limit: float
    centre: float
    spread: float
    power: float
    mean: float
    deviation: float

    @classmethod
    def fit(cls, scores: Array, tail: float) -> ScoreTransform | None:
        """The warp of finite scores, shape (n,), n >= 1; None when they are all equal.

        Losses that are more than `tail` interquartile ranges above the median are clipped there.
        """
        clip = clipped(-scores, tail)
        if clip is None:
            return None
        losses, limit = clip
        centre, spread = float(losses.mean()), _deviation(losses)
        power = _most_gaussian((losses - centre) / spread)
        bent = _yeo_johnson((losses - centre) / spread, power)
        return cls(limit, centre, spread, power, float(bent.mean()), float(bent.std()))

    def targets(self, scores: Array) -> Array:
        losses = np.clip(-scores, -LARGEST, self.limit)
        return np.asarray((_yeo_johnson((losses - self.centre) / self.spread, self.power) - self.mean) / self.deviation)

    def scores(self, targets: Array) -> Array:
        """The scores of targets, clipped ones at the limit. Targets may lie beyond all that were fitted."""
        bent = targets * self.deviation + self.mean
        return -(_inverse_yeo_johnson(bent, self.power) * self.spread + self.centre)


def _deviation(losses: Array) -> float:
    """The standard deviation, above 0 even where the squares of the differences underflow."""
    spread = float(losses.std())
    width = float(np.ptp(losses))
    return spread if spread > _SMALLEST_SPREAD or width == 0 else float((losses / width).std() * width) or width


def _most_gaussian(values: Array) -> float:
    """The most likely power from 0 to 2, the range in which the transform has an inverse everywhere."""
    if len(values) < _FEWEST:
        return 1.0
    minimum = minimize_scalar(lambda power: -yeojohnson_llf(power, values), bounds=(0.0, 2.0), method="bounded")
    return float(minimum.x)


def _yeo_johnson(values: Array, power: float) -> Array:
    above, below = np.maximum(values, 0.0), np.maximum(-values, 0.0)
    return np.asarray(boxcox1p(above, power) - boxcox1p(below, 2.0 - power))


def _inverse_yeo_johnson(bent: Array, power: float) -> Array:
    above, below = np.maximum(bent, 0.0), np.maximum(-bent, 0.0)
    return np.asarray(inv_boxcox1p(above, power) - inv_boxcox1p(below, 2.0 - power))
