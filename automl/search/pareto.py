"""Points of several objectives: which dominate which, how crowded a front is, how much of the space it dominates.

Every number is a loss here: smaller is better. Pure Python, for a decision has a few hundred points and numpy takes a
while to import.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, ...]


def dominates(one: Point, other: Point) -> bool:
    """Whether a point is nowhere worse than the other, and somewhere better."""
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def ranks(points: Sequence[Point]) -> list[int]:
    """The front of each point: 0 for those that nothing dominates, 1 for those that only these do, and so on.

    Efficient non-dominated sort with binary search (Zhang, Tian, Cheng & Jin 2015): in lexicographic order no later
    point dominates an earlier one. Equal points are of one front.
    """
    fronts: list[list[Point]] = []
    front_of: dict[Point, int] = {}
    for point in sorted(set(points)):
        low, high = 0, len(fronts)
        while low < high:
            middle = (low + high) // 2
            if any(dominates(member, point) for member in reversed(fronts[middle])):
                low = middle + 1
            else:
                high = middle
        if low == len(fronts):
            fronts.append([])
        fronts[low].append(point)
        front_of[point] = low
    return [front_of[point] for point in points]


def crowding(front: Sequence[Point]) -> list[float]:
    """The crowding distance of each point of one front, larger where it is lonelier; the ends have infinity.

    Deb, Pratap, Agarwal & Meyarivan (2002), section III-B. Of equal points only the first counts: the others add
    nothing to a front, and have 0.
    """
    firsts = {point: place for place, point in reversed(list(enumerate(front)))}
    distances = [0.0] * len(front)
    for objective in range(len(front[0]) if front else 0):
        order = sorted(firsts, key=lambda point, at=objective: (point[at], point))  # type: ignore[misc]
        width = order[-1][objective] - order[0][objective]
        distances[firsts[order[0]]] = distances[firsts[order[-1]]] = math.inf
        for before, point, after in zip(order, order[1:], order[2:], strict=False):
            if width > 0 and math.isfinite(width):
                distances[firsts[point]] += (after[objective] - before[objective]) / width
    return distances


def hypervolume(points: Sequence[Point], reference: Point) -> float:
    """The volume that the points dominate below the reference; exact, in any number of dimensions.

    By slices along the last objective (Zitzler 1999): the area of two objectives is a sum over steps; every further
    objective adds a sum over the points. It takes O(n log n) in two dimensions and O(n^2 log n) in three.
    """
    inside = [point for point in set(points) if all(at < end for at, end in zip(point, reference, strict=True))]
    if not inside:
        return 0.0
    if len(reference) == 1:
        return reference[0] - min(inside)[0]
    if len(reference) == 2:
        return _area(sorted(inside), reference)
    inside.sort(key=lambda point: point[-1])
    ends = [*(point[-1] for point in inside[1:]), reference[-1]]
    below: list[Point] = []
    volume = 0.0
    for point, end in zip(inside, ends, strict=True):
        below.append(point[:-1])
        if end > point[-1]:
            volume += (end - point[-1]) * hypervolume(below, reference[:-1])
    return volume


def _area(inside: Sequence[Point], reference: Point) -> float:
    """The area that sorted points of two objectives dominate below the reference."""
    area, height = 0.0, reference[1]
    for across, up in inside:
        if up < height:
            area += (reference[0] - across) * (height - up)
            height = up
    return area


def contributions(front: Sequence[Point], reference: Point) -> list[float]:
    """How much hypervolume each point of a front adds to the others."""
    whole = hypervolume(front, reference)
    return [whole - hypervolume([*front[:at], *front[at + 1 :]], reference) for at in range(len(front))]
