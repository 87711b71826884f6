"""What a value costs in training time: the results of the search as points, and the front of the best of them.

The front is the set of maxima of the points (Kung, Luccio, Preparata: On finding the maxima of a set of vectors,
J. ACM 22, 1975); in two dimensions one sort and one sweep find it, in O(n log n).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from automl.search.history import Experiment

Score = Callable[[float], float]


@dataclass(frozen=True)
class Point:
    """What an experiment has reached after one of its rungs.

    epochs: the last one trained. value: its best one so far that has a checkpoint. seconds: its training so far, every
    rung and every attempt of them, as measured.
    """

    experiment: int
    rung: int
    epochs: int
    value: float
    seconds: float


def points(experiments: Iterable[Experiment], score: Score) -> tuple[Point, ...]:
    """A point for every rung that ended well, by experiment and rung. score: a value where larger is better."""
    points_so_far = []
    for experiment in experiments:
        best: float | None = None
        seconds = 0.0
        for result in experiment.results:
            seconds += result.seconds
            if result.failure is not None or result.best_value is None:
                continue
            best = result.best_value if best is None else max(best, result.best_value, key=score)
            points_so_far.append(Point(experiment.number, result.rung, result.epochs, best, seconds))
    return tuple(points_so_far)


def front(points: Iterable[Point], score: Score) -> tuple[Point, ...]:
    """Those for which no other is at least as good in at most the same time, and in one of the two better.

    The quickest first. Points that are alike in both are on the front together.
    """
    kept: list[Point] = []
    best = -math.inf
    for point in sorted(points, key=lambda point: (point.seconds, -score(point.value), point.experiment, point.rung)):
        reached = score(point.value)
        if not kept or reached > best or (reached == best and point.seconds == kept[-1].seconds):
            kept.append(point)
            best = reached
    return tuple(kept)
