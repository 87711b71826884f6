"""What a stage without a barrier has asked for, what came of it, and what it can ask for next.

Asynchronous successive halving, promotion type (Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht & Talwalkar:
A System for Massively Parallel Hyperparameter Tuning, MLSys 2020, algorithm 2): whoever is free trains the best
experiment of the longest rung that is among the best 1/nu of its rung's results so far and has not gone on; where there
is none, a new one. Here no more than one in nu of the results so far goes on, so that the plan's sizes, which are those
of successive halving, are never exceeded however the trainings end. When nothing more can come into a rung, its best go
on until the next one is full, as after a barrier. Where `whole` rungs are compared nobody goes on before that, and the
next bracket begins meanwhile (parallel BOHB; Falkner, Klein & Hutter, ICML 2018). Where nothing is promoted only new
ones are asked for: a chain whose steps overlap. Where experiments train on until they are stopped (stopping.py), a
result of a rung that is not the last has an answer, a decision of its own, before anything new begins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from automl.errors import NotReady
from automl.problem.metric import Metric
from automl.search.history import Decision, Outcome, Stopped
from automl.search.plan import Stage
from automl.search.promotion import Promoted, standing
from automl.search.ranking import ranked
from automl.search.stopping import Answer, answer

Key = tuple[int, int]  # an experiment and a rung, which name a run


@dataclass(frozen=True)
class Next:
    """What is asked for next: in `rung` the experiment that `promoted` names, or a new one where that is None.

    `stopped` is an experiment that is stopped at its rung: then nothing is asked for.
    """

    rung: int
    promoted: Promoted | None = None
    stopped: Stopped | None = None

    @property
    def begins(self) -> bool:
        """Whether a new experiment begins."""
        return self.promoted is None and self.stopped is None


@dataclass(frozen=True)
class Standing:
    """Where a stage without a barrier stands after `decisions`, with the `outcomes` that are known, by run."""

    stage: Stage
    decisions: Sequence[Decision]
    outcomes: Mapping[Key, Outcome]
    metric: Metric

    @cached_property
    def rungs(self) -> tuple[tuple[int, ...], ...]:
        """The experiments that each rung was asked for, in the order in which they were."""
        rungs: list[list[int]] = [[] for _ in self.stage.rungs]
        for decision in self.decisions:
            for issued, rung in decision.runs():
                rungs[rung].append(issued.number)
        return tuple(map(tuple, rungs))

    @cached_property
    def open(self) -> tuple[Key, ...]:
        """The runs that were asked for and have no outcome, in the order of rungs."""
        runs = [(number, rung) for rung, numbers in enumerate(self.rungs) for number in numbers]
        return tuple(run for run in runs if run not in self.outcomes)

    @property
    def started(self) -> int:
        """How many experiments it has begun."""
        return sum(len(numbers) for rung, numbers in enumerate(self.rungs) if self.stage.rungs[rung].new)

    def next(self) -> Next | None:
        """What can be asked for now; None while that needs a result that is missing, and after the end."""
        assert self.stage.overlap is not None, "asked of a stage without a barrier only"
        if self.stage.stops and self.unanswered:
            return self._answered(self.unanswered[0])
        most = self.stage.overlap.most
        if most is not None and len(self.open) >= most:
            return None
        deepest_first = sorted(range(len(self.stage.rungs)), key=lambda rung: -self.stage.rungs[rung].epochs)
        for rung in () if self.stage.stops else deepest_first:
            if (outcome := self._promotions[rung]) is not None:
                return Next(rung + 1, Promoted(outcome, f"{self.standing(outcome)}; {self._who_goes_on(rung)}"))
        return next((Next(rung) for rung in range(len(self.rungs)) if self._can_start(rung)), None)

    def needed(self) -> Next:
        """What can be asked for now. Raises NotReady where nothing can."""
        following = self.next()
        if following is not None:
            return following
        waits = f"{len(self.open)} trainings are under way" if self.open else "all is decided"
        raise NotReady(f"stage {self.stage.name} has nothing to ask for now: {waits}")

    @property
    def is_decided(self) -> bool:
        """Whether it will never ask for anything again, whatever comes of the runs that are open."""
        if self.stage.ended is not None:
            return len(self.decisions) >= self.stage.ended.decisions
        if self.stage.stops:
            answers_follow = any(self.stage.goes_on(rung) for _, rung in self.open)
            return not self.can_begin and not self.unanswered and not answers_follow
        full = all(len(numbers) == rung.size for numbers, rung in zip(self.rungs, self.stage.rungs, strict=True))
        return full or (not self.open and self.next() is None)

    @property
    def can_begin(self) -> bool:
        """Whether there are new experiments to come."""
        return any(self._can_start(rung) for rung in range(len(self.rungs)))

    @cached_property
    def stopped(self) -> Mapping[int, str]:
        """The experiments that decisions have stopped at their rungs, and why."""
        return {stopped.number: stopped.reason for decision in self.decisions for stopped in decision.stopped}

    @cached_property
    def unanswered(self) -> tuple[Outcome, ...]:
        """The results behind which an experiment may train on and no decision says whether it does."""
        return tuple(
            outcome
            for rung in range(len(self.rungs))
            if self.stage.goes_on(rung)
            for outcome in sorted(self._candidates(rung), key=lambda outcome: outcome.experiment)
            if outcome.experiment not in self.stopped
        )

    def still_coming(self) -> list[int]:
        """How many trainings can still be asked for in each rung at most, where experiments are stopped."""
        coming: list[int] = []
        waiting = Counter(outcome.rung for outcome in self.unanswered)
        training = Counter(rung for _, rung in self.open)
        for rung, planned in enumerate(self.stage.rungs):
            if planned.new:
                coming.append(planned.size - len(self.rungs[rung]) if self._can_start(rung) else 0)
            else:
                coming.append(coming[-1] + training[rung - 1] + waiting[rung - 1])
        return coming

    @property
    def is_over(self) -> bool:
        """Whether it will never ask for anything again, and all that it asked for has an outcome."""
        return not self.open and self.is_decided

    def may_go_on(self, rung: int) -> bool:
        """Whether an experiment that has succeeded in this rung and has not gone on may still do so."""
        return (
            self.stage.ended is None
            and self.stage.goes_on(rung)
            and len(self.rungs[rung + 1]) < self.stage.rungs[rung + 1].size
        )

    def results(self, rung: int) -> list[Outcome]:
        """The outcomes of a rung, failures among them."""
        return [self.outcomes[number, rung] for number in self.rungs[rung] if (number, rung) in self.outcomes]

    def _answered(self, outcome: Outcome) -> Next:
        """Whether the experiment of this result trains on."""
        said = self.answer(outcome)
        if said.goes_on:
            return Next(outcome.rung + 1, Promoted(outcome, said.reason))
        return Next(outcome.rung, stopped=Stopped(outcome.experiment, said.reason))

    def answer(self, outcome: Outcome) -> Answer:
        """Whether the experiment of this result would train on, by the results of its rung so far."""
        overlap = self.stage.overlap
        assert overlap is not None, "of a stage without a barrier only"
        assert overlap.stops is not None, "whose experiments are stopped"
        assert overlap.nu is not None, "at its rungs"
        return answer(outcome, self.results(outcome.rung), overlap.stops, overlap.nu, self.metric)

    def _promotable(self, rung: int, *, closed: bool) -> Outcome | None:
        """The outcome that goes on next from this rung. `closed`: no further outcome can come into it."""
        assert self.stage.overlap is not None, "asked of a stage without a barrier only"
        assert self.stage.overlap.nu is not None, "a rung follows this one"
        quota = self.stage.rungs[rung + 1].size
        if not closed:
            quota = 0 if self.stage.overlap.whole else min(quota, len(self.results(rung)) // self.stage.overlap.nu)
        return next(iter(self._candidates(rung)), None) if len(self.rungs[rung + 1]) < quota else None

    @cached_property
    def _promotions(self) -> tuple[Outcome | None, ...]:
        """Of each rung, the outcome that goes on next."""
        promotions: list[Outcome | None] = []
        closed = False
        for rung, planned in enumerate(self.stage.rungs):
            complete = planned.new or (closed and promotions[-1] is None)
            closed = complete and not self._can_start(rung) and all(run[1] != rung for run in self.open)
            promotions.append(self._promotable(rung, closed=closed) if self.stage.goes_on(rung) else None)
        return tuple(promotions)

    def _who_goes_on(self, rung: int) -> str:
        assert self.stage.overlap is not None, "asked of a stage without a barrier only"
        if self.stage.overlap.whole:
            return f"the best {self.stage.rungs[rung + 1].size} go on"
        return f"one of {self.stage.overlap.nu} goes on, without waiting for all"

    def standing(self, outcome: Outcome) -> str:
        """The rank of an outcome among the results of its rung so far, in words."""
        results = self.results(outcome.rung)
        return standing(ranked(results, self.metric).index(outcome) + 1, outcome, len(results), self.metric)

    def _candidates(self, rung: int) -> list[Outcome]:
        """The successes of a rung that have not gone on, the best first."""
        gone = set(self.rungs[rung + 1])
        return [outcome for outcome in ranked(self.results(rung), self.metric) if outcome.experiment not in gone]

    def _can_start(self, rung: int) -> bool:
        planned = self.stage.rungs[rung]
        return planned.new and len(self.rungs[rung]) < planned.size and not self._is_exhausted

    @cached_property
    def _is_exhausted(self) -> bool:
        """Whether no configuration is left to try: then a decision asked for nothing."""
        return any(not decision.issued and not decision.stopped for decision in self.decisions)


def standing_of(stage: Stage, decisions: Sequence[Decision], outcomes: Sequence[Outcome], metric: Metric) -> Standing:
    """The standing after these decisions, with the outcomes that they consumed and those that came since."""
    consumed = [outcome for decision in decisions for outcome in decision.consumed]
    by_run = {(outcome.experiment, outcome.rung): outcome for outcome in (*consumed, *outcomes)}
    return Standing(stage, decisions, by_run, metric)
