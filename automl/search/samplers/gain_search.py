"""An acquisition function is searched in the space itself: from random configurations and from the best trials, by
steps that exchange an option or move some coordinates, cell by cell where there are cells.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from automl.search.surrogates.features import Features, Rows
from automl.search.surrogates.warp import Array

WALKS = 6  # local searches at once
_ROUNDS = 10
_NEIGHBOURS = 24  # of each walk in a round
_KEPT = 64  # choices that are handed on, in case the first ones were tried


def searched(
    features: Features, gain: Callable[[Rows], Array], best: Rows, candidates: int, rng: np.random.Generator
) -> Rows:
    """Rows in the order of their gain, the greatest first."""
    rows = features.draw(candidates, rng)
    near = features.settled(_moved(features, np.repeat(best, 16, axis=0), 0.1, rng))
    rows = np.vstack([rows, near])
    gains = gain(rows)
    order = np.argsort(-gains, kind="stable")[:WALKS]
    at, height = rows[order], gains[order]
    seen, heights = [rows], [gains]
    for turn in range(_ROUNDS):
        around = features.settled(_moved(features, np.repeat(at, _NEIGHBOURS, axis=0), 0.2 * 0.6**turn, rng))
        gains = gain(around)
        seen.append(around)
        heights.append(gains)
        top = gains.reshape(len(at), -1).argmax(axis=1) + np.arange(len(at)) * _NEIGHBOURS
        better = gains[top] > height
        at, height = np.where(better[:, None], around[top], at), np.where(better, gains[top], height)
    rows, gains = np.vstack(seen), np.concatenate(heights)
    return rows[np.argsort(-gains, kind="stable")[:_KEPT]]


def _moved(features: Features, rows: Rows, step: float, rng: np.random.Generator) -> Rows:
    """Neighbours of the rows: in each about two axes change, an option for another, a coordinate by about a step."""
    rows = rows.copy()
    count, axes = rows.shape
    change = rng.random((count, axes)) < min(1.0, 1.5 / axes)
    change[np.arange(count), rng.integers(axes, size=count)] = True
    draws, sizes = rng.standard_normal((count, axes)), rng.random((count, axes))
    for place, axis in enumerate(features.axes):
        changing = change[:, place]
        if axis.options:
            column = rows[:, place]
            fresh = np.floor(sizes[:, place] * axis.options)
            rows[:, place] = np.where(changing, fresh, column)
        else:
            width = max(step, 1.5 / len(axis.centres) if axis.centres else 0.0)  # a step that leaves the cell
            rows[:, place] = np.where(changing, rows[:, place] + width * draws[:, place], rows[:, place])
    return rows
