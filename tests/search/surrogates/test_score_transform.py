from __future__ import annotations

import warnings

import numpy as np
import pytest

from automl.search.surrogates.score_transform import ScoreTransform


def fitted(*scores: float) -> ScoreTransform:
    warp = ScoreTransform.fit(np.array(scores), tail=3.0)
    assert warp is not None
    return warp


def test_targets_are_standardised_and_the_best_score_is_the_smallest() -> None:
    scores = np.random.default_rng(0).gamma(2.0, size=30)
    targets = fitted(*scores).targets(scores)
    assert targets.mean() == pytest.approx(0.0, abs=1e-9)
    assert targets.std() == pytest.approx(1.0)
    assert list(np.argsort(targets)) == list(np.argsort(-scores))


def test_scores_come_back_from_their_targets() -> None:
    scores = -np.random.default_rng(1).lognormal(size=25)
    warp = fitted(*scores)
    unclipped = -scores < warp.limit
    assert unclipped.sum() > 20
    assert warp.scores(warp.targets(scores))[unclipped] == pytest.approx(scores[unclipped])


def test_targets_beyond_all_scores_have_finite_scores() -> None:
    warp = fitted(*-np.random.default_rng(2).lognormal(sigma=3.0, size=25))
    assert np.isfinite(warp.scores(np.array([-8.0, 8.0]))).all()


@pytest.mark.parametrize("disaster", [-1e3, -1e30, -1e308])
def test_one_diverged_training_does_not_flatten_the_rest(disaster: float) -> None:
    good = [0.70, 0.74, 0.78, 0.80, 0.81, 0.83]
    targets = fitted(*good, disaster).targets(np.array([*good, disaster]))
    assert np.isfinite(targets).all()
    assert np.abs(targets).max() < 4
    assert targets[:6].max() - targets[:6].min() > 1


def test_where_most_scores_are_equal_a_disaster_is_clipped_and_the_differences_stay() -> None:
    scores = np.array([0.1] * 7 + [0.3, 0.05, -1e20])
    targets = fitted(*scores).targets(scores)
    assert targets[7] < targets[0] < targets[8] <= targets[9] < 4


def test_skew_is_taken_out() -> None:
    losses = np.random.default_rng(3).lognormal(size=40)
    targets = fitted(*-losses).targets(-losses)
    standard = (losses - losses.mean()) / losses.std()
    assert abs((targets**3).mean()) < 0.5 < (standard**3).mean()


@pytest.mark.parametrize("scores", [(0.5,), (0.5, 0.5), (0.1 + 0.2, 0.3, 0.3), (0.0, 0.0), (-1e200, -1e200)])
def test_equal_scores_have_no_warp(scores: tuple[float, ...]) -> None:
    assert ScoreTransform.fit(np.array(scores), tail=3.0) is None


@pytest.mark.parametrize("scores", [(0.5, 0.6), (1.0, 1.0, 2.0), (0.0, 0.0, 0.0, 0.0, 0.0, -1.0), (1e150, 0.0, -1e150)])
def test_few_or_odd_scores_bring_no_warning(scores: tuple[float, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(fitted(*scores).targets(np.array(scores))).all()
