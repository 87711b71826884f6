"""The process over values and epochs: what short trainings say of full ones decides what it proposes."""

from __future__ import annotations

import numpy as np
import pytest

from automl.search.samplers.base import Request, Trial
from automl.search.samplers.joint import JointProcess
from automl.testing.spaces import space_of

LINE = space_of(x={"type": "float", "low": 0.0, "high": 1.0})


def request(number: int, seed: int = 0, **more: object) -> Request:
    chosen = (LINE.defaults(),)
    return Request(1, first=number, total=60, seed=(seed, 0, number), chosen=chosen, epochs=27, **more)  # type: ignore[arg-type]


def crossing(x: float, epochs: int) -> Trial:
    """After one epoch the best is x = 0.2, after 27 it is x = 0.8."""
    middle = 0.2 + 0.6 * np.log(epochs) / np.log(27)
    return Trial({"x": x}, -float((x - middle) ** 2) - 1.0 / epochs, epochs)


def test_it_proposes_what_is_good_at_the_horizon_and_not_what_is_good_soon() -> None:
    trials = [crossing(x / 10 + 0.03, 1) for x in range(10)]
    trials += [crossing(x / 10 + 0.03, epochs) for epochs in (3, 9, 27) for x in (1, 4, 6, 7, 9)]
    always_full = JointProcess(share=1.0, full=1.0)
    found = [always_full.propose(LINE, trials, request(30, seed))[0] for seed in range(5)]
    assert np.mean([abs(float(each.values["x"]) - 0.8) for each in found]) < 0.15
    assert all("after 27 epochs" in each.reason for each in found)


def test_horizons_are_rungs_or_full_trainings_and_a_share_is_drawn_uniformly() -> None:
    trials = [crossing(x / 10 + 0.03, epochs) for epochs in (1, 3) for x in range(10)]
    reasons = [JointProcess().propose(LINE, trials, request(30, seed))[0].reason for seed in range(40)]
    for words in ("after 1 epoch;", "after 3 epochs;", "after 27 epochs;", "drawn uniformly"):
        assert sum(words in reason for reason in reasons) >= 2, words


@pytest.mark.parametrize("count", [2, 3])
def test_proposals_side_by_side_and_pending_ones_keep_apart(count: int) -> None:
    trials = [crossing(x / 10 + 0.03, 1) for x in range(10)]
    sampler = JointProcess(share=1.0, full=1.0)
    asked = Request(count, first=30, total=60, seed=(1, 0, 30), epochs=27)
    values = [float(each.values["x"]) for each in sampler.propose(LINE, trials, asked)]
    assert len(set(values)) == count
    alone = sampler.propose(LINE, trials, request(30, 1))[0].values
    beside = sampler.propose(LINE, trials, request(30, 1, pending=(alone,)))[0].values
    assert beside != alone


def test_it_does_not_depend_on_the_order_of_the_trials() -> None:
    trials = [crossing(x / 10 + 0.03, epochs) for epochs in (1, 3) for x in range(10)]
    proposals = {str(JointProcess().propose(LINE, order, request(30, 4))) for order in (trials, trials[::-1])}
    assert len(proposals) == 1
