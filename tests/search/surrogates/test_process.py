"""What the process of our own must do: fit, predict, leave out, and know options, absence and cells."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import norm, spearmanr, yeojohnson_normmax

from automl.search.surrogates import process as module
from automl.search.surrogates.features import ABSENT, Features
from automl.search.surrogates.priors import Priors
from automl.search.surrogates.process import Process, log_expected_improvement, rank_correlation
from automl.search.surrogates.warp import Warp
from automl.testing.spaces import MIXED, random_space, space_of, unit


def smooth(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.sin(3 * rows[:, 0]) + (rows[:, 1] - 0.4) ** 2)


def fitted(count: int = 25) -> tuple[Features, Process]:
    features = Features(unit("abc"))
    rows = features.draw(count, np.random.default_rng(0))
    targets = smooth(rows)
    return features, Process(features, rows, (targets - targets.mean()) / targets.std())


def test_a_row_and_its_cube_mean_the_same_configuration() -> None:
    for seed in range(6):
        space = random_space(seed)
        features = Features(space)
        rng = np.random.default_rng(seed)
        for _ in range(20):
            values = space.sample(rng)
            row = features.row(values, space.encode(values))
            assert space.decode(features.cube(np.array(row))) == values


def test_drawn_rows_are_those_of_the_values_that_they_decode_to() -> None:
    features = Features(MIXED)
    for row in features.draw(50, np.random.default_rng(1)):
        values = MIXED.decode(features.cube(row))
        again = np.array(features.row(values, MIXED.encode(values)))
        assert again == pytest.approx(row, abs=1e-5)  # values have six digits


def test_what_does_not_exist_is_alike_in_all_rows() -> None:
    features = Features(MIXED)
    rows = features.draw(200, np.random.default_rng(2))
    names = [axis.parameter for axis in features.axes]
    without = rows[rows[:, names.index("optimizer")] != 1]
    assert set(without[:, names.index("momentum")]) == {0.5}
    assert set(without[:, names.index("nesterov")]) == {ABSENT}
    assert len(set(rows[rows[:, names.index("optimizer")] == 1][:, names.index("momentum")])) > 10


def test_options_are_drawn_by_their_weights() -> None:
    features = Features(MIXED)
    place = [axis.parameter for axis in features.axes].index("optimizer")
    drawn = features.draw(4000, np.random.default_rng(3))[:, place].astype(int)
    assert np.bincount(drawn) / 4000 == pytest.approx([0.7, 0.2, 0.1], abs=0.03)


def test_distances_between_embedded_points_are_those_along_the_axes() -> None:
    features = Features(MIXED)
    rows = features.draw(30, np.random.default_rng(4))
    weights = np.linspace(0.5, 3.0, len(features.axes))
    points = features.embedded(rows, weights)
    squared = ((points[:, None] - points) ** 2).sum(axis=2)
    along = np.tensordot(weights, features.squared_differences(rows), axes=1)
    assert squared == pytest.approx(along, abs=1e-9)


def test_the_gradient_of_the_fit_is_right() -> None:
    features = Features(MIXED)
    rng = np.random.default_rng(5)
    rows, targets = features.draw(12, rng), rng.normal(size=12)
    axes = len(features.axes)
    differences = features.squared_differences(rows).reshape(axes, -1)
    middle, deviation = np.zeros(axes + 2), np.full(axes + 2, 2.0)
    arguments = (differences, targets, middle, deviation)
    theta = rng.normal(size=axes + 2)
    error = check_grad(lambda t: module._cost(t, *arguments)[0], lambda t: module._cost(t, *arguments)[1], theta)
    assert error < 1e-4


def test_a_smooth_function_is_predicted_and_the_axis_without_influence_found() -> None:
    features, process = fitted()
    fresh = features.draw(200, np.random.default_rng(9))
    mean, deviation = process.predict(fresh)
    assert np.corrcoef(mean, smooth(fresh))[0, 1] > 0.98
    assert (deviation > 0).all()
    assert process._weights[2] < 0.1 * process._weights[0]
    assert process.noise < 0.05


def test_noise_is_found() -> None:
    features = Features(unit("ab"))
    rng = np.random.default_rng(6)
    process = Process(features, features.draw(60, rng), rng.normal(size=60))
    assert process.noise > 0.3
    assert rank_correlation(process.left_out(), process.targets) < 0.2


def test_a_left_out_prediction_is_that_of_the_others() -> None:
    _, process = fitted(12)
    left_out = process.left_out()
    rows, targets = process.rows, process.targets
    process.condition(np.delete(rows, 3, axis=0), np.delete(targets, 3))
    assert process.predict(rows[3:4])[0][0] == pytest.approx(left_out[3], rel=1e-4, abs=1e-6)


def test_many_trials_are_fitted_to_a_part_of_them_and_predicted_from_all() -> None:
    features = Features(unit("ab"))
    rows = features.draw(300, np.random.default_rng(7))
    process = Process(features, rows, smooth(rows), Priors())
    assert process.predict(rows)[0] == pytest.approx(smooth(rows), abs=0.05)


def test_the_logarithm_of_the_expected_improvement_is_right_far_from_it_too() -> None:
    for z in (3.0, 0.0, -0.9, -1.1, -6.0):
        expected = math.log(norm.pdf(z) + z * norm.cdf(z)) if z > -5 else None
        gain = float(log_expected_improvement(np.array([-2.0 * z]), np.array([2.0]), 0.0)[0]) - math.log(2.0)
        assert expected is None or gain == pytest.approx(expected, rel=1e-6)
    gains = log_expected_improvement(np.array([10.0, 100.0, 1e4, 1e6]), np.ones(4), 0.0)
    assert np.isfinite(gains).all()
    assert (np.diff(gains) < 0).all()


def test_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(8)
    one, other = rng.integers(5, size=30).astype(float), rng.normal(size=30)
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert rank_correlation(np.ones(5), np.arange(5.0)) == 0.0


def test_the_warp_keeps_the_order_and_goes_back() -> None:
    losses = np.random.default_rng(10).lognormal(sigma=0.8, size=40)
    warp = Warp.fit(losses, tail=1000.0)
    assert warp is not None
    targets = warp.targets(losses)
    assert (np.argsort(targets) == np.argsort(losses)).all()
    assert targets.mean() == pytest.approx(0.0, abs=1e-9)
    assert targets.std() == pytest.approx(1.0)
    assert [warp.loss(target) for target in targets] == pytest.approx(losses.tolist())
    standard = (losses - losses.mean()) / losses.std()
    assert warp.power == pytest.approx(max(-1.0, yeojohnson_normmax(standard)), abs=0.05)


def test_one_diverged_training_does_not_flatten_the_others() -> None:
    losses = np.array([1.0, 1.1, 1.2, 1.3, 1.4, 1e30])
    warp = Warp.fit(losses, tail=3.0)
    assert warp is not None
    assert np.ptp(warp.targets(losses)[:5]) > 0.5
    assert Warp.fit(np.full(4, 2.0), tail=3.0) is None


@pytest.mark.parametrize(
    "losses",
    [
        [1e308, -1e308, 0.0, 1.0, 2.0, 3.0],
        [0.0, 5e-324, 1e-162, 2e-162, 3e-162, 4e-162],
        [1.0, 1.0, 1.0, 1.0, 1.0, 2.0],
        [-1.7e308, -1.6e308],
        [0.0, 5e-324],
    ],
)
def test_losses_of_any_size_become_targets(losses: list[float]) -> None:
    warp = Warp.fit(np.array(losses), tail=3.0)
    if warp is not None:
        targets = warp.targets(np.array(losses))
        assert np.isfinite(targets).all()
        assert (np.diff(targets[np.argsort(losses)]) >= 0).all()
        assert all(math.isfinite(warp.loss(target)) for target in (-3.0, 0.0, 3.0))


def test_the_learning_samplers_are_quick_to_import() -> None:
    code = (
        "import sys, automl.search.samplers.portfolio;"
        "heavy = {'scipy.optimize', 'scipy.stats', 'sklearn', 'skopt', 'torch', 'pandas'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_a_space_without_order_is_all_options() -> None:
    features = Features(space_of(a={"type": "categorical", "options": ["p", "q", "r"]}, b={"type": "bool"}))
    assert len(features.numeric) == 0
    assert features.embedded(features.draw(4, np.random.default_rng(0)), np.ones(2)).shape == (4, 5)
