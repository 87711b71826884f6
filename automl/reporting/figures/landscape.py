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

    axes: across, up. points: of the experiments, shape (n, 2), from 0 to 1 on each axis. near: where there are any.
    """

    axes: tuple[Axis, Axis]
    points: Numbers
    values: Numbers
    near: NDArray[numpy.bool_]

    def height(self) -> Numbers:
        """The values from 0, the worst that is drawn, to 1, the best."""
        low, high = float(self.values[self.near].min()), float(self.values[self.near].max())
        found: Numbers = (self.values - low) / ((high - low) or 1.0)
        return found


def landscape(facts: Facts, found: tuple[Importance, ...]) -> Landscape | None:
    """The map of the two that matter most; None where there are fewer than two or too few experiments have both."""
    if len(found) < 2:
        return None
    one, other = found[0].axis, found[1].axis
    experiments, ranks = judged(facts)
    pairs = [(one.place(each.experiment.values), other.place(each.experiment.values)) for each in experiments]
    known = [place is not None and up is not None for place, up in pairs]
    if sum(known) < LEAST:
        return None
    points = numpy.array([pair for pair, both in zip(pairs, known, strict=True) if both], dtype=float)
    values, near = _smoothed(points, ranks[known], (one, other))
    return Landscape((one, other), points, values, near)


def _smoothed(points: Numbers, ranks: Numbers, axes: tuple[Axis, Axis]) -> tuple[Numbers, NDArray[numpy.bool_]]:
    """Kernel means of the ranks on a grid (Nadaraya 1964, Watson 1964), and where there is anything near.

    Shapes (up, across). Options are not neighbours: there the kernel is the cell of one option.
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
    found = (up * ranks) @ across.T / numpy.maximum(total, math.ulp(1.0))
    return found, near
