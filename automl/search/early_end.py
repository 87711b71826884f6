"""When a search ends before its plan does: at the first of the limits of the study file that is reached.

Pure. How a search ended is a decision of its own, created once (`ends/<n>.json`): which limit, and all that it was
decided from, times among it, so that it is computed again without a clock. From then on the plan has only what was
asked for by then (`Ended`), so nobody proposes anything more, and the final judgement follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from automl.problem.aim import Aim
from automl.problem.metric import Metric
from automl.search.formats import FORMAT, reading
from automl.search.history import Failure, Outcome
from automl.search.plan import Ended
from automl.search.ranking import Among, best_outcome, is_better
from automl.text.field_types import checked
from automl.text.formatting import counted


class Limit(StrEnum):
    """What can end a search early, in the order in which they are looked at."""

    TARGET = "target"  # the best of the search is as good
    NO_IMPROVEMENT = "no_improvement"  # so many full trainings in a row were not better than the best before them
    EPOCHS = "epochs"  # were trained, or will be by what is under way
    HOURS = "hours"  # in which something trained
    GPU_HOURS = "gpu_hours"
    PRICE = "price"


TIMED = (Limit.HOURS, Limit.GPU_HOURS, Limit.PRICE)  # follow from when attempts trained


class Then(StrEnum):
    """What becomes of the trainings that are under way when a search ends."""

    FINISH = "finish"
    STOP = "stop"


@dataclass(frozen=True)
class Ending:
    """A run of the search that has a result: what a decision sees of it, the epochs that it trained, when it ended.

    `at` is in seconds of UTC since 1970; None where no attempt has left its times.
    """

    outcome: Outcome
    trained: int
    at: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {"outcome": self.outcome.to_json(), "trained": self.trained, "at": self.at}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Ending:
        outcome = data["outcome"]
        failure = outcome["failure"] and Failure(outcome["failure"])
        return checked(cls(Outcome(**{**outcome, "failure": failure}), data["trained"], data["at"]))


@dataclass(frozen=True)
class UnderWay:
    """A run of the search that has begun and has no result. `epochs` count for it: all of them where it may finish."""

    experiment: int
    rung: int
    epochs: int


@dataclass(frozen=True)
class Facts:
    """All that the end of a search is decided from.

    `spans` are (began, last seen) of attempts of the search, in seconds of UTC, those without a result among them.
    `full` are the epochs of a full training of the search. `price` is that of a GPU hour.
    """

    endings: tuple[Ending, ...]
    under_way: tuple[UnderWay, ...]
    spans: tuple[tuple[float, float], ...]
    full: int
    gpus: int
    price: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "endings": [ending.to_json() for ending in self.endings],
            "under_way": [{**vars(run)} for run in self.under_way],
            "spans": [list(span) for span in self.spans],
            "full": self.full,
            "gpus": self.gpus,
            "price": self.price,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Facts:
        return cls(
            endings=tuple(map(Ending.from_json, data["endings"])),
            under_way=tuple(checked(UnderWay(**run)) for run in data["under_way"]),
            spans=tuple((float(began), float(seen)) for began, seen in data["spans"]),
            full=int(data["full"]),
            gpus=int(data["gpus"]),
            price=None if data["price"] is None else float(data["price"]),
        )


@dataclass(frozen=True)
class Measured:
    """How far a search is with one of its limits. `now` is None while there is nothing to measure."""

    limit: Limit
    most: float
    now: float | None
    is_reached: bool

    def to_json(self) -> dict[str, Any]:
        return {"limit": self.limit.value, "at": self.most, "now": self.now, "reached": self.is_reached}


@dataclass(frozen=True)
class End:
    """How a search ended, stored once. `limit` is None where it came to the end of its plan.

    `stages` are those of the search, or of its newest extension, in their order. `finishing` are the runs (experiment,
    rung) under way that may come to their end; any other without a result is not trained any more.
    """

    limit: Limit | None
    why: str = ""
    then: Then = Then.FINISH
    limits: Mapping[Limit, float] | None = None
    facts: Facts | None = None
    stages: tuple[Ended, ...] = ()

    @property
    def is_early(self) -> bool:
        return self.limit is not None

    @property
    def finishing(self) -> tuple[tuple[int, int], ...]:
        if self.then is Then.STOP or self.facts is None:
            return ()
        return tuple((run.experiment, run.rung) for run in self.facts.under_way)

    def to_json(self) -> dict[str, Any]:
        """The stored form, without its format."""
        return {
            "limit": self.limit and self.limit.value,
            "why": self.why,
            "then": self.then.value,
            "limits": {limit.value: most for limit, most in (self.limits or {}).items()},
            "facts": self.facts and self.facts.to_json(),
            "stages": [{name: value for name, value in vars(stage).items() if name != "why"} for stage in self.stages],
        }

    @classmethod
    def from_json(cls, data: Any, where: str) -> End:
        """Raises RecordError when `data` is no stored end; `where` names the object."""
        with reading({"format": FORMAT, **data}, where):
            return cls(
                limit=data["limit"] and Limit(data["limit"]),
                why=str(data["why"]),
                then=Then(data["then"]),
                limits={Limit(name): float(most) for name, most in data["limits"].items()},
                facts=data["facts"] and Facts.from_json(data["facts"]),
                stages=tuple(checked(Ended(**stage, why=str(data["why"]))) for stage in data["stages"]),
            )


def measured(
    limits: Mapping[Limit, float], facts: Facts, metric: Metric, among: Among = Among.LONGEST
) -> tuple[Measured, ...]:
    """How far the search is with each of its limits, in the order of `Limit`."""
    return tuple(_measured(limit, limits[limit], facts, metric, among) for limit in Limit if limit in limits)


def first_reached(
    limits: Mapping[Limit, float], facts: Facts, metric: Metric, among: Among = Among.LONGEST
) -> Measured | None:
    """The first limit that is reached; None while none is."""
    return next((found for found in measured(limits, facts, metric, among) if found.is_reached), None)


def _measured(limit: Limit, most: float, facts: Facts, metric: Metric, among: Among) -> Measured:
    if limit is Limit.TARGET:
        best = best_outcome((ending.outcome for ending in facts.endings), metric, among)
        now = None if best is None else best.best_value
        return Measured(limit, most, now, now is not None and metric.score(now) >= metric.score(most))
    now = _amount(limit, facts, metric)
    return Measured(limit, most, now, now is not None and now >= most)


def _amount(limit: Limit, facts: Facts, metric: Metric) -> float | None:
    if limit is Limit.NO_IMPROVEMENT:
        return _without_improvement(facts, metric)
    if limit is Limit.EPOCHS:
        return sum(ending.trained for ending in facts.endings) + sum(run.epochs for run in facts.under_way)
    if limit is Limit.HOURS:
        return _covered(facts.spans) / 3600
    gpu_hours = sum(seen - began for began, seen in facts.spans) / 3600 * facts.gpus
    if limit is Limit.GPU_HOURS:
        return gpu_hours
    return None if facts.price is None else gpu_hours * facts.price


def _without_improvement(facts: Facts, metric: Metric) -> int:
    """How many full trainings have succeeded since the one that is the best of them so far, in the order of ends."""
    full = [
        ending for ending in facts.endings if ending.outcome.value is not None and ending.outcome.epochs >= facts.full
    ]
    since, best = 0, None
    for ending in sorted(full, key=lambda each: (each.at or 0.0, each.outcome.experiment, each.outcome.rung)):
        value = ending.outcome.best_value
        if isinstance(metric, Aim) and metric.violation(value, ending.outcome.best_measured) > 0:
            since += 1
        elif value is not None and is_better(value, best, metric):
            since, best = 0, value
        else:
            since += 1
    return since


def _covered(spans: Sequence[tuple[float, float]]) -> float:
    """The seconds in at least one of these spans: nothing counts while nothing trains."""
    covered, until = 0.0, float("-inf")
    for began, seen in sorted(spans):
        covered += max(0.0, seen - max(began, until))
        until = max(until, seen)
    return covered


def in_words(found: Measured, metric: Metric) -> str:
    """Why a search ended, as a part of a sentence."""
    most, now = _plain(found.most), _plain(found.now or 0.0)
    words = {
        Limit.TARGET: f"{metric.name} {now} reaches the target of {most}",
        Limit.NO_IMPROVEMENT: f"{counted(int(found.now or 0), 'full training')} in a row brought no improvement",
        Limit.EPOCHS: f"{now} epochs reach the limit of {most}",
        Limit.HOURS: f"{now} hours of training reach the limit of {most}",
        Limit.GPU_HOURS: f"{now} GPU hours reach the limit of {most}",
        Limit.PRICE: f"a price of {now} reaches the limit of {most}",
    }
    return words[found.limit]


def _plain(value: float) -> str:
    return f"{value:.6g}"


def to_come_in_words(limits: Mapping[Limit, float], then: Then, metric: Metric) -> str:
    """When a search ends early, for a plan."""
    sign = ">=" if metric.score(1.0) > metric.score(0.0) else "<="
    words = {
        Limit.TARGET: f"at {metric.name} {sign} {{}}",
        Limit.NO_IMPROVEMENT: "after {} full trainings in a row without improvement",
        Limit.EPOCHS: "after {} epochs",
        Limit.HOURS: "after {} hours",
        Limit.GPU_HOURS: "after {} GPU hours",
        Limit.PRICE: "at a price of {}",
    }
    parts = [words[limit].format(_plain(limits[limit])) for limit in Limit if limit in limits]
    rest = "what trains then finishes" if then is Then.FINISH else "what trains then is stopped"
    return f"the search ends early {', or '.join(parts)}; {rest}, and the final judgement follows"
