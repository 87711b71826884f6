"""When the last of trainings on a few places ends, worked out by hand."""

from __future__ import annotations

import pytest

from automl.search.list_scheduling import Order, claims_of, order_of_stages, time_until_the_end
from automl.search.plan import with_before
from automl.search.schedules.asynchronous import AsynchronousHyperband
from automl.search.schedules.hyperband import Hyperband
from automl.study.estimate import wall_minutes
from benchmarks.epoch_searches import OurStudy
from benchmarks.gpu_use import SPACE, Clock, use


@pytest.mark.parametrize(
    ("search", "after", "places", "pause", "end"),
    [
        ([], [], 1, 0.0, 0.0),
        ([[[3.0, 2.0, 1.0]]], [], 1, 0.0, 6.0),
        ([[[3.0, 2.0, 1.0]]], [], 2, 0.0, 3.0),  # 3 beside 2 and 1
        ([[[3.0, 1.0], [2.0]]], [], 2, 0.0, 5.0),  # a rung waits for all of the one before
        ([[[3.0, 1.0], [2.0]]], [], 2, 0.5, 5.5),
        ([[[], [2.0]]], [], 2, 0.5, 2.0),  # the first rung is over
        ([[[2.0], [2.0]], [[5.0]]], [], 2, 0.0, 5.0),  # chains go side by side
        ([[[2.0], [2.0]], [[1.0, 1.0]]], [], 1, 0.0, 6.0),
        ([[[2.0]]], [[[1.0, 1.0]]], 2, 0.0, 3.0),
        ([[[2.0]]], [[[1.0, 1.0]]], 2, 0.25, 3.25),  # a pause before the judgement too
    ],
)
def test_the_end_by_hand(search: list[list[list[float]]], after: list[list[list[float]]], places: int, pause: float,
                         end: float) -> None:  # fmt: skip
    assert time_until_the_end(search, after, places, pause) == pytest.approx(end)


def test_what_the_most_waits_for_starts_first() -> None:
    chains = [[[1.0, 1.0]], [[3.0], [3.0]]]
    assert time_until_the_end(chains, (), 1) == pytest.approx(8.0)
    assert time_until_the_end(chains, (), 2) == pytest.approx(7.0)
    orders = [[[Order(1.0), Order(1.0)]], [[Order(6.0)], [Order(3.0)]]]
    assert time_until_the_end(chains, (), 2, orders=orders) == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("needs", "places", "end"),
    [
        (None, 2, 8.0),  # the whole rung, of two pairs
        (3, 2, 8.0),  # the third ends with the fourth
        (2, 2, 6.0),  # begins with the second pair, which then has one place
        (0, 2, 6.0),
        (0, 8, 4.0),
        (1, 8, 6.0),
    ],
)
def test_a_training_waits_for_as_many_of_the_rung_before_as_it_needs(
    needs: int | None, places: int, end: float
) -> None:
    chain = [[2.0] * 4, [4.0]]
    orders = [[[Order()] * 4, [Order(1.0, needs)]]]
    assert time_until_the_end([chain], (), places, orders=orders) == pytest.approx(end)


@pytest.mark.parametrize("places", [2, 4, 8, 16])
@pytest.mark.parametrize(
    "name", ["hyperband+uniform", "hyperband+tpe", "asynchronous_hyperband+uniform", "asha+uniform"]
)
def test_a_plan_takes_as_long_as_the_walk_of_a_search(name: str, places: int) -> None:
    """The walk has the agenda, the brain and the order of starts of `automl run`, on a clock that is simulated."""
    plan = OurStudy(name, SPACE, 27, 0, 3.0).plan
    walked = use(name, places, Clock(epoch=10.0, start=2.0, spread=0.0), seed=0).minutes
    assert wall_minutes(plan, 10.0, 2.0, places) == pytest.approx(walked)


@pytest.mark.parametrize(
    ("places", "in_order", "use"),
    [(1, 1.0, 1.0), (2, 0.975, 1.0), (4, 0.860, 0.959), (8, 0.665, 0.713), (16, 0.472, 0.472)],
)
def test_hyperband_keeps_places_busier_than_its_brackets_in_their_order(
    places: int, in_order: float, use: float
) -> None:
    plan = Hyperband(R=27, nu=3, epoch_multiplier=1, max_epochs=27).plan()
    work = plan.units(resume=True) / places
    chains = [
        [[float(rung.epochs - before)] * rung.size for rung, before in with_before(stage, "epochs")]
        for stage in plan.search
    ]
    assert work / time_until_the_end(chains, (), places) == pytest.approx(in_order, abs=1e-3)
    assert work / wall_minutes(plan, 1.0, 0.0, places) == pytest.approx(use, abs=1e-3)


@pytest.mark.parametrize("R", [9, 16, 27, 81])
@pytest.mark.parametrize("places", [1, 2, 3, 4, 6, 8, 16])
def test_no_plan_ends_later_than_in_its_own_order(R: int, places: int) -> None:  # noqa: N803
    plan = Hyperband(R=R, nu=3, epoch_multiplier=1, max_epochs=R).plan()
    chains = [
        [[float(rung.epochs - before)] * rung.size for rung, before in with_before(stage, "epochs")]
        for stage in plan.search
    ]
    claims = claims_of(plan, places)
    assert set(claims) == {(stage.index, rung.index) for stage in plan.stages for rung in stage.rungs}
    assert wall_minutes(plan, 1.0, 0.0, places) <= time_until_the_end(chains, (), places)


@pytest.mark.parametrize(("places", "order"), [(1, [0, 1, 2]), (2, [0, 1, 2]), (4, [1, 0, 2]), (8, [0, 2, 1])])
def test_brackets_start_in_the_order_that_ends_the_soonest(places: int, order: list[int]) -> None:
    plan = Hyperband(R=27, nu=3, epoch_multiplier=1, max_epochs=27).plan()
    assert [stage.index for stage in order_of_stages(plan, places)] == order


def test_a_stage_without_a_barrier_stays_where_it_is() -> None:
    plan = AsynchronousHyperband(Hyperband(R=27, nu=3, epoch_multiplier=1, max_epochs=27)).plan()
    assert order_of_stages(plan, 4) == tuple(plan.search)
