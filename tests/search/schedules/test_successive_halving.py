"""Successive halving is one stage of Hyperband; whoever comes through gets a full training."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.successive_halving import SuccessiveHalving

R27 = Hyperband(R=27, nu=3, epoch_multiplier=1)


@pytest.mark.parametrize(
    ("experiments", "expected"),
    [
        (None, [(27, 1), (9, 3), (3, 9), (1, 27)]),
        (27, [(27, 1), (9, 3), (3, 9), (1, 27)]),
        (9, [(9, 3), (3, 9), (1, 27)]),  # as Hyperband's stage s = 2
        (8, [(8, 9), (2, 27)]),
        (3, [(3, 9), (1, 27)]),
        (2, [(2, 27)]),
        (1, [(1, 27)]),
        (100, [(100, 1), (33, 3), (11, 9), (3, 27)]),
    ],
)
def test_rungs(experiments: int | None, expected: list[tuple[int, int]]) -> None:
    plan = SuccessiveHalving(R27, experiments).plan()
    (stage,) = plan.stages
    assert [(rung.size, rung.epochs) for rung in stage.rungs] == expected
    assert [rung.new for rung in stage.rungs] == [True] + [False] * (len(expected) - 1)
    assert [rung.index for rung in stage.rungs] == list(range(len(expected)))
    assert (stage.first, stage.experiments) == (0, expected[0][0])
    assert stage.name == f"{expected[0][0]} halved by 3"


@given(st.integers(1, 2000), st.integers(2, 4), st.integers(0, 100))
def test_whatever_the_number_the_last_rung_trains_in_full(experiments: int, nu: int, beyond: int) -> None:
    hyperband = Hyperband(R=nu**3, nu=nu, epoch_multiplier="budget", max_epochs=nu**3 + beyond)
    (stage,) = SuccessiveHalving(hyperband, experiments).plan().stages
    assert stage.schedule_epochs == nu**3 + beyond
    assert stage.rungs[0].size == experiments
    for before, rung in zip(stage.rungs, stage.rungs[1:], strict=False):
        assert rung.size == before.size // nu
        assert rung.epochs > before.epochs
    assert stage.rungs[-1].size < nu or len(stage.rungs) == 4
