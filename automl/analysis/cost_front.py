"""What a value costs in training time: the results of the search as points, and the front of the best points.

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

    `epochs` is the last epoch trained, `value` the best value so far that has a checkpoint, and `seconds` the measured
    training time so far, with every rung and every attempt.
    """

    experiment: int
    rung: int
    epochs: int
    value: float
    seconds: float


def points(experiments: Iterable[Experiment], score: Score) -> tuple[Point, ...]:
    """A point for every rung that succeeded, by experiment and rung. `score` makes larger values the better ones."""
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
    """The points that no other equals in value and time and beats in one of the two, the quickest first.

    Points that are equal in both are on the front together.
    """
    on_front: list[Point] = []
    best = -math.inf
    for point in sorted(points, key=lambda point: (point.seconds, -score(point.value), point.experiment, point.rung)):
        reached = score(point.value)
        if not on_front or reached > best or (reached == best and point.seconds == on_front[-1].seconds):
            on_front.append(point)
            best = reached
    return tuple(on_front)
