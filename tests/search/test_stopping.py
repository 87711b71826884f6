"""Experiments that train on until they are stopped: who is, by which rule, and that each answer can be given again."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.problem.metric import Metric
from automl.search.agenda import open_runs, pending, standing_in
from automl.search.asynchronous import standing_of
from automl.search.extension import Extension, GrowsBy, Growth, extended
from automl.search.history import Decision, Failure, Outcome, Recommendation, Stopped
from automl.search.plan import Plan, Resume, Stage, StopRule, trained_by
from automl.search.race import Judgement
from automl.search.schedules.asynchronous import ASHA, AsynchronousHyperband
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.successive_halving import SuccessiveHalving
from automl.search.stopping import answer, likely_epochs, likely_sizes
from tests.search.test_asynchronous import ORDERS, Study, ended

LOSS, ACCURACY = Metric("loss", "minimize"), Metric("acc", "maximize")
R9 = Hyperband(R=9, nu=3, epoch_multiplier=1)
NINE = ASHA(SuccessiveHalving(R9, 9))


def stopping(schedule: ASHA | AsynchronousHyperband, rule: StopRule, *extensions: Extension) -> Plan:
    growth = Growth(GrowsBy.RESOURCE, type(schedule).larger) if extensions else None
    return extended(schedule, growth, extensions, Judgement(1), resume=Resume.STOP, rule=rule)


PLANS = {
    "asha": stopping(NINE, StopRule.ASHA),
    "median": stopping(NINE, StopRule.MEDIAN),
    "one": stopping(ASHA(SuccessiveHalving(R9, 1)), StopRule.ASHA),
    "brackets": stopping(AsynchronousHyperband(R9), StopRule.ASHA),
    "a larger R": stopping(NINE, StopRule.ASHA, Extension(R=27)),
}


def reached(number: int, value: float | None, *, mean: float | None = None, peak: float | None = None) -> Outcome:
    failure = Failure.ERROR if value is None else None
    return Outcome(number, 0, 3, value, best_value=value, failure=failure, mean=mean, peak=peak)


@pytest.mark.parametrize(
    ("own", "others", "goes_on"),
    [
        (1.0, [], True),  # the first
        (1.0, [2.0], True),
        (2.0, [1.0], False),  # the second must be better than the first
        (2.0, [None, None], True),  # failures are no results
        (2.0, [1.0, 3.0, 4.0, 5.0], False),  # of five the best
        (2.0, [1.0, 3.0, 4.0, 5.0, 6.0], True),  # of six the best two
        (2.0, [1.0, 3.0, 4.0, 5.0, None], False),
        (1.0, [1.0], False),  # of equal ones the one with the lower number
    ],
)
def test_by_asha_the_best_one_of_nu_of_the_results_so_far_trains_on(
    own: float, others: list[float | None], goes_on: bool
) -> None:
    mine = reached(9, own)
    results = [*(reached(number, value) for number, value in enumerate(others)), mine]
    for metric, sign in ((LOSS, 1), (ACCURACY, -1)):
        signed = [replace(one, value=None if one.value is None else sign * one.value) for one in results]
        assert answer(signed[-1], signed, StopRule.ASHA, 3, metric).goes_on is goes_on


@pytest.mark.parametrize(
    ("peak", "means", "goes_on"),
    [
        (9.0, [], True),
        (9.0, [1.0, 2.0], True),  # two others are too few
        (9.0, [1.0, 2.0, 3.0], False),
        (2.0, [1.0, 2.0, 3.0], True),  # as good as the median
        (2.4, [1.0, 2.0, 3.0, 4.0], True),  # between the middle two
        (2.6, [1.0, 2.0, 3.0, 4.0], False),
        (2.6, [1.0, 2.0, 3.0, None], False),  # a failure has no mean
        (9.0, [1.0, 2.0, None], True),
    ],
)
def test_by_the_median_rule_who_was_at_best_worse_than_the_others_on_average_is_stopped(
    peak: float, means: list[float | None], goes_on: bool
) -> None:
    others = [reached(number, mean and 50.0, mean=mean, peak=mean and 0.0) for number, mean in enumerate(means)]
    mine = reached(9, 60.0, mean=70.0, peak=peak)  # its last value and its own mean are not looked at
    assert answer(mine, [*others, mine], StopRule.MEDIAN, 3, LOSS).goes_on is goes_on


def test_reasons_tell_what_was_compared() -> None:
    results = [reached(number, float(number)) for number in range(6)]
    assert answer(results[1], results, StopRule.ASHA, 3, LOSS).reason == (
        "rank 2 of 6 at epoch 3 by loss = 1; of 6 results so far the best 2 go on"
    )
    courses = [reached(number, 5.0, mean=float(number), peak=4.0) for number in range(4)]
    assert answer(courses[3], courses, StopRule.MEDIAN, 3, LOSS).reason == (
        "loss at best 4 by epoch 3 is worse than 1, the median of the averages of 3 others"
    )


@given(st.sampled_from(sorted(PLANS)), *ORDERS)
@settings(max_examples=80, deadline=None)
def test_whatever_the_order_of_ends_every_result_has_one_answer_that_can_be_given_again(
    name: str, seed: int, workers: int, failing: float
) -> None:
    plan = PLANS[name]
    study = ended(plan, seed, workers, failing)
    history = study.history
    for stage in plan.search:
        standing = standing_in(history, stage)
        assert standing.unanswered == ()
        assert standing.still_coming() == [0] * len(stage.rungs)
        assert len(standing.decisions) <= stage.most_decisions
        begun = [number for decision in standing.decisions for number in begins(stage, decision)]
        assert sorted(begun) == list(range(stage.first, stage.first + stage.experiments))
        assert stage.turns == len(begun)
    for decision, earlier in study.made:
        stage = plan.stages[decision.stage]
        if not stage.stops:
            continue
        assert len(decision.issued) + len(decision.stopped) == 1
        shuffled = random.Random(seed).sample(decision.consumed, len(decision.consumed))  # noqa: S311 - not a secret
        assert study.brain.decide(decision.stage, decision.index, earlier, shuffled, ()) == decision
        assert Decision.from_json(decision.to_json(), "it") == decision
        for issued, rung in decision.runs():
            assert issued.schedule_epochs == stage.longest_from(rung)
            assert (issued.resume_epoch == 0) == stage.rungs[rung].new


def begins(stage: Stage, decision: Decision) -> list[int]:
    return [issued.number for issued, rung in decision.runs() if stage.rungs[rung].new]


def test_no_worker_has_to_be_free_for_an_answer_and_nothing_begins_before_it() -> None:
    plan = PLANS["asha"]
    study = Study(plan, random.Random(1), workers=9)  # noqa: S311 - chance, not a secret
    for index in range(3):
        study.decide(0, index)
    assert pending(plan, study.history)[0].on_demand
    for run in open_runs(study.history, *study.history.decisions)[:2]:
        study.settle(run.key)
    for index in (3, 4):  # an answer to each
        (following,) = [each for each in pending(plan, study.history) if each.step.stage == 0]
        assert following.is_due
        assert not following.on_demand
        study.decide(0, index)
    assert [(len(each.issued), len(each.stopped)) for each in study.history.decisions].count((0, 1)) <= 1
    assert pending(plan, study.history)[0].on_demand


def test_an_experiment_that_was_stopped_is_asked_for_nothing_more_and_its_rung_may_be_short() -> None:
    stage = PLANS["asha"].stages[0]
    asked = [Decision(0, n, (), (Recommendation(n, {}, 1, 9, 1, "", rung=0),)) for n in range(2)]
    first = Decision(0, 2, (), (Recommendation(0, {}, 3, 9, 1, "", resume_epoch=1, rung=1),))
    second = Decision(0, 3, (), (), (Stopped(1, "it fell behind"),))
    outcomes = [Outcome(n, 0, 1, float(n), best_value=float(n)) for n in range(2)]
    standing = standing_of(stage, [*asked, first, second], outcomes, LOSS)
    assert standing.stopped == {1: "it fell behind"}
    assert standing.unanswered == ()
    assert standing.still_coming() == [7, 7, 8]
    following = standing.next()
    assert following is not None
    assert following.begins


def test_the_plan_has_room_for_all_and_says_what_can_be_expected() -> None:
    plan = trained_by(ASHA(SuccessiveHalving(Hyperband(R=27, nu=3, epoch_multiplier=1), 27)).plan(), Resume.STOP)
    (stage,) = plan.stages
    assert [rung.size for rung in stage.rungs] == [27] * 4
    assert plan.epochs(resume=True) == plan.epochs(resume=False) == 27 * 27
    assert (stage.starts, stage.turns, stage.most_decisions) == (27, 27, 27 * 4)
    rng, gone = random.Random(7), 0  # noqa: S311 - chance, not a secret
    for _ in range(400):
        seen: list[Outcome] = []
        for number in range(27):
            seen.append(reached(number, rng.random()))
            gone += answer(seen[-1], seen, StopRule.ASHA, 3, LOSS).goes_on
    assert likely_sizes(stage)[1] == pytest.approx(gone / 400, rel=0.05)
    assert likely_epochs(plan.stages) < 27 * 4  # which each rung trained anew takes
