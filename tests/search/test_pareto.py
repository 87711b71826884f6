"""Fronts, crowding and hypervolume, against definitions that are computed the slow way."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from automl.search import pareto

Points = list[tuple[float, ...]]


def points_of(seed: int, count: int, dimensions: int) -> Points:
    rng = np.random.default_rng(seed)
    return [tuple(row) for row in rng.integers(0, 8, size=(count, dimensions)).astype(float).tolist()]


def peeled(points: Points) -> list[int]:
    """The rank of each point by taking one front away after the other."""
    ranks, left, rank = [-1] * len(points), set(range(len(points))), 0
    while left:
        front = {at for at in left if not any(pareto.dominates(points[by], points[at]) for by in left)}
        for at in front:
            ranks[at] = rank
        left, rank = left - front, rank + 1
    return ranks


def counted_volume(points: Points, size: int) -> float:
    """The number of unit cells below the reference (size, ...) that a point of whole numbers dominates."""
    cells = itertools.product(range(size), repeat=len(points[0]))
    return sum(any(all(a <= b for a, b in zip(point, cell, strict=True)) for point in points) for cell in cells)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_those_of_peeled_fronts(seed: int, dimensions: int) -> None:
    points = points_of(seed, 60, dimensions)
    assert pareto.ranks(points) == peeled(points)


@pytest.mark.parametrize("dimensions", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_the_hypervolume_is_the_number_of_cells(seed: int, dimensions: int) -> None:
    points = points_of(seed, 12, dimensions)
    assert pareto.hypervolume(points, (7.0,) * dimensions) == counted_volume(points, 7)


def test_what_lies_beyond_the_reference_adds_nothing() -> None:
    assert pareto.hypervolume([(0.5, 2.0), (2.0, 0.5)], (1.0, 1.0)) == 0.0
    assert pareto.hypervolume([], (1.0, 1.0)) == 0.0


def test_contributions_are_what_is_lost_without_a_point() -> None:
    front: Points = [(0.0, 2.0), (1.0, 1.0), (2.0, 0.0)]
    assert pareto.contributions(front, (3.0, 3.0)) == [1.0, 1.0, 1.0]


def test_crowding_is_the_size_of_the_box_between_neighbours_and_infinite_at_the_ends() -> None:
    front: Points = [(0.0, 4.0), (1.0, 2.0), (4.0, 0.0), (1.0, 2.0)]
    distances = pareto.crowding(front)
    assert distances[0] == distances[2] == math.inf
    assert distances[1] == pytest.approx(4 / 4 + 4 / 4)
    assert distances[3] == 0.0  # it adds nothing to the point that it equals
    assert pareto.crowding([]) == []
