"""The figure of where the epochs went: a line for each rung, planned and spent."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from automl.reporting.figures.facts import Facts
from automl.search.agenda import standing_in
from automl.search.plan import Rung, Stage, with_before
from automl.study.outages import Key, trained_again

MOST_RUNGS = 60


@dataclass(frozen=True)
class Line:
    """One rung, or the sum of all. `experiments`, `ended` and `failed` count experiments; the other numbers are epochs.

    `away` are the epochs that were planned and will never be trained, because experiments failed or too few were left
    to go on. `saved` are those that would be trained again if every rung began from scratch.
    """

    stage: str = ""
    rung: str = ""
    to: int = 0
    experiments: int = 0
    ended: int = 0
    failed: int = 0
    planned: int = 0
    trained: int = 0
    away: int = 0
    saved: int = 0
    seconds: float = 0.0

    @property
    def to_come(self) -> int:
        return max(0, self.planned - self.trained - self.away)

    def plus(self, line: Line) -> Line:
        names = ("experiments", "ended", "failed", "planned", "trained", "away", "saved", "seconds")
        sums = {name: getattr(self, name) + getattr(line, name) for name in names}
        return Line(self.stage, "", **sums)


def entries(facts: Facts) -> list[Line]:
    """A line for each rung of the plan. What a pause will have trained again is still to come."""
    again = set(trained_again(facts.paused, facts.definition, facts.study))
    return [
        _line(facts, stage, rung, before, again)
        for stage in facts.definition.plan.stages
        for rung, before in with_before(stage, "epochs")
    ]


def _line(facts: Facts, stage: Stage, rung: Rung, before: int, again: Set[Key]) -> Line:
    length = rung.epochs - before
    line = Line(stage.name, str(rung.index), rung.epochs, rung.size, planned=rung.size * length)
    decisions = facts.study.of_stage(stage.index)
    issued = [recommendation for decision in decisions for recommendation, at in decision.runs() if at == rung.index]
    if stage.overlap is None and rung.index >= len(decisions):
        is_off = facts.state == "failed" or stage.ended is not None
        return Line(**{**vars(line), "away": line.planned}) if is_off else line
    ended = failed = trained = saved = 0
    seconds = 0.0
    to_come = stage.overlap is not None and not standing_in(facts.study, stage).is_decided
    away = 0 if to_come and facts.state != "failed" else (rung.size - len(issued)) * length
    for recommendation in issued:
        result = facts.study.results.get((recommendation.number, rung.index))
        if result is None:
            continue
        new = facts.trained[recommendation.number, rung.index]
        ended, failed = ended + 1, failed + (result.failure is not None)
        trained, seconds = trained + new, seconds + result.seconds
        saved += 0 if stage.stops else recommendation.resume_epoch
        away += 0 if (recommendation.number, rung.index) in again else max(0, length - new)
    return Line(**{**vars(line), "ended": ended, "failed": failed, "trained": trained, "away": away, "saved": saved,
                   "seconds": seconds})  # fmt: skip
