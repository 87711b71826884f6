"""The expected hypervolume improvement, against draws."""

from __future__ import annotations

import numpy as np
import pytest

from automl.search.pareto import hypervolume
from automl.search.surrogates.hypervolume import expected_gain

DRAWS = 4000


@pytest.mark.parametrize("objectives", [2, 3])
def test_it_is_the_mean_gain_of_draws(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    front = rng.random((5, objectives))
    front[0] = 0.9  # dominated by others, and no obstacle
    reference = (1.0,) * objectives
    means, deviations = rng.random((3, objectives)), 0.05 + 0.3 * rng.random((3, objectives))
    gains = expected_gain(means, deviations, front, reference)
    points = [tuple(point) for point in front.tolist()]
    before = hypervolume(points, reference)
    for mean, deviation, gain in zip(means, deviations, gains, strict=True):
        draws = mean + deviation * rng.standard_normal((DRAWS, objectives))
        drawn = [hypervolume([*points, tuple(draw)], reference) - before for draw in draws.tolist()]
        assert gain == pytest.approx(float(np.mean(drawn)), abs=4 * float(np.std(drawn)) / DRAWS**0.5 + 1e-4)


def test_a_point_that_is_surely_dominated_adds_nothing() -> None:
    front = np.array([[0.2, 0.2]])
    gains = expected_gain(np.array([[0.8, 0.8]]), np.full((1, 2), 1e-3), front, (1.0, 1.0))
    assert gains[0] == pytest.approx(0.0, abs=1e-12)
