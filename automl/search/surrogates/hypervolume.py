"""How much hypervolume an untried point is expected to add to a front, by independent normal beliefs; exact.

The region that a front leaves undominated falls into the cells of a grid through its points. A point's share of a cell
is a product over the objectives, so its expectation is a product of expected improvements, of which every objective has
a difference at the two ends of the cell (Emmerich, Deutz & Klinkenberg 2011; Yang, Emmerich, Deutz & Bäck 2019). Every
number is a loss: smaller is better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from automl.search.surrogates.warp import Array

MOST_OBJECTIVES = 3  # beyond, a grid has too many cells
_MOST_CELLS = 20_000


def most_points(objectives: int) -> int:
    """The most points of a front that a grid of so many objectives has room for."""
    return int(_MOST_CELLS ** (1 / objectives)) - 1 if objectives > 2 else _MOST_CELLS


def expected_gain(means: Array, deviations: Array, front: Array, reference: Sequence[float]) -> Array:
    """The hypervolume that each row is expected to add. Means and deviations have the shape (rows, objectives).

    `front` has the shape (points, objectives), and all its points are better than the reference.
    """
    objectives = means.shape[1]
    if objectives == 2:
        return _gain_of_two(means, deviations, front, reference)
    parts, cuts = [], []
    for place in range(objectives):
        ends = np.unique(np.append(front[:, place], reference[place]))
        improvement = _improvement(ends, means[:, place], deviations[:, place])
        parts.append(np.diff(improvement, axis=1, prepend=0.0))
        cuts.append(ends)
    # a cell reaches from below up to its upper end; the front dominates it where a point is below its lower end
    lower = [np.concatenate([[-np.inf], ends[:-1]]) for ends in cuts]
    dominated = np.zeros([len(ends) for ends in cuts], dtype=bool)
    for point in front:
        inside = [low >= number for low, number in zip(lower, point, strict=True)]
        dominated |= np.logical_and.outer(np.logical_and.outer(inside[0], inside[1]), inside[2])
    gains = np.einsum("ri,rj,rk,ijk->r", *parts, (~dominated).astype(float), optimize=True)
    return np.asarray(np.maximum(gains, 0.0))


def _gain_of_two(means: Array, deviations: Array, front: Array, reference: Sequence[float]) -> Array:
    """The same by strips along the first objective, each up to the height of the front there."""
    inside = front[np.lexsort((front[:, 1], front[:, 0]))]
    best = np.minimum.accumulate(inside[:, 1])
    inside = inside[np.concatenate([[True], inside[1:, 1] < best[:-1]])]
    ends = np.append(inside[:, 0], reference[0])
    heights = np.concatenate([[reference[1]], inside[:, 1]])
    across = np.diff(_improvement(ends, means[:, 0], deviations[:, 0]), axis=1, prepend=0.0)
    up = _improvement(heights, means[:, 1], deviations[:, 1])
    return np.asarray((across * up).sum(axis=1))


def _improvement(ends: Array, mean: Array, deviation: Array) -> Array:
    """The improvement that is expected below each of the ends, shape (rows, ends)."""
    z = (ends - mean[:, None]) / deviation[:, None]
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return np.asarray(np.maximum(deviation[:, None] * (z * ndtr(z) + density), 0.0))
