"""What the page and the plots show, read once from a study and its definition: both take their numbers from here.

A figure shows one metric. Of a study with several, `Facts.showing` gives the facts of each as if it were the only one,
so a figure of any of them is that of the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from automl.analysis import cost_front
from automl.analysis.cost_front import Point
from automl.analysis.findings import Findings, findings
from automl.analysis.rung_warning import RungHealth, rung_health
from automl.analysis.trade_off import TradeOff, as_only_metric, check_names, metrics_of
from automl.problem.metric import Metric
from automl.reporting.figures.scales import Numbers, Scale, of_metric, of_parameter
from automl.search.history import Experiment, Failure, History, Result
from automl.search.race import DEFAULTS
from automl.search.ranking import Among, best_first, is_better
from automl.study import summary
from automl.study.attempt_times import AttemptTimes, times_of_study
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.opened_study import OpenedStudy
from automl.study.outages import Pause, open_pause
from automl.study.record import Record
from automl.study.verdict import Verdict
from automl.text.formatting import shortened

MOST_DRAWN = 1000  # experiments in a picture or a table; the page says so where there are more
LEVELS = 5  # shades of the number of epochs, style.css has as many


@dataclass(frozen=True)
class Searched:
    """An experiment of the search. `value` is its best one that has a checkpoint, or None when there is none (yet).

    `level` says how far it was trained, from 0 to LEVELS - 1, which stands for the very last rung.
    """

    experiment: Experiment
    value: float | None
    level: int

    @property
    def number(self) -> int:
        return self.experiment.number

    @property
    def failed(self) -> bool:
        return bool(self.experiment.results) and self.experiment.results[-1].failure not in {None, Failure.ENDED}


@dataclass(frozen=True)
class Axis:
    """One parameter, or one element of a list, with its scale. `short` is its name without what all names share."""

    name: str
    short: str
    parameter: str
    element: int | None
    scale: Scale

    def value(self, values: Mapping[str, Any]) -> Any:
        """The value on this axis; None where the parameter does not exist."""
        setting = values.get(self.parameter)
        return setting[self.element] if self.element is not None and setting is not None else setting

    def place(self, values: Mapping[str, Any]) -> float | None:
        return None if self.parameter not in values else self.scale.place(self.value(values))


class Drawn:
    """Experiments with a value, and which of them a picture has room for."""

    valued: Any  # the best first; a field or a property of whoever has them

    @cached_property
    def drawn(self) -> tuple[Searched, ...]:
        """The experiments that a picture with a dot for each shows, the best first."""
        return self.best_and_others(MOST_DRAWN)[0]

    @cached_property
    def left_out(self) -> str:
        """The note about those that `drawn` leaves out; empty when it shows all."""
        return self.best_and_others(MOST_DRAWN)[1]

    def best_and_others(self, most: int) -> tuple[tuple[Searched, ...], str]:
        """At most `most` of the experiments, and the note about the rest.

        Where not all fit, one half is the best of them, and the other half a regular selection of the rest.
        """
        valued: tuple[Searched, ...] = self.valued
        if len(valued) <= most:
            return valued, ""
        half = most // 2
        rest = valued[half:]
        others = tuple(rest[index * len(rest) // half] for index in range(half))
        return valued[:half] + others, f"Drawn are the best {half:,}, and {half:,} of the other {len(rest):,}. "


@dataclass(frozen=True)
class Facts(Drawn):
    """A study as the page sees it. `metadata` is what it was begun with; `text` is its study file, as written.

    `attempts` holds when each attempt trained; it is empty where nobody needs the times, or the record lacks them.
    """

    definition: Definition
    study: History
    metadata: Mapping[str, Any]
    text: str
    attempts: tuple[AttemptTimes, ...] = ()
    paused: Pause | None = None
    shown: Metric | None = None  # of several metrics the one that figures show; None for the first

    def showing(self, name: str) -> Facts:
        """The facts of this metric as if it were the study's only one; the best and the front stay what they are.

        Raises InvalidInput where the study has no such metric.
        """
        aim = self.definition.aim
        check_names(aim, [name])
        return replace(self, shown=None if name == aim.name else metrics_of(aim)[name])

    @cached_property
    def of_each_metric(self) -> tuple[Facts, ...]:
        """These facts for each metric that is improved, the first one first."""
        return tuple(self.showing(rule.name) for rule in self.definition.metric_rules)

    def titled(self, title: str) -> str:
        """The title of a figure; of several metrics it says which is shown."""
        return f"{title}: {self.metric}" if self.definition.metric_rules[1:] else title

    @property
    def goal(self) -> Metric:
        """The metric that figures show."""
        return self.shown or self.definition.brain.metric

    @property
    def metric(self) -> str:
        return self.goal.name

    @property
    def minimize(self) -> bool:
        return self.goal.goal == "minimize"

    def score(self, value: float) -> float:
        """The value where larger is better."""
        return self.goal.score(value)

    @cached_property
    def state(self) -> str:
        return summary.state(self.definition, self.study)

    @cached_property
    def found(self) -> Findings:
        """The best, the verdict and the front, as all others show them."""
        return findings(self.definition, self.study)

    @property
    def trade_off(self) -> TradeOff | None:
        """The front of several metrics, and what meets the constraints; None for a study of one metric."""
        return self.found.trade_off

    @cached_property
    def experiments(self) -> tuple[Experiment, ...]:
        """All experiments, including those of the final judgement, by number."""
        every = experiments(self.study, self.definition.plan)
        return tuple(every if self.shown is None else (as_only_metric(one, self.shown.name) for one in every))

    @cached_property
    def best(self) -> summary.Best | None:
        return summary.best(self.definition, self.study)

    def is_best(self, number: int) -> bool:
        """Whether everything names this experiment as the best."""
        return self.best is not None and self.best.experiment == number

    @property
    def verdict(self) -> Verdict | None:
        return self.found.verdict

    @cached_property
    def rungs(self) -> RungHealth | None:
        return rung_health(self.definition, self.study)

    @cached_property
    def searched(self) -> tuple[Searched, ...]:
        """The experiments of the search, by number."""
        stages = {stage.index for stage in self.definition.plan.search}
        searched = []
        for experiment in self.experiments:
            if experiment.stage in stages:
                searched.append(Searched(experiment, self.kept_value(experiment), self._level(experiment)))
        return tuple(searched)

    def kept_value(self, experiment: Experiment) -> float | None:
        """The best value with a checkpoint, of the run that decides: the longest one, or any with `best_among: all`.

        In a population of those that are behind its newest one.
        """
        values: list[float | None] = [r.best_value for r in experiment.results if r.failure is None]
        if self.definition.plan.stages[experiment.stage].population:
            values = values[-1:]
        elif self.definition.brain.best_among is not Among.ALL:
            values = [*filter(lambda value: value is not None, values)][-1:]
        return max((value for value in values if value is not None), key=self.score, default=None)

    @cached_property
    def valued(self) -> tuple[Searched, ...]:
        """The experiments with a value, the best first."""
        return tuple(
            best_first(
                self.searched, lambda candidate: candidate.value, lambda candidate: (candidate.number,), self.goal
            )
        )

    @cached_property
    def best_so_far(self) -> tuple[tuple[int, float], ...]:
        """(number, value) of each experiment that is better than all before it, by number, as the search says which is.

        Where the best is chosen among the longest trainings, the others are left out.
        """
        return self.best_so_far_in([candidate.number for candidate in self.searched])

    def best_so_far_in(self, order: Sequence[int]) -> tuple[tuple[int, float], ...]:
        """As `best_so_far`, with the experiments in this order of their numbers."""
        best = list[tuple[int, float]]()
        longest = max((self._epochs_with_value(candidate) for candidate in self.searched), default=0)
        by_number = {candidate.number: candidate for candidate in self.searched}
        for candidate in map(by_number.__getitem__, order):
            counts = self.definition.brain.best_among is Among.ALL or self._epochs_with_value(candidate) == longest
            better = candidate.value is not None and is_better(
                candidate.value, best[-1][1] if best else None, self.goal
            )
            if counts and better and candidate.value is not None:
                best.append((candidate.number, candidate.value))
        return tuple(best)

    @cached_property
    def ended_after(self) -> Mapping[int, float]:
        """The seconds from the first training of the study to the end of each experiment's last; where times exist."""
        began = min((attempt.began for attempt in self.attempts), default=0.0)
        ends: dict[int, float] = {}
        for attempt in self.attempts:
            ends[attempt.experiment] = max(ends.get(attempt.experiment, 0.0), attempt.seen - began)
        return ends

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """What the experiments of the search had reached after each rung, and how long that took."""
        return cost_front.points((candidate.experiment for candidate in self.searched), self.score)

    @cached_property
    def front(self) -> tuple[Point, ...]:
        """The points that no other beats in the same time, the quickest first."""
        return cost_front.front(self.points, self.score)

    @cached_property
    def failures(self) -> Mapping[Failure, Mapping[str, Sequence[int]]]:
        """The numbers of the experiments that failed, by kind and message, the most frequent kind first."""
        kinds: dict[Failure, dict[str, list[int]]] = {}
        for experiment in self.experiments:
            last = experiment.results[-1] if experiment.results else None
            if last is not None and last.failure not in {None, Failure.ENDED}:
                kinds.setdefault(last.failure, {}).setdefault(last.message.strip(), []).append(experiment.number)
        return dict(sorted(kinds.items(), key=lambda pair: (-sum(map(len, pair[1].values())), pair[0])))

    def _ended_at(self, result: Result) -> int:
        """The last epoch that was trained, also of a program that ended early."""
        early = self.definition.network.may_end_early and result.failure is None and result.history
        return result.history[-1][0] if early else result.epochs

    @cached_property
    def trained(self) -> Mapping[tuple[int, int], int]:
        """The epochs that each finished run has added to its experiment, by (experiment, rung)."""
        return {
            (result.experiment, result.rung): max(0, self._ended_at(result) - recommendation.resume_epoch)
            for experiment in self.experiments
            for recommendation, result in zip(experiment.recommendations, experiment.results, strict=False)
        }

    @cached_property
    def defaults(self) -> Searched | None:
        return next((experiment for experiment in self.searched if experiment.number == DEFAULTS), None)

    @cached_property
    def winner(self) -> Searched | None:
        return next(
            (experiment for experiment in self.searched if self.best and experiment.number == self.best.experiment),
            None,
        )

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The searched parameters, a list element by element."""
        names = [dimension.parameter for dimension in self.definition.space.dimensions()]
        axes = []
        for dimension in self.definition.space.dimensions():
            scale = of_parameter(next(p for p in self.definition.space.parameters if p.name == dimension.parameter))
            end = "" if dimension.element is None else f"[{dimension.element}]"
            short = shortened(dimension.parameter, names) + end
            axes.append(Axis(dimension.parameter + end, short, dimension.parameter, dimension.element, scale))
        return tuple(axes)

    @cached_property
    def value_scale(self) -> Numbers:
        """The axis of the values of the search's experiments."""
        return of_metric(
            [experiment.value for experiment in self.searched if experiment.value is not None], minimize=self.minimize
        )

    @cached_property
    def epochs(self) -> tuple[int, ...]:
        """The epochs at which a rung of the search ends, rising."""
        return tuple(sorted({rung.epochs for stage in self.definition.plan.search for rung in stage.rungs}))

    def level_of(self, epochs: int) -> int:
        """The shade of a training to this epoch. The last rung has the strongest shade."""
        reached = max(0, sum(end <= epochs for end in self.epochs) - 1)
        if len(self.epochs) == 1:
            return LEVELS - 2
        weakest = 0 if len(self.epochs) >= LEVELS else 1
        return weakest + reached * (LEVELS - 1 - weakest) // (len(self.epochs) - 1)

    @staticmethod
    def _epochs_with_value(candidate: Searched) -> int:
        """The most epochs at which an experiment had a checkpoint with a value; 0 if it never had."""
        results = candidate.experiment.results
        return max((r.epochs for r in results if r.failure is None and r.best_value is not None), default=0)

    def _level(self, experiment: Experiment) -> int:
        finished_epochs = [result.epochs for result in experiment.results if result.failure is None]
        return self.level_of(max(finished_epochs, default=0))

    @cached_property
    def levels(self) -> tuple[tuple[str, str], ...]:
        """The shades that occur, with what each means, for a legend."""
        ends: dict[int, list[int]] = {}
        for end in self.epochs:
            ends.setdefault(self.level_of(end), []).append(end)
        return tuple(
            (
                f"level{level}",
                f"{rung_ends[0]} to {rung_ends[-1]} epochs" if rung_ends[0] != rung_ends[-1] else _epochs(rung_ends[0]),
            )
            for level, rung_ends in sorted(ends.items())
        )


def read_facts(opened: OpenedStudy, history: History | None = None) -> Facts:
    """The facts of a study in a store, without its times. `history` is what the record holds, if the caller has it."""
    return Facts(
        opened.definition,
        history or opened.history(),
        opened.metadata,
        opened.study_text(),
        paused=open_pause(opened.record),
    )


def with_times(facts: Facts, record: Record) -> Facts:
    """The facts with the times of the attempts, which takes one request for each attempt."""
    # Read now: until Python 3.12 all objects share the lock of a cached property, so nothing may wait inside one
    return replace(facts, attempts=times_of_study(record))


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"
