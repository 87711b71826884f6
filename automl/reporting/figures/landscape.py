"""How good the values of the two most important parameters are together: a map of ranks, as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from automl.reporting.figures.facts import Axis, Facts
from automl.reporting.figures.importance import LEAST, Importance, judged
from automl.reporting.figures.scales import Options

CELLS = 56  # a side of the map
_REACH = 0.11  # of the kernel, as a part of an axis
_NEAR = 0.35  # of a whole experiment: what must lie near a cell for it to be drawn

Numbers = NDArray[numpy.float64]


@dataclass(frozen=True)
class Landscape:
    """The mean rank of the experiments around each cell, shape (CELLS up, CELLS across).

    `axes` are the horizontal and the vertical one. `points` are the experiments, shape (n, 2), from 0 to 1 on each
    axis. `near` marks the cells that have experiments near them.
    """

    axes: tuple[Axis, Axis]
    points: Numbers
    values: Numbers
    near: NDArray[numpy.bool_]

    def height(self) -> Numbers:
        """The values from 0, the worst that is drawn, to 1, the best."""
        low, high = float(self.values[self.near].min()), float(self.values[self.near].max())
        heights: Numbers = (self.values - low) / ((high - low) or 1.0)
        return heights


def landscape(facts: Facts, measured: tuple[Importance, ...]) -> Landscape | None:
    """The map of the two that matter most; None where there are fewer than two or too few experiments have both."""
    if len(measured) < 2:
        return None
    across, up = measured[0].axis, measured[1].axis
    experiments, ranks = judged(facts)
    pairs = [
        (across.place(candidate.experiment.values), up.place(candidate.experiment.values)) for candidate in experiments
    ]
    has_both = [x is not None and y is not None for x, y in pairs]
    if sum(has_both) < LEAST:
        return None
    points = numpy.array([pair for pair, both in zip(pairs, has_both, strict=True) if both], dtype=float)
    values, near = _smoothed(points, ranks[has_both], (across, up))
    return Landscape((across, up), points, values, near)


def _smoothed(points: Numbers, ranks: Numbers, axes: tuple[Axis, Axis]) -> tuple[Numbers, NDArray[numpy.bool_]]:
    """Kernel means of the ranks on a grid (Nadaraya 1964, Watson 1964), and which cells have experiments near them.

    Both have the shape (up, across). Options are not neighbours, so their kernel is the cell of one option.
    """
    centres = (numpy.arange(CELLS) + 0.5) / CELLS
    weights = []
    for column, axis in enumerate(axes):
        far = centres[:, None] - points[None, :, column]
        if isinstance(axis.scale, Options):
            weights.append((numpy.abs(far) <= 0.5 / len(axis.scale.options) + 1e-9).astype(float))
        else:
            weights.append(numpy.exp(-0.5 * (far / _REACH) ** 2))
    across, up = weights
    total = up @ across.T
    near = total > _NEAR
    means = (up * ranks) @ across.T / numpy.maximum(total, math.ulp(1.0))
    return means, near
