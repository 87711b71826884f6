"""How the losses of one of several metrics become targets: in proportion, without their bad tail."""

from __future__ import annotations

import numpy as np
import pytest

from automl.search.surrogates.warp import Array, Warp, standardised

PILED = np.concatenate([np.linspace(0.0, 1e-3, 8), np.linspace(1.0, 2.0, 6), [40.0]])  # and one that is far off


def share_of_the_pile(targets: Array) -> float:
    return float(np.ptp(targets[:8]) / np.ptp(targets[:14]))


def test_a_pile_at_the_best_end_stays_a_pile() -> None:
    warp = Warp.fit(PILED, 3.0)
    assert warp is not None
    assert share_of_the_pile(standardised(PILED, 3.0)) == pytest.approx(share_of_the_pile(PILED))
    assert share_of_the_pile(warp.targets(PILED)) > 1.5 * share_of_the_pile(PILED)


def test_the_bad_tail_is_clipped_and_the_rest_standardised() -> None:
    targets = standardised(PILED, 3.0)
    assert (np.diff(targets) >= 0).all()
    assert targets[-1] - targets[-2] < 40 * (targets[-2] - targets[8])
    assert targets.mean() == pytest.approx(0, abs=1e-12)
    assert targets.std() == pytest.approx(1)


def test_equal_losses_are_zero() -> None:
    assert not standardised(np.full(5, 3.0), 3.0).any()
