"""A stage without a barrier: who goes on, when it is over, and that its decisions can be made again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.errors import NotReady
from automl.problem.metric import Metric
from automl.search.agenda import due, open_runs, pending, standing_in
from automl.search.asynchronous import standing_of
from automl.search.brain import Brain
from automl.search.extension import Extension, GrowsBy, Growth, extended
from automl.search.history import Decision, Failure, History, Origin, Outcome, Recommendation, Result
from automl.search.plan import Plan
from automl.search.race import Judgement
from automl.search.samplers.uniform import Uniform
from automl.search.schedules.asynchronous import ASHA, AsynchronousHyperband, OneByOne
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.sequential import Sequential
from automl.search.schedules.successive_halving import SuccessiveHalving
from automl.testing.spaces import space_of
from tests.simulation.studies import study

LOSS = Metric("loss", "minimize")
SPACE = space_of(x={"type": "float", "low": 0.0, "high": 1.0})
R9 = Hyperband(R=9, nu=3, epoch_multiplier=1)
PLANS = {
    "9 by 3": extended(ASHA(SuccessiveHalving(R9, 9)), None, (), Judgement(1)),
    "13 by 3": extended(ASHA(SuccessiveHalving(R9, 13)), None, (), Judgement(0)),
    "1": extended(ASHA(SuccessiveHalving(R9, 1)), None, (), Judgement(1)),
    "brackets": extended(
        AsynchronousHyperband(Hyperband(R=9, nu=3, epoch_multiplier=1, random_stage=True)), None, (), Judgement(1)
    ),
    "one by one": extended(OneByOne(Hyperband(R=9, nu=3, epoch_multiplier=1)), None, (), Judgement(1)),
    "13 one by one": extended(OneByOne(SuccessiveHalving(R9, 13)), None, (), Judgement(0)),
    "a chain": extended(Sequential(7, 5, 3, overlap=True), None, (), Judgement(1)),
    "a chain that was extended": extended(
        Sequential(4, 5, 2, overlap=True),
        Growth(GrowsBy.EXPERIMENTS, Sequential.more),
        (Extension(7), Extension(8)),
        Judgement(1),
    ),
    "a larger R": extended(
        ASHA(SuccessiveHalving(R9, 9)), Growth(GrowsBy.RESOURCE, ASHA.larger), (Extension(R=27),), Judgement(1)
    ),
}


@dataclass
class Study:
    """A study whose trainings end in an order that `rng` draws; experiment n has the loss of `losses`, or fails."""

    plan: Plan
    rng: random.Random
    workers: int = 3
    failing: float = 0.0
    history: History = field(default_factory=lambda: History(LOSS))
    made: list[tuple[Decision, tuple[Decision, ...]]] = field(default_factory=list)  # with those that stood then

    def __post_init__(self) -> None:
        self.brain = Brain(self.plan, SPACE, Uniform(), LOSS, seed=1)

    def to_the_end(self) -> History:
        while True:
            runs = open_runs(self.history, *self.history.decisions)
            for stage in self.plan.stages:
                if stage.overlap is not None and stage.overlap.most is not None:
                    assert len(standing_in(self.history, stage).open) <= stage.overlap.most
            if steps := due(self.plan, self.history, on_demand=len(runs) < self.workers):
                self.decide(steps[0].stage, steps[0].index)
            elif runs:
                self.settle(self.rng.choice(runs).key)
            else:
                return self.history

    def decide(self, stage: int, index: int) -> None:
        earlier, seen = self.history.decisions, self.seen()
        if not self.plan.sees_all(stage, index):
            chain = self.plan.chain(self.plan.stages[stage])
            earlier = tuple(decision for link in chain for decision in self.history.of_stage(link.index))
        outcomes = [
            result.outcome()
            for run, result in self.history.results.items()
            if self.plan.sees_all(stage, index) or (run not in seen and run in asked_for(earlier))
        ]
        decision = self.brain.decide(stage, index, earlier, outcomes, ())
        self.made.append((decision, tuple(earlier)))
        self.history = self.history.with_decision(decision)

    def seen(self) -> set[tuple[int, int]]:
        return {(each.experiment, each.rung) for decision in self.history.decisions for each in decision.consumed}

    def settle(self, run: tuple[int, int]) -> None:
        number, rung = run
        (epochs,) = {
            issued.epochs
            for decision in self.history.decisions
            for issued, at in decision.runs()
            if (issued.number, at) == run
        }
        if number and self.rng.random() < self.failing:
            result = Result(number, rung, ("a",), 0, 1.0, failure=Failure.ERROR)
        else:
            loss = self.rng.random()
            result = Result(number, rung, ("a",), epochs, 1.0, ((epochs, loss),), best_value=loss)
        self.history = self.history.with_result(result)


ORDERS = st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([0.0, 0.3, 1.0])  # seeds, workers, failing


def ended(plan: Plan, seed: int, workers: int, failing: float) -> Study:
    """A study in which chance orders the ends; all its stages came to theirs."""
    study = Study(plan, random.Random(seed), workers, failing)  # noqa: S311 - chance, not a secret
    history = study.to_the_end()
    assert pending(plan, history) == ()
    assert all(standing_in(history, stage).is_over for stage in plan.search)
    return study


def asked_for(decisions: tuple[Decision, ...]) -> set[tuple[int, int]]:
    return {(issued.number, rung) for decision in decisions for issued, rung in decision.runs()}


@given(st.sampled_from(sorted(PLANS)), *ORDERS)
@settings(max_examples=150, deadline=None)
def test_whatever_the_order_of_ends_a_study_comes_to_its_end_within_its_plan(
    name: str, seed: int, workers: int, failing: float
) -> None:
    plan = PLANS[name]
    study = ended(plan, seed, workers, failing)
    history = study.history
    for stage in plan.search:
        standing = standing_in(history, stage)
        sizes = [len(numbers) for numbers in standing.rungs]
        assert all(size <= rung.size for size, rung in zip(sizes, stage.rungs, strict=True))
        assert [size for size, rung in zip(sizes, stage.rungs, strict=True) if rung.new] == [
            rung.size for rung in stage.rungs if rung.new
        ]
        if not failing:
            assert sizes == [rung.size for rung in stage.rungs]
        assert sorted({number for numbers in standing.rungs for number in numbers}) == list(
            range(stage.first, stage.first + stage.experiments)
        )
        for decision in standing.decisions:
            assert len(decision.issued) == 1
    runs = [(issued.number, rung) for decision in history.decisions for issued, rung in decision.runs()]
    assert len(runs) == len(set(runs))
    consumed = [
        (each.experiment, each.rung)
        for decision in history.decisions
        if not plan.sees_all(decision.stage, decision.index)
        for each in decision.consumed
    ]
    assert len(consumed) == len(set(consumed))


@given(st.sampled_from(sorted(PLANS)), st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_who_goes_on_is_among_the_best_of_its_rung_and_no_more_than_one_of_nu_do(
    name: str, seed: int, workers: int
) -> None:
    study = Study(PLANS[name], random.Random(seed), workers, failing=0.2)  # noqa: S311 - chance, not a secret
    study.to_the_end()
    for decision, earlier in study.made:
        stage = study.plan.stages[decision.stage]
        if stage.overlap is None or decision.issued[0].resume_epoch == 0:
            continue
        ((issued, rung),) = decision.runs()
        own = [each for each in earlier if each.stage == stage.index]
        standing = standing_of(stage, own, decision.consumed, LOSS)
        reached = standing.outcomes[issued.number, rung - 1]
        assert reached.value is not None
        assert issued.resume_epoch == reached.epochs == stage.rungs[rung - 1].epochs
        results = standing.results(rung - 1)
        better = [each for each in results if each.value is not None and each.value < reached.value]
        assert all(each.experiment in standing.rungs[rung] for each in better), "a better one was passed over"
        complete = len(results) == len(standing.rungs[rung - 1])
        assert complete or len(standing.rungs[rung]) + 1 <= len(results) // 3
        assert complete or not stage.overlap.whole
        if stage.overlap.whole:
            assert len(results) == stage.rungs[rung - 1].size, "a rung is compared as a whole"
        assert len(standing.rungs[rung]) < stage.rungs[rung].size


@given(st.sampled_from(sorted(PLANS)), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_a_decision_is_made_again_from_what_it_says_it_consumed(name: str, seed: int) -> None:
    study = Study(PLANS[name], random.Random(seed), 3, failing=0.2)  # noqa: S311 - chance, not a secret
    study.to_the_end()
    for decision, earlier in study.made:
        shuffled = list(decision.consumed)
        random.Random(seed).shuffle(shuffled)  # noqa: S311 - chance, not a secret
        assert study.brain.decide(decision.stage, decision.index, earlier, shuffled, ()) == decision
        again = Decision.from_json(decision.to_json(), "it")
        assert again == decision


def test_the_values_of_an_experiment_do_not_depend_on_the_order_of_ends() -> None:
    """A sampler that ignores results proposes the same for a number, however many workers there are."""
    values = [
        {
            issued.number: dict(issued.values)
            for decision in Study(PLANS["13 by 3"], random.Random(seed), workers).to_the_end().decisions  # noqa: S311
            for issued in decision.issued
        }
        for seed, workers in ((1, 1), (2, 5))
    ]
    assert values[0] == values[1]
    assert len({tuple(each.items()) for each in values[0].values()}) == 13


def outcome(number: int, rung: int, value: float | None) -> Outcome:
    failure = Failure.ERROR if value is None else None
    return Outcome(number, rung, 3**rung, value, best_value=value, failure=failure)


def asked(*runs: tuple[int, int]) -> list[Decision]:
    return [
        Decision(0, index, (), (Recommendation(number, {}, 3**rung, 9, 1, "", rung=rung),))
        for index, (number, rung) in enumerate(runs)
    ]


@pytest.mark.parametrize(
    ("runs", "outcomes", "expected"),
    [
        ([], [], (0, None)),  # a new one
        ([(0, 0), (1, 0)], [outcome(0, 0, 1.0), outcome(1, 0, 2.0)], (0, None)),  # of two results none goes on
        ([(0, 0), (1, 0), (2, 0)], [outcome(n, 0, n) for n in range(3)], (1, 0)),  # of three the best does
        ([(0, 0), (1, 0), (2, 0)], [outcome(0, 0, None), outcome(1, 0, 2.0), outcome(2, 0, 1.0)], (1, 2)),
        ([(0, 0), (1, 0), (2, 0)], [outcome(n, 0, None) for n in range(3)], (0, None)),  # all failed
        ([(0, 0), (1, 0), (2, 0), (0, 1)], [outcome(n, 0, n) for n in range(3)], (0, None)),  # it went on already
        (
            [*((n, 0) for n in range(9)), (0, 1), (1, 1), (2, 1)],
            [*(outcome(n, 0, n) for n in range(9)), *(outcome(n, 1, -n) for n in range(3))],
            (2, 2),  # the longest rung first
        ),
        (
            [*((n, 0) for n in range(9)), (0, 1), (1, 1)],
            [*(outcome(n, 0, n if n < 2 else None) for n in range(9)), outcome(0, 1, 1.0)],
            None,  # two of nine succeeded, both went on, and one may still turn out better
        ),
        (
            [*((n, 0) for n in range(9)), (0, 1), (1, 1)],
            [*(outcome(n, 0, n if n < 2 else None) for n in range(9)), outcome(0, 1, 1.0), outcome(1, 1, 0.5)],
            (2, 1),  # nothing more can come into the rung: its best goes on, as after a barrier
        ),
    ],
)
def test_what_is_asked_for_next(
    runs: list[tuple[int, int]], outcomes: list[Outcome], expected: tuple[int, int | None] | None
) -> None:
    standing = standing_of(PLANS["9 by 3"].stages[0], asked(*runs), outcomes, LOSS)
    following = standing.next()
    found = following and (following.rung, following.promoted and following.promoted.outcome.experiment)
    assert found == expected
    assert not standing.is_over
    if expected is None:
        with pytest.raises(NotReady, match="has nothing to ask for now: 1 trainings are under way"):
            standing.needed()


def test_the_defaults_come_first_and_a_promoted_experiment_keeps_its_origin() -> None:
    history = Study(PLANS["9 by 3"], random.Random(4)).to_the_end()  # noqa: S311 - chance, not a secret
    origins: dict[int, set[Origin | None]] = {}
    for decision in history.of_stage(0):
        for issued in decision.issued:
            origins.setdefault(issued.number, set()).add(issued.origin)
    assert origins == {0: {Origin.DEFAULT}, **{number: {Origin.SAMPLER} for number in range(1, 9)}}


def test_the_first_experiment_of_a_larger_r_has_the_best_values_so_far() -> None:
    study = Study(PLANS["a larger R"], random.Random(3))  # noqa: S311 - chance, not a secret
    history = study.to_the_end()
    larger = study.plan.search[1]
    (issued,) = history.of_stage(larger.index)[0].issued
    best = min(
        (each for each in history.of_stage(larger.index)[0].consumed if each.value is not None),
        key=lambda each: each.value or 0.0,
    )
    assert issued.origin is Origin.CARRIED_OVER
    assert issued.values == next(
        each.values for decision in history.of_stage(0) for each in decision.issued if each.number == best.experiment
    )


@pytest.mark.parametrize("algorithm", ["asha", "asynchronous_hyperband"])
def test_no_configuration_is_trained_twice_and_a_small_space_ends_the_search(algorithm: str) -> None:
    lr = {"type": "categorical", "options": [0.01, 0.02, 0.03, 0.04, 0.05], "automl_enabled": True}
    small = study(
        {"algorithm": algorithm, "R": 9, "nu": 3, "final": {"repeats": 0}}, network={"parameters": {"train.lr": lr}}
    )
    walk = Study(small.plan, random.Random(1))  # noqa: S311 - chance, not a secret
    walk.brain = small.brain
    history = walk.to_the_end()
    values = {issued.number: issued.values["train.lr"] for each in history.decisions for issued in each.issued}
    assert sorted(values) == list(range(5))
    assert sorted(map(float, values.values())) == [0.01, 0.02, 0.03, 0.04, 0.05]
    standing = standing_in(history, small.plan.stages[0])
    assert [len(numbers) for numbers in standing.rungs] == [rung.size for rung in small.plan.stages[0].rungs]


def test_a_decision_that_found_no_configuration_begins_nothing_more() -> None:
    stage = PLANS["9 by 3"].stages[0]
    made = [*asked((0, 0), (1, 0)), Decision(0, 2, (), ())]
    known = [outcome(0, 0, 1.0), outcome(1, 0, 2.0)]
    assert standing_of(stage, made, known[:1], LOSS).next() is None
    following = standing_of(stage, made, known, LOSS).next()
    assert following is not None
    assert following.promoted is not None
    assert following.promoted.outcome.experiment == 0
