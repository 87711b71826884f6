"""Walking by what is due: every decision once, none before its results, whatever order the trainings end in."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.problem.metric import Metric
from automl.search.agenda import Run, Step, due, open_runs, pending, runs_of_decision
from automl.search.extension import Extension, GrowsBy, Growth, extended
from automl.search.history import Decision, History, Recommendation, Result
from automl.search.plan import Plan, Rung, Stage, StageKind
from automl.search.race import Judgement
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.sequential import Sequential
from automl.search.schedules.successive_halving import SuccessiveHalving

CHAIN = Growth(GrowsBy.EXPERIMENTS, Sequential.more)
LOSS = Metric("loss", "minimize")
PLANS: dict[str, Plan] = {
    "bayesian": extended(Sequential(7, 3, 2), None, (), Judgement(2)),
    "random": extended(Sequential(5, 3, None), None, (), Judgement(0)),
    "halving": extended(SuccessiveHalving(Hyperband(9, 3, "budget", 9)), None, (), Judgement(1)),
    "hyperband": extended(Hyperband(9, 3, "budget", 9), None, (), Judgement(1)),
    "a chain that was extended twice": extended(
        Sequential(3, 3, 1), CHAIN, (Extension(max_recommendations=5), Extension(max_recommendations=6)), Judgement(1)
    ),
    "a race": extended(Sequential(40, 3, 4), None, (), Judgement(4, 3)),
    "a larger R": extended(
        Hyperband(9, 3, "budget", 9), Growth(GrowsBy.RESOURCE, Hyperband.larger), (Extension(R=27),), Judgement(1)
    ),
}


def issue(plan: Plan, step: Step, history: History) -> Decision:
    """A decision as a brain would make it: new experiments by the plan's numbers, or the first of those before."""
    stage = plan.stages[step.stage]
    rung = stage.rungs[step.index]
    if rung.new:
        first = stage.first_of(step.index)
        numbers = list(range(first, first + rung.size))
    else:
        numbers = [each.number for each in history.of_stage(step.stage)[step.index - 1].issued][: rung.size]
    issued = tuple(Recommendation(number, {}, rung.epochs, rung.epochs, 1, "") for number in numbers)
    return Decision(step.stage, step.index, (), issued)


@dataclass
class Walk:
    """A study carried out by what is due; `rng` says which training ends next and when a decision is made."""

    plan: Plan
    rng: random.Random
    history: History = field(default_factory=lambda: History(LOSS))
    order: list[Step] = field(default_factory=list)

    def to_the_end(self) -> None:
        while True:
            steps, runs = due(self.plan, self.history), self.open()
            if not steps and not runs:
                return
            if steps and (not runs or self.rng.random() < 0.5):
                self.decide(self.rng.choice(steps))
            else:
                self.settle(self.rng.choice(runs))

    def open(self) -> list[Run]:
        return [run for decision in self.history.decisions for run in open_runs(self.history, decision)]

    def decide(self, step: Step) -> None:
        for stage, index in self.plan.before(step.stage, step.index):
            (decision,) = [each for each in self.history.decisions if (each.stage, each.index) == (stage.index, index)]
            assert not open_runs(self.history, decision), f"{step} was due before its results were there"
        self.history = self.history.with_decision(issue(self.plan, step, self.history))
        self.order.append(step)

    def settle(self, run: Run) -> None:
        number, rung = run.key
        self.history = self.history.with_result(
            Result(number, rung, ("a",), run.recommendation.epochs, 1.0, history=((run.recommendation.epochs, 0.5),))
        )


@given(st.sampled_from(sorted(PLANS)), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_walk_makes_every_decision_once_and_none_before_its_results(name: str, seed: int) -> None:
    plan = PLANS[name]
    walk = Walk(plan, random.Random(seed))  # noqa: S311 - chance, not a secret
    walk.to_the_end()
    assert sorted(walk.order) == [Step(stage.index, rung.index) for stage in plan.stages for rung in stage.rungs]
    assert len(walk.history.results) == plan.runs
    place = {step: at for at, step in enumerate(walk.order)}
    for stage in plan.stages:
        first = place[Step(stage.index, 0)]
        searched = stage.retrains if stage.retrains is not None else stage.index if stage.kind is StageKind.FINAL else 0
        seen = [each for each in plan.search if each.index < searched]
        seen += [] if stage.continues is None else [plan.stages[stage.continues]]
        assert all(place[Step(each.index, len(each.rungs) - 1)] < first for each in seen)


@given(st.sampled_from(sorted(PLANS)), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_what_is_due_depends_on_what_stands_and_not_on_the_way_there(name: str, seed: int) -> None:
    """Killed at any moment, whoever reads the record again finds the same decisions due."""
    rng = random.Random(seed)  # noqa: S311 - chance, not a secret
    walk = Walk(PLANS[name], rng)
    for _ in range(rng.randrange(40)):
        steps, runs = due(walk.plan, walk.history), walk.open()
        if steps:
            walk.decide(rng.choice(steps))
        elif runs:
            walk.settle(rng.choice(runs))
    stands = walk.history
    again = History(LOSS, tuple(stands.decisions), dict(sorted(stands.results.items(), reverse=True)))
    assert due(walk.plan, again) == due(walk.plan, stands)


@pytest.mark.parametrize("name", PLANS)
def test_a_rung_for_which_nothing_is_left_does_not_hold_up_the_stage(name: str) -> None:
    """Every training before it has failed: the next decision is due at once, and asks for nothing either."""
    plan, history = PLANS[name], History(LOSS)
    while steps := due(plan, history):
        for step in steps:
            history = history.with_decision(Decision(step.stage, step.index, (), ()))
    assert len(history.decisions) == sum(len(stage.rungs) for stage in plan.stages)


def test_a_pending_decision_names_what_it_waits_for() -> None:
    """Two stages of one rung; then the final judgement waits for a decision of one and a result of the other."""
    rungs = (Rung(0, 2, 3, 3, new=True),)
    plan = Plan(
        (
            Stage(0, "a", StageKind.SEARCH, 0, rungs),
            Stage(1, "b", StageKind.SEARCH, 2, rungs),
            Stage(2, "f", StageKind.FINAL, 4, rungs),
        )
    )
    decision = issue(plan, Step(0, 0), History(LOSS))
    first, second = runs_of_decision(decision)
    walk = Walk(plan, random.Random(0), History(LOSS, (decision,)))  # noqa: S311 - chance, not a secret
    walk.settle(first)
    other, final = pending(plan, walk.history)
    assert (other.step, other.is_due) == (Step(1, 0), True)
    assert (final.step, final.decisions, final.runs) == (Step(2, 0), (Step(1, 0),), (second,))
    assert due(plan, walk.history) == (Step(1, 0),)
