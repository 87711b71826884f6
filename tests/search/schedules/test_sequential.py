"""Full trainings, `parallel` in a step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import InvalidInput
from automl.search.plan import Overlap
from automl.search.schedules.sequential import Sequential


@pytest.mark.parametrize(("parallel", "sizes"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (9, [7]), (None, [7])])
def test_steps(parallel: int | None, sizes: list[int]) -> None:
    (stage,) = Sequential(experiments=7, epochs=5, parallel=parallel).plan().stages
    assert [rung.size for rung in stage.rungs] == sizes
    assert all(rung.new and rung.epochs == rung.units == 5 for rung in stage.rungs)


def test_without_steps_as_many_as_parallel_are_under_way() -> None:
    plan = Sequential(experiments=7, epochs=5, parallel=3, overlap=True).plan()
    (stage,) = plan.stages
    assert stage.overlap == Overlap(nu=None, most=3)
    assert [(rung.size, rung.epochs, rung.new) for rung in stage.rungs] == [(7, 5, True)]
    assert (plan.runs, stage.most_decisions, plan.epochs(resume=True)) == (7, 7, 35)


@pytest.mark.parametrize("parallel", [1, None])
def test_one_at_a_time_overlaps_with_none(parallel: int | None) -> None:
    with pytest.raises(InvalidInput, match=r"overlap: true with parallel: .*; allowed: parallel: 2 or more"):
        Sequential(7, 5, parallel, overlap=True).plan()


@given(st.integers(1, 300), st.integers(1, 100), st.one_of(st.none(), st.integers(1, 400)))
def test_numbers_are_dense_and_every_training_is_full(experiments: int, epochs: int, parallel: int | None) -> None:
    plan = Sequential(experiments, epochs, parallel).plan()
    (stage,) = plan.stages
    numbers = [stage.first_of(rung.index) + place for rung in stage.rungs for place in range(rung.size)]
    assert numbers == list(range(experiments))
    assert (plan.experiments, plan.runs) == (experiments, experiments)
    assert plan.epochs(resume=True) == plan.epochs(resume=False) == experiments * epochs
