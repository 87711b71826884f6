"""Configurations as rows of numbers that a model learns from and a search of its acquisition function moves in.

A row has one entry for every coordinate of the unit cube that can vary: where there is an order the coordinate itself,
for a discrete one the centre of its cell; where there is none the number of the option. What a conditional parameter
has while it does not exist is the same in every row: 0.5, or option -1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from automl.problem.conditions import Activation
from automl.problem.domains import Continuous, Points
from automl.problem.search_space import Cube, SearchSpace

Rows: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]  # shape (configurations, axes)

ABSENT = -1.0  # the option of a categorical parameter that does not exist
_MIDDLE = 0.5
_MOST_CELLS = 512  # beyond, the cells are so narrow that any coordinate will do


@dataclass(frozen=True)
class Axis:
    """A coordinate that can vary. `centres` are those of its cells, empty for an interval.

    `options` is the number of options where there is no order, else 0; `shares` their probabilities.
    """

    column: int
    parameter: str
    centres: tuple[float, ...]
    options: int
    shares: tuple[float, ...]


class Features:
    """The map between values, cubes and rows of one space."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.axes = tuple(_axes(space))
        self.numeric = np.array([place for place, axis in enumerate(self.axes) if not axis.options], dtype=int)
        self.categorical = np.array([place for place, axis in enumerate(self.axes) if axis.options], dtype=int)
        self._switches = {p.name: p.active_when for p in space.parameters if p.active_when}
        self._cells = {axis.parameter: place for place, axis in enumerate(self.axes) if axis.centres}
        self._domains = {p.name: p.domain for p in space.parameters}

    def row(self, values: Mapping[str, Any], cube: Cube) -> list[float]:
        """The row of a configuration, given both as values and as its cube."""
        return [
            cube[axis.column]
            if not axis.options
            else _nearest(axis, cube[axis.column])
            if axis.parameter in values
            else ABSENT
            for axis in self.axes
        ]

    def cube(self, row: Rows) -> Cube:
        """The point of the unit cube that a row means."""
        cube = [_MIDDLE] * self.space.size
        for axis, entry in zip(self.axes, row.tolist(), strict=True):
            if not axis.options:
                cube[axis.column] = min(max(entry, 0.0), 1.0)
            elif entry != ABSENT:
                cube[axis.column] = axis.centres[int(entry)]
        return tuple(cube)

    def draw(self, count: int, rng: np.random.Generator) -> Rows:
        """Random rows, uniform in the unit cube."""
        rows = rng.random((count, len(self.axes)))
        for place in self.categorical:
            shares = np.cumsum(self.axes[place].shares)
            rows[:, place] = np.minimum(np.searchsorted(shares, rows[:, place], side="right"), len(shares) - 1)
        return self.settled(rows)

    def settled(self, rows: Rows) -> Rows:
        """The rows with every ordered coordinate at the centre of its cell, and nothing where a parameter is absent."""
        rows = rows.copy()
        for place in self.numeric:
            rows[:, place] = np.clip(rows[:, place], 0.0, 1.0)
            if centres := self.axes[place].centres:
                rows[:, place] = np.asarray(centres)[_nearest_cells(centres, rows[:, place])]
        presence: dict[str, Any] = {}
        for place, axis in enumerate(self.axes):
            present = self._present(axis.parameter, rows, presence)
            if present is not None:
                rows[:, place] = np.where(present, rows[:, place], ABSENT if axis.options else _MIDDLE)
        return rows

    def embedded(self, rows: Rows, weights: Rows) -> Rows:
        """Points whose squared distances are those of the rows, with a weight for each axis.

        Two options are one weight apart, an absent one half a weight from every other.
        """
        parts = [rows[:, self.numeric] * np.sqrt(weights[self.numeric])]
        for place in self.categorical:
            one_hot = rows[:, place][:, None] == np.arange(self.axes[place].options)
            parts.append(one_hot * np.sqrt(weights[place] / 2))
        return np.hstack(parts)

    def squared_differences(self, rows: Rows) -> Rows:
        """The squared distance of every two rows along each axis, shape (axes, rows, rows)."""
        out = np.empty((len(self.axes), len(rows), len(rows)))
        for place, axis in enumerate(self.axes):
            column = rows[:, place]
            if axis.options:
                absent = (column[:, None] == ABSENT) | (column == ABSENT)
                out[place] = (column[:, None] != column) * np.where(absent, 0.5, 1.0)
            else:
                out[place] = (column[:, None] - column) ** 2
        return out

    def _present(self, name: str, rows: Rows, presence: dict[str, Any]) -> Any:
        """Which rows have the parameter; None where all do, or where it hangs on what is no axis with cells."""
        if name not in self._switches:
            return None
        if name not in presence:
            presence[name] = None
            switch = self._switches[name]
            present = self._switched_on(switch, rows)
            above = self._present(switch.parameter, rows, presence)
            if present is not None:
                presence[name] = present if above is None else present & above
        return presence[name]

    def _switched_on(self, switch: Activation, rows: Rows) -> Any:
        if switch.parameter in self.space.constants:
            return np.full(len(rows), switch.holds(self.space.constants[switch.parameter]))
        domain = self._domains[switch.parameter]
        if switch.parameter not in self._cells:
            alone = isinstance(domain, Points) and len(domain.values) == 1
            return np.full(len(rows), switch.holds(domain.low)) if alone else None
        place = self._cells[switch.parameter]
        axis = self.axes[place]
        assert isinstance(domain, Points), "only listed values have cells"
        column = rows[:, place]
        cells = column.astype(int) if axis.options else _nearest_cells(axis.centres, column)
        holds = np.array([switch.holds(value) for value in domain.values])
        return holds[np.maximum(cells, 0)] & (column != ABSENT)


def _axes(space: SearchSpace) -> list[Axis]:
    domains = {parameter.name: parameter.domain for parameter in space.parameters}
    # A comparison moves the cells of the compared ones: their coordinates are parts of what is left of a range.
    compared = {
        name for p in space.parameters for c in p.conditions if c.other in domains for name in (p.name, c.other)
    }
    axes = []
    for column, dimension in enumerate(space.dimensions()):
        name, domain = dimension.parameter, domains[dimension.parameter]
        if isinstance(domain, Continuous):
            if domain.low < domain.high:
                axes.append(Axis(column, name, (), 0, ()))
        elif len(domain.values) > 1:
            unordered = dimension.categories is not None
            celled = unordered or (len(domain.values) <= _MOST_CELLS and name not in compared)
            centres = tuple(domain.place(value) for value in domain.values) if celled else ()
            weights = np.array(domain.weights or [1.0] * len(centres)) if unordered else np.array([])
            shares = tuple((weights / weights.sum()).tolist()) if unordered else ()
            axes.append(Axis(column, name, centres, len(centres) if unordered else 0, shares))
    return axes


def _nearest(axis: Axis, coordinate: float) -> float:
    return float(min(range(axis.options), key=lambda option: abs(axis.centres[option] - coordinate)))


def _nearest_cells(centres: Sequence[float], coordinates: Rows) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The cell of each coordinate; the centres increase."""
    between = (np.asarray(centres[1:]) + np.asarray(centres[:-1])) / 2
    return np.asarray(np.searchsorted(between, coordinates))
