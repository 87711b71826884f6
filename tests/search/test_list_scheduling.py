"""When the last of trainings on a few places ends, worked out by hand."""

from __future__ import annotations

import pytest

from automl.search.list_scheduling import claims_of, time_until_the_end
from automl.search.plan import with_before
from automl.search.schedules.hyperband import Hyperband
from automl.study.estimate import wall_minutes


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
    assert time_until_the_end(chains, (), 2, claims=[[[1.0, 1.0]], [[6.0], [3.0]]]) == pytest.approx(6.0)


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
