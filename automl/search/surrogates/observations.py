"""What a model learns from: where each trial lies in the cube of the space, and how good it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.problem.domains import Continuous, Points
from automl.problem.search_space import Cube, SearchSpace
from automl.search.surrogates.score_transform import ScoreTransform
from automl.search.trial import Trial

_FEWEST = 2  # successes that a model needs: a single one gives a level and no slope


class Axes:
    """The cube's coordinates as scikit-optimize sees them: only those that vary, with options by number."""

    def __init__(self, space: SearchSpace) -> None:
        domains = {parameter.name: parameter.domain for parameter in space.parameters}
        self.space = space
        self._centres: dict[int, list[float]] = {}  # of the cells, for each coordinate whose options have no order
        self._free: list[int] = []
        for axis, dimension in enumerate(space.dimensions()):
            domain = domains[dimension.parameter]
            if domain.low == domain.high if isinstance(domain, Continuous) else len(domain.values) == 1:
                continue
            self._free.append(axis)
            if dimension.categories and isinstance(domain, Points):
                self._centres[axis] = [domain.place(option) for option in domain.values]

    def options(self) -> list[int | None]:
        """The number of options of every coordinate whose options have no order; None for any other."""
        cells = (self._centres.get(axis) for axis in self._free)
        return [len(centres) if centres else None for centres in cells]

    def point(self, cube: Cube) -> list[float]:
        """A point of the cube as scikit-optimize takes it: where options have no order, the number of the option."""
        coordinates: list[float] = []
        for axis in self._free:
            centres = self._centres.get(axis)
            coordinates.append(_nearest(centres, cube[axis]) if centres else cube[axis])
        return coordinates

    def cube(self, point: Sequence[float]) -> Cube:
        cube = [0.5] * self.space.size
        for axis, value in zip(self._free, point, strict=True):
            centres = self._centres.get(axis)
            cube[axis] = centres[int(value)] if centres else float(value)
        return tuple(cube)


def _nearest(centres: Sequence[float], coordinate: float) -> int:
    return min(range(len(centres)), key=lambda option: abs(centres[option] - coordinate))


def _finite(score: float | None) -> float | None:
    """A score that is not finite is a failure (state rule 8): it never gets as far as the model."""
    return score if score is not None and math.isfinite(score) else None


@dataclass(frozen=True)
class Observations:
    """The trials as a model gets them.

    `points` holds (point in the cube, target), and is the same whatever the order of the trials. Where a model can
    learn nothing from them, `warp` is None, `unfit` says why, and the targets are 0.
    """

    points: tuple[tuple[Cube, float], ...]
    failures: int
    best: float
    warp: ScoreTransform | None
    unfit: str
    trials: int  # failed ones too

    @classmethod
    def of(cls, axes: Axes, trials: Sequence[Trial], tail: float, *, worst: bool = False) -> Observations:
        """Scores that are more than `tail` interquartile ranges below the median are clipped.

        With `worst` a failed trial is a point with the worst target of the others; otherwise it is none.
        """
        scored = [(axes.space.encode(trial.values), _finite(trial.score)) for trial in trials]
        # Sums depend on the order of their terms: sort, so that the order of the trials does not matter.
        scored.sort(key=lambda pair: (pair[0], pair[1] is None, pair[1] or 0.0))
        scores = np.array([score for _, score in scored if score is not None], dtype=float)
        warp, unfit = None, ""
        if not axes.options():
            unfit = "the space has one configuration"
        elif len(scores) < _FEWEST:
            unfit = f"{len(scores)} of {len(trials)} trials gave a score"
        else:
            warp = ScoreTransform.fit(scores, tail)
            unfit = "" if warp else f"all scores are equal ({scores[0]:.6g})"
        succeeded = np.array([score is not None for _, score in scored], dtype=bool)
        targets = np.zeros(len(trials))
        if warp:
            targets[succeeded] = warp.targets(scores)
            targets[~succeeded] = targets[succeeded].max()
        best = float(scores.max()) if len(scores) else math.nan
        points = tuple(
            (cube, target)
            for (cube, score), target in zip(scored, targets.tolist(), strict=True)
            if worst or score is not None
        )
        return cls(points, len(trials) - len(scores), best, warp, unfit, len(trials))
