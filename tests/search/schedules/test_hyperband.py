"""Hyperband's rungs are those of the paper and of the TAO page; its budgets keep their promise."""

from __future__ import annotations

import math
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.errors import InvalidInput
from automl.search.plan import MAX_EXPERIMENTS, Plan
from automl.search.schedules.base import Schedule
from automl.search.schedules.hyperband import Hyperband, adjust, largest_stage
from automl.search.schedules.sequential import Sequential
from automl.search.schedules.successive_halving import SuccessiveHalving

_ALL_ARE_SCHEDULES: tuple[type[Schedule], ...] = (Hyperband, SuccessiveHalving, Sequential)


def rungs(plan: Plan) -> list[list[tuple[int, int]]]:
    """Every stage as (experiments, units of resource)."""
    return [[(rung.size, rung.units) for rung in stage.rungs] for stage in plan.stages]


# -- the tables -------------------------------------------------------------------------------------------------------


def test_r81_nu3_is_table_2_of_the_tao_page() -> None:
    assert rungs(Hyperband(R=81, nu=3, epoch_multiplier=1).plan()) == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(27, 3), (9, 9), (3, 27), (1, 81)],
        [(9, 9), (3, 27), (1, 81)],
        [(6, 27), (2, 81)],
    ]


def test_r27_nu3_is_table_3_of_the_tao_page() -> None:
    assert rungs(Hyperband(R=27, nu=3, epoch_multiplier=1).plan()) == [
        [(27, 1), (9, 3), (3, 9), (1, 27)],
        [(9, 3), (3, 9), (1, 27)],
        [(6, 9), (2, 27)],
    ]


def test_with_the_random_stage_r81_nu3_is_the_papers_table() -> None:
    """Li et al. 2018, table 1: n at s = 4 .. 0."""
    plan = Hyperband(R=81, nu=3, epoch_multiplier=1, random_stage=True).plan()
    assert [stage.rungs[0].size for stage in plan.stages] == [81, 27, 9, 6, 5]
    assert rungs(plan)[:4] == rungs(Hyperband(R=81, nu=3, epoch_multiplier=1).plan())
    assert rungs(plan)[4] == [(5, 81)]
    assert [stage.name for stage in plan.stages] == ["s=4", "s=3", "s=2", "s=1", "s=0"]


@pytest.mark.parametrize(
    ("R", "experiments", "runs", "resumed", "scratch"),
    [
        (9, 12, 17, 36, 45),
        (27, 42, 61, 234, 297),
        (81, 123, 182, 999, 1296),  # so far the TAO page; the next two by hand, stage by stage
        (243, 378, 563, 5022, 6561),
        (729, 1107, 1656, 18711, 24786),
    ],
)
def test_totals(R: int, experiments: int, runs: int, resumed: int, scratch: int) -> None:  # noqa: N803
    plan = Hyperband(R=R, nu=3, epoch_multiplier=1).plan()
    assert (plan.experiments, plan.runs) == (experiments, runs)
    assert (plan.units(resume=True), plan.units(resume=False)) == (resumed, scratch)
    assert (plan.epochs(resume=True), plan.epochs(resume=False)) == (resumed, scratch)


@pytest.mark.parametrize(("R", "s_max"), [(3, 1), (9, 2), (242, 4), (243, 5), (244, 5), (728, 5), (729, 6), (2187, 7)])
def test_stages_are_counted_with_integers(R: int, s_max: int) -> None:  # noqa: N803
    """A floating logarithm loses a stage at R = 243."""
    assert int(math.log(243) / math.log(3)) == 4
    assert largest_stage(R, 3) == s_max
    assert [stage.name for stage in Hyperband(R=R, nu=3, epoch_multiplier=1).plan().stages] == [
        f"s={s}" for s in range(s_max, 0, -1)
    ]


# -- any R and nu -----------------------------------------------------------------------------------------------------

pairs = st.integers(2, 8).flatmap(lambda nu: st.tuples(st.integers(nu, 3000), st.just(nu)))


@given(pairs, st.integers(1, 20), st.booleans())
def test_every_rung_is_as_the_formulas_say(pair: tuple[int, int], multiplier: int, random_stage: bool) -> None:
    R, nu = pair  # noqa: N806
    plan = Hyperband(R=R, nu=nu, epoch_multiplier=multiplier, random_stage=random_stage).plan()
    s_max = max(s for s in range(13) if nu**s <= R)
    stages = list(range(s_max, -1 if random_stage else 0, -1))
    assert len(plan.stages) == len(stages)
    numbers: list[int] = []
    for index, (s, stage) in enumerate(zip(stages, plan.stages, strict=True)):
        n, r = (s_max + 1) // (s + 1) * nu**s, R // nu**s
        assert (stage.index, stage.kind, stage.first) == (index, "search", len(numbers))
        assert [rung.index for rung in stage.rungs] == list(range(s + 1))
        assert [rung.size for rung in stage.rungs] == [math.floor(n / nu**i) for i in range(s + 1)]
        assert [rung.units for rung in stage.rungs] == [r * nu**i for i in range(s + 1)]
        assert [rung.epochs for rung in stage.rungs] == [r * nu**i * multiplier for i in range(s + 1)]
        assert [rung.new for rung in stage.rungs] == [True] + [False] * s
        assert stage.first_of(0) == stage.first
        numbers += range(stage.first, stage.first + stage.experiments)
    assert numbers == list(range(plan.experiments))  # dense, and no number in two stages


def check_shape(plan: Plan) -> None:
    for stage in plan.stages:
        sizes, epochs = [rung.size for rung in stage.rungs], [rung.epochs for rung in stage.rungs]
        assert all(one > other for one, other in pairwise(sizes))
        assert all(one < other for one, other in pairwise(epochs))
        assert min(sizes) >= 1
        assert min(epochs) >= 1


@given(pairs, st.integers(1, 500), st.sampled_from(["auto", "budget"]))
@settings(max_examples=300)
def test_epochs_grow_and_sizes_shrink_or_the_plan_is_refused(pair: tuple[int, int], epochs: int, rule: str) -> None:
    schedule = Hyperband(*pair, epoch_multiplier=rule, max_epochs=epochs)  # type: ignore[arg-type]  # one of two texts
    try:
        plan = schedule.plan()
    except InvalidInput as error:
        assert str(epochs) in error.given  # noqa: PT017 - whatever is refused, it is said why
        return
    check_shape(plan)
    if rule == "budget":
        assert max(stage.schedule_epochs for stage in plan.stages) == epochs


@given(pairs, st.integers(1, 3000))
def test_with_budget_the_longest_gets_exactly_max_epochs_and_the_others_their_share(
    pair: tuple[int, int], beyond: int
) -> None:
    R, nu = pair  # noqa: N806
    plan = Hyperband(R=R, nu=nu, epoch_multiplier="budget", max_epochs=2 * R + beyond).plan()
    top = max(rung.units for stage in plan.stages for rung in stage.rungs)
    for stage in plan.stages:
        for rung in stage.rungs:
            assert abs(rung.epochs - rung.units * (2 * R + beyond) / top) <= 0.5
            assert (rung.epochs == 2 * R + beyond) == (rung.units == top)


# -- the automatic adjustment -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("R", "epochs", "expected_R", "multiplier"),
    [
        (27, 80, 27, 4),  # 4.31
        (27, 100, 27, 4),  # 4.64
        (27, 27, 27, 3),  # exactly 3, and 2.9999999999999996 in floating point
        (27, 125, 27, 5),  # exactly 5
        (27, 124, 27, 4),
        (27, 26, 26, 3),
        (6, 6, 6, 3),  # E = R: 6^(ln 3 / ln 6) is 3 on paper
        (27, 10, 10, 3),
        (27, 6, 6, 3),
        (27, 5, 5, 3),
        (27, 3, 3, 3),
        (81, 80, 80, 3),
        (729, 10, 10, 3),
    ],
)
def test_auto_is_taos_rule(R: int, epochs: int, expected_R: int, multiplier: int) -> None:  # noqa: N803
    found = adjust(R, 3, epochs)
    assert (found.R, found.multiplier) == (expected_R, multiplier)


@given(st.integers(3, 10_000))
def test_where_epochs_equal_r_a_unit_is_three_epochs(epochs: int) -> None:
    """E = R gives E^(ln 3 / ln E) = 3 for every E; floating point must not make 2 of it."""
    assert adjust(epochs, 3, epochs).multiplier == 3
    assert epochs == adjust(10 * epochs, 3, epochs).R


@given(st.integers(2, 5), st.integers(1, 2000), st.integers(2, 300))
def test_auto_ends_where_coming_down_one_by_one_ends(nu: int, epochs: int, R: int) -> None:  # noqa: N803
    R = max(R, nu)  # noqa: N806
    slow = next((r for r in range(R, nu - 1, -1) if epochs >= 3 ** (math.log(r) / math.log(nu)) * (1 - 1e-9)), None)
    try:
        assert slow == adjust(R, nu, epochs).R
    except InvalidInput:
        assert slow is None


def test_auto_with_an_r_beyond_reason_is_answered_at_once() -> None:
    begin = time.monotonic()
    assert adjust(10**9, 3, 80).R == 80
    assert time.monotonic() - begin < 1


def test_the_switches_of_auto_keep_the_multiplier_real_and_r_as_it_is() -> None:
    found = adjust(27, 3, 10, floor=False, lower=False)
    assert found.R == 27
    assert found.multiplier == pytest.approx(10 ** (1 / 3))
    assert adjust(27, 3, 80, floor=False).multiplier == pytest.approx(80 ** (1 / 3))


def test_the_plan_says_what_auto_has_done() -> None:
    plan = Hyperband(R=27, nu=3, epoch_multiplier="auto", max_epochs=10).plan()
    assert plan.notes == (
        "R lowered from 27 to 10 for max_epochs = 10",
        "epoch_multiplier = 3, from max_epochs = 10",
        "the longest training gets 27 epochs, not 10; 'budget' keeps to it",
    )
    assert plan.multiplier == 3
    plan = Hyperband(R=27, nu=3, epoch_multiplier="auto", max_epochs=80).plan()
    assert plan.notes[-1] == "the longest training gets 108 epochs, not 80; 'budget' keeps to it"
    assert Hyperband(R=27, nu=3, epoch_multiplier="budget", max_epochs=80).plan().notes == ()


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Hyperband(R=2, nu=3), r"nu: 3 with R: 2; allowed: whole numbers with 2 <= nu <= R"),
        (Hyperband(R=27, nu=1), "nu: 1 with R: 27"),
        (Hyperband(R=10**12, nu=10**11), "R: 1000000000000"),
        (Hyperband(max_epochs=0), "max_epochs: 0"),
        (Hyperband(max_epochs=10**400), "max_epochs: 1000"),
        (Hyperband(epoch_multiplier=0), "epoch_multiplier: 0; allowed: whole numbers from 1"),
        (Hyperband(epoch_multiplier=-3), "epoch_multiplier: -3"),
        (Hyperband(epoch_multiplier="auto", max_epochs=2), "max_epochs: 2 is too few for epoch_multiplier: auto"),
        (
            Hyperband(R=27, epoch_multiplier="budget", max_epochs=10),
            "max_epochs: 10 leaves two rungs that end at epoch 1",
        ),
        (Hyperband(R=10**6, nu=2, epoch_multiplier=1), "the plan has [0-9,]+ experiments; allowed: up to 100,000"),
        (SuccessiveHalving(Hyperband(), 0), "max_recommendations: 0"),
        (SuccessiveHalving(Hyperband(), MAX_EXPERIMENTS + 1), "the plan has 100,001 experiments"),
        (Sequential(experiments=0), "max_recommendations: 0; allowed: whole numbers from 1"),
        (Sequential(epochs=0), "max_epochs: 0"),
        (Sequential(parallel=0), "parallel: 0"),
        (Sequential(experiments=MAX_EXPERIMENTS + 1, parallel=None), "the plan has 100,001 experiments"),
    ],
)
def test_what_makes_no_plan_is_refused_with_advice(schedule: Schedule, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        schedule.plan()
