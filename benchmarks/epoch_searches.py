"""What is compared where trainings may be short: a search says how far a configuration is trained. Ours are studies.

A study of ours is walked as the local runner walks it: the agenda says which decisions are due when a worker is free,
the brain makes them, and what they ask for is trained in their order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from importlib import import_module
from typing import Any, NamedTuple, Protocol, TypeAlias

from automl.problem.metric import Metric
from automl.problem.search_space import Cube, SearchSpace
from automl.search.agenda import Run, Step, due, runs_of_decision
from automl.search.algorithms import ALGORITHMS, SAMPLERS, NamedSampler
from automl.search.brain import Brain
from automl.search.history import Decision, History, Result
from automl.search.plan import Plan, Resume, trained_by
from benchmarks.problem import Array

R = 27  # units of resource of a full training, of every search
NU = 3  # one in so many goes on to a longer training, in every search
_STOP = "stop"  # in the name of a study with `resume: stop`
_SPARE = 3  # such a study is planned for so many times its budget: the more are stopped early, the less it trains


class Asked(NamedTuple):
    """Train these values until they have so many epochs in all."""

    values: Mapping[str, Any]
    epochs: int


class EpochSearch(Protocol):
    """Proposes trainings and learns from their curves. Studies of ours are asked again before all have ended."""

    def ask(self) -> Asked | None:
        """What is trained next; None where the search is over, or waits for what is training."""
        ...

    def tell(self, asked: Asked, curve: Array) -> None:
        """The losses after every epoch of what was asked for."""
        ...


# The space, the epochs of a full training, the seed, and for how many full trainings' worth of epochs it lasts.
Maker: TypeAlias = Callable[[SearchSpace, int, int, float], EpochSearch]


@dataclass(frozen=True)
class StudyName:
    """What a study of ours is called: `algorithm+sampler`, and behind it what differs from a usual study, each after
    a colon: `stop` for `resume: stop`, and settings of its sampler (`draws=256`), which a study file cannot set.
    """

    algorithm: str
    sampler: str
    stops: bool
    settings: Mapping[str, Any]

    @classmethod
    def read(cls, name: str) -> StudyName:
        """Raises ValueError for what is no study, in words for a user."""
        study, *options = name.split(":")
        algorithm, _, sampler = study.partition("+")
        row = ALGORITHMS.get(algorithm)
        if row is None or not row.resumes or row.changes or sampler not in row.samplers:
            raise ValueError(f"no search is called {study}")
        stops = _STOP in options
        if stops and not row.overlaps:
            raise ValueError(f"{name}: only a study without a barrier has resume: stop")
        set_to = dict(option.partition("=")[::2] for option in options if option != _STOP)
        kind = getattr(import_module(SAMPLERS[sampler].module), SAMPLERS[sampler].kind)
        allowed = [setting.name for setting in fields(kind)]
        if unknown := set_to.keys() - set(allowed):
            raise ValueError(f"{name}: {sampler} has no setting {min(unknown)}; it has {', '.join(allowed) or 'none'}")
        return cls(algorithm, sampler, stops, {setting: json.loads(value) for setting, value in set_to.items()})


class OurStudy:
    """A study of ours with this name (StudyName), whose plan is repeated until it lasts for the budget."""

    def __init__(self, name: str, space: SearchSpace, epochs: int, seed: int, trainings: float) -> None:
        named = StudyName.read(name)
        row = ALGORITHMS[named.algorithm]
        options: dict[str, Any] = {"R": min(R, epochs), "max_epochs": epochs}
        if "max_recommendations" in row.options:  # of nu^3 experiments that start, three trainings' worth are trained
            options["max_recommendations"] = round(9 * trainings)
        plan = row.schedule_with(named.sampler, options).plan()
        resume = Resume.STOP if named.stops else Resume.CHECKPOINT
        lasts = _SPARE if named.stops else 1
        self.plan = trained_by(repeated(plan, lasts * trainings * epochs), resume)
        sampler, learns = NamedSampler(named.sampler, settings=named.settings), SAMPLERS[named.sampler].learns
        self._metric = Metric("loss", "minimize")
        space = _EncodingOnce(space.parameters, space.constants)
        self._brain = Brain(self.plan, space, sampler, self._metric, seed, learns=learns)
        self.history = History(self._metric)
        self._consumed: set[tuple[int, int]] = set()
        self._ready: list[Run] = []
        self._training: list[Run] = []

    def ask(self) -> Asked | None:
        while not self._ready:
            steps = due(self.plan, self.history)
            if not steps:
                return None
            self._ready += runs_of_decision(self.decide(steps[0]))
        self._training.append(self._ready.pop(0))
        return _asked(self._training[-1])

    def tell(self, asked: Asked, curve: Array) -> None:
        run = next(run for run in self._training if _asked(run) == asked)
        self._training.remove(run)
        self.end(run, curve)

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


class _EncodingOnce(SearchSpace):
    """A search space that encodes each mapping of values once: a search encodes all its experiments again and again."""

    def encode(self, values: Mapping[str, Any]) -> Cube:
        """As in any space. The mapping is held, so that no other gets its id."""
        if id(values) not in self._encoded:
            self._encoded[id(values)] = (values, super().encode(values))
        return self._encoded[id(values)][1]

    @cached_property
    def _encoded(self) -> dict[int, tuple[Mapping[str, Any], Cube]]:
        return {}


def _asked(run: Run) -> Asked:
    return Asked(run.recommendation.values, run.recommendation.epochs)


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


def rungs_of(epochs: int) -> list[int]:
    """The epochs at the end of each rung of the other searches: 1/27, 1/9, 1/3 and all of a full training's."""
    steps = 0
    while NU ** (steps + 1) <= min(R, epochs):
        steps += 1
    return [max(1, round(epochs / NU**place)) for place in range(steps, -1, -1)]


def our_study(name: str) -> Maker:
    """A maker of a study with this name (StudyName). Raises ValueError for what is no study."""
    StudyName.read(name)
    return lambda space, epochs, seed, trainings: OurStudy(name, space, epochs, seed, trainings)


def ours() -> list[str]:
    """The names of all studies of ours: every algorithm that has short trainings, with each of its samplers.

    Not one that changes values on the way: no recorded curve says what becomes of that.
    """
    rows = [(name, row) for name, row in ALGORITHMS.items() if row.resumes and not row.changes]
    return [f"{name}+{sampler}" for name, row in rows for sampler in row.samplers]
