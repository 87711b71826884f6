"""Population based training: who takes over from whom, what a training is made of, and the judgement of a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from automl.problem.metric import Metric
from automl.search.brain import Brain
from automl.search.extension import with_final
from automl.search.history import Decision, Failure, Origin, Outcome, Recommendation, Segment
from automl.search.plan import StageKind
from automl.search.population import lineage, moves, schedule_of, values_at
from automl.search.race import DEFAULTS, Judgement
from automl.search.samplers.uniform import Uniform
from automl.search.schedules.population import PopulationBased
from automl.testing.spaces import space_of
from automl.text import strict_json

LOSS = Metric("loss", "minimize")
SPACE = space_of(
    lr={"type": "float", "low": 0.001, "high": 1.0, "log": True, "default": 0.01},
    width={"type": "int", "low": 4, "high": 32},
)


def outcomes(values: Sequence[float | None], epochs: int = 2, rung: int = 0) -> list[Outcome]:
    """Of the members 0, 1, ...; None is a failure."""
    return [
        Outcome(number, rung, epochs, value, value, failure=Failure.ERROR if value is None else None)
        for number, value in enumerate(values)
    ]


def chance(member: int) -> np.random.Generator:
    return np.random.default_rng(member)


def test_the_lower_quarter_takes_over_from_the_upper_one() -> None:
    moved, stopped = moves(outcomes([0.5, 0.1, 0.9, 0.4, 0.2, 0.8, 0.3, 0.6]), LOSS, chance)
    assert stopped == ()
    assert [move.member for move in moved] == list(range(8))
    assert {move.member for move in moved if move.takes_over} == {2, 5}
    assert {move.from_.experiment for move in moved if move.takes_over} <= {1, 4}
    assert moved[2].reason.startswith("rank 8 of 8 at epoch 2 by loss = 0.9, in the lower quarter; takes over from")


def test_the_defaults_are_taken_over_and_take_over_from_nobody() -> None:
    moved, _ = moves(outcomes([0.9, 0.1, 0.8, 0.4]), LOSS, chance)
    assert [move.member for move in moved if move.takes_over] == [2]
    moved, _ = moves(outcomes([0.1, 0.9, 0.8, 0.4]), LOSS, chance)
    assert [(move.member, move.from_.experiment) for move in moved if move.takes_over] == [(1, DEFAULTS)]


def test_a_failed_member_is_replaced_and_failed_defaults_stop() -> None:
    moved, stopped = moves(outcomes([None, 0.1, None, 0.4, 0.5]), LOSS, chance)
    assert [stop.number for stop in stopped] == [DEFAULTS]
    assert [(move.member, move.from_.experiment) for move in moved if move.takes_over] == [(2, 1)]
    assert moved[1].reason == "failed at epoch 2: error; takes over from experiment 1, rank 1 with 0.1"
    moved, stopped = moves(outcomes([None, None]), LOSS, chance)
    assert (moved, [stop.number for stop in stopped]) == ((), [0, 1])


def _walk(judgement: Judgement, members: int = 6) -> tuple[Brain, list[Decision]]:
    """A study whose members are the better the nearer their learning rate is to 0.1, by the last interval alone."""
    plan = with_final(PopulationBased(members, 2, 6).plan(), judgement)
    brain = Brain(plan, SPACE, Uniform(), LOSS, seed=3, changeable=("lr",))
    made: list[Decision] = []
    seen: list[Outcome] = []
    for stage in plan.stages:
        earlier = made if stage.kind is StageKind.FINAL else []
        consumed = list(seen) if stage.kind is StageKind.FINAL else []
        for rung in stage.rungs:
            decision = brain.decide(stage.index, rung.index, earlier, consumed, ())
            decision = Decision.from_json(strict_json.load(strict_json.dump(decision.to_json()), "it"), "it")
            made.append(decision)
            earlier = [each for each in made if each.stage == stage.index]
            consumed = [
                Outcome(each.number, rung.index, each.epochs, value := abs(np.log10(each.values["lr"]) + 1), value)
                for each in decision.issued
            ]
            seen += consumed
    return brain, made


def test_values_that_may_not_change_never_do() -> None:
    _, made = _walk(Judgement(0))
    by_number = {each.number: each for each in made[0].issued}
    for decision in made[1:]:
        for issued in decision.issued:
            if issued.parent is None:
                assert issued.values == by_number[issued.number].values
            else:
                taken = by_number[issued.parent]
                assert issued.values["width"] == taken.values["width"]
                assert (issued.seed, issued.origin) == (taken.seed, Origin.EXPLORED)
                assert issued.resume_epoch == taken.epochs
        by_number = {each.number: each for each in decision.issued}
        assert by_number[DEFAULTS].values == SPACE.defaults()
    assert any(each.parent is not None for decision in made for each in decision.issued)


def test_a_lineage_leads_back_to_the_first_interval() -> None:
    _, made = _walk(Judgement(0))
    for last in made[-1].issued:
        trained = lineage(made, last.number, 2)
        assert [each.epochs for each in trained] == [2, 4, 6]
        assert trained[-1] == last
        for before, after in pairwise(trained):
            assert before.number == (after.number if after.parent is None else after.parent)
            assert (after.resume_epoch, after.seed) == (before.epochs, before.seed)


def test_a_schedule_joins_what_has_the_same_values() -> None:
    def issued(epochs: int, lr: float) -> Recommendation:
        return Recommendation(1, {"lr": lr}, epochs, 6, 1, "")

    schedule = schedule_of([issued(2, 0.1), issued(4, 0.1), issued(6, 0.2)])
    assert schedule == (Segment(4, {"lr": 0.1}), Segment(6, {"lr": 0.2}))
    assert [values_at(schedule, epochs)["lr"] for epochs in (2, 4, 5, 6, 8)] == [0.1, 0.1, 0.2, 0.2, 0.2]


def test_the_judgement_trains_the_whole_schedule_again() -> None:
    brain, made = _walk(Judgement(2, 2, 9.0))
    final = brain.plan.finals[0]
    assert [(rung.epochs, rung.new) for rung in final.rungs] == [(2, True), (4, False), (6, False)] * 2
    assert final.entrants == (3, 3, 3, 2, 2, 2)
    search = [each for each in made if each.stage == 0]
    judged = [each for each in made if each.stage == final.index]
    for first in judged[0].issued:
        assert first.source is not None
        parts = [each for decision in judged[:3] for each in decision.issued if each.number == first.number]
        wanted = lineage(search, first.source, 2)
        assert [each.values for each in parts] == [each.values for each in wanted]
        assert [each.resume_epoch for each in parts] == [0, 2, 4]
        assert len({each.seed for each in parts}) == 1
    assert any(first.schedule for first in judged[0].issued), "somebody's values have changed"
    assert len(judged[3].stopped) == 1
    assert {each.source for each in judged[3].issued} == {DEFAULTS, judged[0].issued[1].source}


def test_a_judgement_without_a_race_is_one_of_one_candidate() -> None:
    brain, made = _walk(Judgement(2))
    final = brain.plan.finals[0]
    assert [rung.size for rung in final.rungs] == [4, 4, 4]
    assert {each.source for each in made[-1].issued} > {DEFAULTS}


def test_a_training_that_failed_in_the_judgement_does_not_go_on() -> None:
    brain, made = _walk(Judgement(1, 1, 9.0))
    judged = [each for each in made if each.stage == 1]
    candidate = judged[0].issued[1].number
    failing = [
        Outcome(each.number, 0, 2, None, failure=Failure.ERROR)
        if each.number == candidate
        else Outcome(each.number, 0, 2, 0.5, 0.5)
        for each in judged[0].issued
    ]
    assert [each.number for each in brain.decide(1, 1, judged[:1], failing, ()).issued] == [judged[0].issued[0].number]
