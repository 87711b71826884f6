"""What every schedule must do: plan beforehand, number experiments without gaps, and give rungs the brain can fill."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import pytest

from automl.errors import InvalidInput
from automl.problem.metric import Metric
from automl.search.brain import Brain
from automl.search.history import Decision, Outcome
from automl.search.plan import Plan, Stage, StageKind
from automl.search.samplers.uniform import Uniform
from automl.search.schedules.base import Schedule
from automl.testing.spaces import MIXED

__all__ = ["ScheduleSuite"]


class ScheduleSuite(ABC):
    """The tests that a schedule must pass. Subclass it as `Test...`, with `make_schedules`.

    Override `make_impossible` with settings that make no plan.
    """

    @abstractmethod
    def make_schedules(self) -> Sequence[Schedule]:
        """The schedule with several settings, including the smallest and a large one."""

    def make_impossible(self) -> Sequence[Schedule]:
        """The schedule with settings whose plan must be refused; none unless overridden."""
        return ()

    def plans(self) -> list[Plan]:
        """The plan of each schedule."""
        schedules = self.make_schedules()
        assert schedules, "make_schedules gives nothing to test"
        return [schedule.plan() for schedule in schedules]

    def test_the_same_settings_make_the_same_plan(self) -> None:
        assert self.plans() == self.plans()
        for schedule in self.make_schedules():
            assert schedule.plan() == schedule.plan()

    def test_a_plan_has_search_stages_only_each_with_its_position_and_name(self) -> None:
        for plan in self.plans():
            assert plan.stages
            assert [stage.index for stage in plan.stages] == list(range(len(plan.stages)))
            assert {stage.kind for stage in plan.stages} == {StageKind.SEARCH}
            assert all(stage.continues is None and stage.retrains is None for stage in plan.stages)
            names = [stage.name for stage in plan.stages]
            assert all(names)
            assert len(set(names)) == len(names)

    def test_experiments_are_numbered_from_0_without_a_gap(self) -> None:
        for plan in self.plans():
            numbers: list[int] = []
            for stage in plan.stages:
                for rung in stage.rungs:
                    if rung.new:
                        numbers += range(stage.first_of(rung.index), stage.first_of(rung.index) + rung.size)
            assert numbers == list(range(plan.experiments))

    def test_every_rung_trains_something(self) -> None:
        for plan in self.plans():
            for stage in plan.stages:
                assert stage.rungs
                assert [rung.index for rung in stage.rungs] == list(range(len(stage.rungs)))
                assert all(min(rung.size, rung.epochs, rung.units) >= 1 for rung in stage.rungs)

    def test_a_stage_begins_with_new_experiments(self) -> None:
        assert all(stage.rungs[0].new for plan in self.plans() for stage in plan.stages)

    def test_promoted_experiments_are_no_more_than_before_and_train_longer(self) -> None:
        for plan in self.plans():
            for before, rung in (pair for stage in plan.stages for pair in pairwise(stage.rungs)):
                assert rung.new or (rung.size <= before.size and rung.epochs > before.epochs)

    def test_the_brain_fills_every_rung_of_the_plan(self) -> None:
        for plan in self.plans():
            brain = Brain(plan, MIXED, Uniform(), Metric("loss", "minimize"), seed=1)
            for stage in plan.stages:
                decisions = _walked(brain, stage)
                for rung in stage.rungs:
                    issued = [each for decision in decisions for each, at in decision.runs() if at == rung.index]
                    assert len(issued) == rung.size
                    assert {recommendation.epochs for recommendation in issued} == {rung.epochs}
                    assert all((recommendation.resume_epoch == 0) == rung.new for recommendation in issued)
                assert len(decisions) == stage.most_decisions

    def test_what_makes_no_plan_is_refused(self) -> None:
        for schedule in self.make_impossible():
            with pytest.raises(InvalidInput):
                schedule.plan()


def _walked(brain: Brain, stage: Stage) -> list[Decision]:
    """The decisions of a stage in which every training succeeds."""
    decisions: list[Decision] = []
    outcomes: list[Outcome] = []
    for index in range(stage.most_decisions):
        decision = brain.decide(stage.index, index, decisions, outcomes, previous=())
        outcomes = [
            Outcome(
                recommendation.number,
                rung,
                recommendation.epochs,
                value=1 / (1 + recommendation.number),
                best_value=1 / (1 + recommendation.number),
            )
            for recommendation, rung in decision.runs()
        ]
        decisions.append(decision)
    return decisions
