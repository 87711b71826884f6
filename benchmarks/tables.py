"""Recorded trainings as problems: a configuration is looked up instead of trained.

A table is a NumPy archive `NAME.npz`. `space` is JSON: for each parameter its name, a scale (log, lin, int, intlog or
cat) and either its levels or its bounds. `kind` is `grid`, where every cell was trained and a configuration snaps to
the nearest level of every parameter, or `points`, where random configurations `X` were trained and one takes the
nearest of them. Losses are `seeds` (configurations, seeds), or learning curves `err` or `loss` (configurations,
epochs), of which the best checkpoint counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from automl.problem.search_space import Parameter, SearchSpace
from benchmarks.problem import Array, Training, Values

_LEAST_WEIGHT = 0.1  # of a parameter that hardly matters, in the distance to recorded points


class Table:
    """A table of recorded trainings."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        with np.load(path, allow_pickle=False) as archive:
            self._scales: list[dict[str, Any]] = json.loads(str(archive["space"]))
            self._recorded = _losses(archive)
            self._curves = _curves(archive)
            points = np.asarray(archive["X"], dtype=float) if str(archive["kind"]) == "points" else None
        self._true = self._recorded.mean(axis=1)
        self.space = SearchSpace(tuple(_parameter(scale) for scale in self._scales))
        self._lookup = _Grid(self._scales) if points is None else _Points(self._scales, points, self._true)

    def train(self, values: Values, rng: np.random.Generator) -> Training:
        row = int(self._lookup.rows({name: [value] for name, value in values.items()})[0])
        seed = rng.integers(self._recorded.shape[1])
        return Training(float(self._recorded[row, seed]), float(self._true[row]))

    def nearest(self, values: Values) -> dict[str, Any]:
        """The cell of a grid that a configuration snaps to, with the levels of all its parameters."""
        row = int(self._lookup.rows({name: [value] for name, value in values.items()})[0])
        places = np.unravel_index(row, [len(scale["levels"]) for scale in self._scales])
        return {
            scale["name"]: scale["levels"][place] for scale, place in zip(self._scales, map(int, places), strict=True)
        }

    def cells(self) -> Iterator[tuple[dict[str, Any], float]]:
        """Every cell of a grid, and its loss."""
        levels = product(*(scale["levels"] for scale in self._scales))
        for cell, loss in zip(levels, self._true.tolist(), strict=True):
            yield {scale["name"]: level for scale, level in zip(self._scales, cell, strict=True)}, loss

    @property
    def epochs(self) -> int:
        """The epochs of a full training; 0 where no curves were recorded."""
        return 0 if self._curves is None else self._curves.shape[1]

    def curve(self, values: Values) -> Array:
        """The loss after every epoch of a full training. Only where curves were recorded."""
        assert self._curves is not None, f"{self.name} has no curves"
        return np.asarray(self._curves[int(self._lookup.rows({name: [value] for name, value in values.items()})[0])])

    def true_losses(self, columns: Mapping[str, Sequence[Any]]) -> Array:
        return np.asarray(self._true[self._lookup.rows(columns)])


class _Grid:
    """Where a configuration lies in a grid of which every cell was trained."""

    def __init__(self, scales: Sequence[dict[str, Any]]) -> None:
        self._scales = scales

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray[Any, np.dtype[np.int64]]:
        cells = []
        for scale in self._scales:
            column, levels = columns[scale["name"]], scale["levels"]
            if scale["scale"] == "cat":
                number = {level: place for place, level in enumerate(levels)}
                cells.append(np.array([number[value] for value in column]))
            else:
                distances = np.abs(_scaled(scale, column)[:, None] - _scaled(scale, levels))
                cells.append(distances.argmin(axis=1))
        return np.asarray(np.ravel_multi_index(cells, [len(scale["levels"]) for scale in self._scales]))


class _Points:
    """The recorded configuration nearest to another; a parameter weighs as much as it explains of the losses."""

    def __init__(self, scales: Sequence[dict[str, Any]], points: Array, losses: Array) -> None:
        from scipy.spatial import cKDTree  # takes a second, which grids do not need
        from sklearn.ensemble import RandomForestRegressor

        self._scales = scales
        scaled = np.stack([_scaled(scale, points[:, column]) for column, scale in enumerate(scales)], axis=1)
        ranks = np.argsort(np.argsort(losses)) / len(losses)
        shares = RandomForestRegressor(100, min_samples_leaf=3, random_state=0).fit(scaled, ranks).feature_importances_
        self._weights = np.sqrt(shares / shares.max()).clip(_LEAST_WEIGHT)
        self._tree = cKDTree(scaled * self._weights)

    def rows(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray[Any, np.dtype[np.int64]]:
        scaled = np.stack([_scaled(scale, columns[scale["name"]]) for scale in self._scales], axis=1)
        return np.asarray(self._tree.query(scaled * self._weights)[1])


def _losses(archive: Mapping[str, Any]) -> Array:
    """Losses of the recorded configurations, shape (configurations, seeds); of curves the best checkpoint's."""
    curves = _curves(archive)
    return np.asarray(archive["seeds"], dtype=float) if curves is None else curves.min(axis=1, keepdims=True)


def _curves(archive: Mapping[str, Any]) -> Array | None:
    """Recorded curves, shape (configurations, epochs); None where there are none."""
    if "seeds" in archive:
        return None
    return np.asarray(archive["err" if "err" in archive else "loss"], dtype=float)


def _parameter(scale: Mapping[str, Any]) -> Parameter:
    name, kind = scale["name"], scale["scale"]
    if kind == "cat":
        return Parameter(name, "categorical", options=tuple(scale["levels"]))
    low, high = (scale["low"], scale["high"]) if "low" in scale else (scale["levels"][0], scale["levels"][-1])
    return Parameter(name, "int" if kind.startswith("int") else "float", low=low, high=high, log=kind.endswith("log"))


def _scaled(scale: Mapping[str, Any], values: Sequence[Any] | Array) -> Array:
    """Numbers on the scale on which they are near to each other; in [0, 1] where the scale gives bounds."""
    numbers = np.asarray(values, dtype=float)
    if scale["scale"].endswith("log"):
        numbers = np.log(np.maximum(numbers, 1e-300))
    if "low" not in scale:
        return numbers
    low, high = (float(np.log(scale[end]) if scale["scale"].endswith("log") else scale[end]) for end in ("low", "high"))
    return np.asarray((numbers - low) / (high - low))
