"""What a plan costs: the time on a wall clock with any number of trainings side by side, money and room."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.networks.costs import Costs
from automl.search.extension import with_final
from automl.search.plan import Plan, Rung, Stage, StageKind, with_before
from automl.search.race import Judgement
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.sequential import Sequential
from automl.study.estimate import estimate, wall_minutes
from tests.search.test_plan import SHIPPED

# -- the wall clock ---------------------------------------------------------------------------------------------------


def stage(index: int, first: int, *rungs: tuple[int, int]) -> Stage:
    numbered = tuple(Rung(i, size, epochs, epochs, new=i == 0) for i, (size, epochs) in enumerate(rungs))
    return Stage(index, f"s{index}", StageKind.SEARCH, first, numbered)


def test_a_wall_clock_worked_out_by_hand() -> None:
    """Two places, 10 minutes an epoch, a minute to start. Stage 0: 3 for 1 epoch, 1 on to 3. Stage 1: 1 for 4 epochs.

    Trainings of 11 minutes a, b, c, then d of 2 epochs (21), e of 4 (41). a, b start at 0; c and e at 11; c ends at 22
    and d has the free place until 43; e ends at 52, and then the two of the final judgement take 41 side by side.
    """
    plan = Plan((stage(0, 0, (3, 1), (1, 3)), stage(1, 3, (1, 4))))
    assert wall_minutes(plan, 10, 1, 2) == 52
    assert wall_minutes(with_final(plan, Judgement(1)), 10, 1, 2) == 52 + 41
    assert wall_minutes(plan, 10, 1, 1) == 11 * 3 + 21 + 41
    assert wall_minutes(plan, 10, 1, 4) == 41  # a, b, c, e at once; d from 11 to 32


@pytest.mark.parametrize("name", SHIPPED)
def test_with_one_place_the_wall_clock_is_the_whole_training(name: str) -> None:
    plan = with_final(SHIPPED[name].plan(), Judgement(1))
    minutes = wall_minutes(plan, 2.0, 0.5, 1)
    assert minutes == pytest.approx(plan.trained(plan.stages, resume=True) * 2.0 + plan.runs * 0.5)
    assert estimate(plan, Costs(2.0, 0.5), (1,)).minutes == pytest.approx(minutes)


@pytest.mark.parametrize("name", SHIPPED)
def test_twice_the_places_are_never_slower_and_no_places_faster_than_they_can_be(name: str) -> None:
    plan = with_final(SHIPPED[name].plan(), Judgement(2))
    alone = wall_minutes(plan, 1.0, 0.25, 1)
    longest = max(
        sum(rung.epochs - before + 0.25 for rung, before in with_before(each, "epochs")) for each in plan.search
    ) + (plan.stages[-1].schedule_epochs + 0.25)
    minutes = {places: wall_minutes(plan, 1.0, 0.25, places) for places in (*range(1, 33), 64, 128, 256, 1024)}
    doubled = [minutes[2**power] for power in range(9)]
    assert doubled == sorted(doubled, reverse=True)
    assert minutes[1024] == pytest.approx(longest)
    for places in range(1, 33):
        assert minutes[places] >= alone / places - 1e-9
        # of one place more a list schedule may make a little less (Graham's anomalies): 10 -> 11 at R = 81, 1 %
        assert minutes.get(places + 1, 0) <= minutes[places] * 1.04


@given(st.integers(2, 5), st.integers(0, 200), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_no_place_is_idle_while_a_run_waits(nu: int, beyond: int, places: int) -> None:
    """Graham's bound of a list schedule: at most the work by places and the longest chain."""
    plan = Hyperband(nu**2 + beyond, nu, "budget", 4 * (nu**2 + beyond)).plan()
    chain = max(sum(rung.epochs - before for rung, before in with_before(each, "epochs")) for each in plan.stages)
    work = plan.epochs(resume=True)
    minutes = wall_minutes(plan, 1.0, 0.0, places)
    assert max(chain, work / places) <= minutes + 1e-9
    assert minutes <= work / places + sum(stage.schedule_epochs for stage in plan.stages)


def test_an_empty_list_of_places_asks_nothing() -> None:
    assert estimate(Sequential(2, 3).plan(), Costs(1.0), ()).wall_minutes == {}


# -- money and room ---------------------------------------------------------------------------------------------------


def test_the_estimate_has_time_price_and_room() -> None:
    plan = with_final(Hyperband(27, 3, "auto", 80).plan(), Judgement(1))
    cost = estimate(plan, Costs(0.5, 2.0, 4, 1.5, 100.0), (1, 8))
    training = (234 * 4 + 2 * 108) * 0.5
    assert cost.minutes == training + 63 * 2.0
    assert cost.minutes_from_scratch == (297 * 4 + 2 * 108) * 0.5 + 63 * 2.0
    assert cost.gpu_hours == cost.minutes / 60 * 4
    assert cost.price == pytest.approx(cost.gpu_hours * 1.5)
    assert cost.storage_megabytes == 2 * 63 * 100.0  # a run leaves its last checkpoint and its best
    assert list(cost.wall_minutes) == [1, 8]
    assert cost.wall_minutes[1] == pytest.approx(cost.minutes)
    assert cost.wall_minutes[8] < cost.minutes / 4


def test_what_is_not_known_is_not_estimated() -> None:
    plan = Sequential(2, 3).plan()
    cost = estimate(plan, Costs(checkpoint_megabytes=10.0), (1,))
    assert (cost.minutes, cost.minutes_from_scratch, cost.gpu_hours, cost.price) == (None,) * 4
    assert (cost.wall_minutes, cost.storage_megabytes) == ({}, 40.0)
    assert estimate(plan, Costs(1.0), (1,)).storage_megabytes is None
    assert estimate(plan, Costs(1.0, gpus=2), (1,)).price is None
    assert estimate(plan, Costs(1.0, gpus=0, price_per_gpu_hour=9.0), (1,)).price == 0
