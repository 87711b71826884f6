"""What is compared where trainings may be short: a search says how far a configuration is trained. Ours are studies.

A study of ours is walked as the local runner walks it with one worker: the agenda says which decisions are due, the
brain makes them, and what they ask for is trained in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, TypeAlias

from automl.problem.metric import Metric
from automl.problem.search_space import SearchSpace
from automl.search.agenda import Run, Step, due, open_runs
from automl.search.algorithms import ALGORITHMS, SAMPLERS, NamedSampler
from automl.search.brain import Brain
from automl.search.history import Decision, History, Result
from automl.search.plan import Plan
from benchmarks.problem import Array

R = 27  # units of resource of a full training, of every search


class Asked(NamedTuple):
    """Train these values until they have so many epochs in all."""

    values: Mapping[str, Any]
    epochs: int


class EpochSearch(Protocol):
    """Proposes trainings and learns from their curves; one training at a time."""

    def ask(self) -> Asked | None:
        """What is trained next; None where the search is over."""
        ...

    def tell(self, asked: Asked, curve: Array) -> None:
        """The losses after every epoch of what was asked for."""
        ...


# The space, the epochs of a full training, the seed, and for how many full trainings' worth of epochs it lasts.
Maker: TypeAlias = Callable[[SearchSpace, int, int, float], EpochSearch]


class OurStudy:
    """A study of ours named `algorithm+sampler`, whose plan is repeated until it lasts for the budget."""

    def __init__(self, name: str, space: SearchSpace, epochs: int, seed: int, trainings: float) -> None:
        algorithm, _, sampler = name.partition("+")
        row = ALGORITHMS[algorithm]
        options: dict[str, Any] = {"R": min(R, epochs), "max_epochs": epochs}
        if "max_recommendations" in row.options:  # of nu^3 experiments that start, three trainings' worth are trained
            options["max_recommendations"] = round(9 * trainings)
        plan = row.schedule_with(sampler, options).plan()
        self.plan = repeated(plan, trainings * epochs)
        learns = SAMPLERS[sampler].learns
        self._metric = Metric("loss", "minimize")
        self._brain = Brain(self.plan, space, NamedSampler(sampler), self._metric, seed, learns=learns)
        self.history = History(self._metric)
        self._consumed: set[tuple[int, int]] = set()

    def ask(self) -> Asked | None:
        while True:
            if runs := open_runs(self.history, *self.history.decisions):
                self._run = runs[0]
                return Asked(self._run.recommendation.values, self._run.recommendation.epochs)
            steps = due(self.plan, self.history)
            if not steps:
                return None
            self.decide(steps[0])

    def tell(self, asked: Asked, curve: Array) -> None:
        assert asked.epochs == self._run.recommendation.epochs, "only what was asked for is trained"
        self.end(self._run, curve)

    def end(self, run: Run, curve: Array) -> None:
        """Take the result of a training, whose losses are the first of `curve`."""
        losses = [float(loss) for loss in curve[: run.recommendation.epochs]]
        history = tuple(enumerate(losses, 1))
        result = Result(*run.key, ("a",), len(losses), 1.0, history, best_value=min(losses))
        self.history = self.history.with_result(result)

    def decide(self, step: Step) -> Decision:
        """Make a decision that is due, from the results so far."""
        earlier = self.history.of_stage(step.stage)
        runs = [(issued.number, rung) for decision in earlier for issued, rung in decision.runs()]
        new = [run for run in runs if run not in self._consumed and run in self.history.results]
        self._consumed |= set(new)
        outcomes = [self.history.results[run].outcome() for run in new]
        decision = self._brain.decide(step.stage, step.index, earlier, outcomes, ())
        self.history = self.history.with_decision(decision)
        return decision


def repeated(plan: Plan, epochs: float) -> Plan:
    """The plan, again and again, until it has so many epochs."""
    times = max(1, -int(-epochs // plan.trained(plan.search, resume=True)))
    if len(plan.stages) == 1:
        (stage,) = plan.stages
        rungs = [rung for _ in range(times) for rung in stage.rungs]
        numbered = tuple(replace(rung, index=index) for index, rung in enumerate(rungs))
        return replace(plan, stages=(replace(stage, rungs=numbered),))
    stages = [
        replace(stage, index=turn * len(plan.stages) + stage.index, first=turn * plan.experiments + stage.first)
        for turn in range(times)
        for stage in plan.stages
    ]
    return replace(plan, stages=tuple(stages))


def our_study(name: str) -> Maker:
    """A maker of a study, named `algorithm+sampler`."""
    return lambda space, epochs, seed, trainings: OurStudy(name, space, epochs, seed, trainings)


def ours() -> list[str]:
    """The names of all studies of ours: every algorithm that has short trainings, with each of its samplers.

    Not one that changes values on the way: no recorded curve says what becomes of that.
    """
    rows = [(name, row) for name, row in ALGORITHMS.items() if row.resumes and not row.changes]
    return [f"{name}+{sampler}" for name, row in rows for sampler in row.samplers]
