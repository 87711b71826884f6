"""The record that an algorithm sees: what was recommended, how it ended, what was decided. Nothing here opens a file.

The JSON forms are the stored ones (state rule 10): strict, and versioned by `FORMAT`. What changes from run to run
(times, attempts, hosts) is in a `Result`, never in an `Outcome`: two runs of a study hold the same decisions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from automl.errors import RecordError
from automl.problem.metric import Metric
from automl.search.formats import FORMAT, reading
from automl.search.measurements import Measurements, from_json, to_json, value_at
from automl.text.field_types import checked


class Failure(StrEnum):
    """Why an experiment has no usable value. A failure is data: the study goes on, the experiment does not."""

    ERROR = "error"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED = "killed"
    TIMEOUT = "timeout"
    NO_METRIC = "no_metric"
    NOT_FINITE = "not_finite"
    SHORT = "short"
    NO_CHECKPOINT = "no_checkpoint"
    LOST = "lost"
    PREEMPTED = "preempted"
    ENDED = "ended"

    def described(self, message: str = "") -> str:
        """How a training failed, for people: its kind and its message; of an error the message alone."""
        words = self.value.replace("_", " ")
        if not message:
            return words
        return message if self is Failure.ERROR else f"{words}: {message}"


MEANINGS = {  # what each kind means, as a sentence that follows the name of an experiment
    Failure.ERROR: "the training program exited with an error",
    Failure.OUT_OF_MEMORY: "it asked for more memory than there was; a smaller batch asks for less",
    Failure.KILLED: "it was killed from outside, most often because it took more memory than there was",
    Failure.TIMEOUT: "it ran longer than 'run: timeout_minutes' allows",
    Failure.NO_METRIC: "it ended without an error and never reported the metric",
    Failure.NOT_FINITE: "its metric was not a finite number any more: the training diverged",
    Failure.SHORT: "it ended without an error before the epochs that were asked for",
    Failure.NO_CHECKPOINT: "there was no checkpoint to resume from, or one could not be read or stored",
    Failure.LOST: "its pod ended without a result, more often than it is tried again",
    Failure.PREEMPTED: "it was preempted more often than 'run: preemptions' allows",
    Failure.ENDED: "the search ended before it was done",
}


class Origin(StrEnum):
    """Where the values of an experiment come from. A promoted experiment keeps the origin that it began with."""

    DEFAULT = "default"  # the network's own, which every search is measured against
    REQUESTED = "requested"  # the user wanted them tried
    CARRIED_OVER = "carried_over"  # the best of the search before, tried again where the search was extended
    SAMPLER = "sampler"
    EXPLORED = "explored"  # those of a better member of the population, changed
    FINAL = "final"  # trained again in the final judgement


_LEFT_OUT = {"origin", "rung", "source", "parent", "schedule"}  # of a stored recommendation, where they are None
_COURSE = {"mean", "peak"}  # the same of an outcome and a result
_MEASURED = {"measured", "best_measured"}  # of an outcome and a result, left out where they are empty


@dataclass(frozen=True)
class Segment:
    """A part of a training whose values change on the way: `values` until it has done `epochs` epochs in total."""

    epochs: int
    values: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"epochs": self.epochs, "values": dict(self.values)}


@dataclass(frozen=True)
class Recommendation:
    """What the brain asks for: train experiment `number` with `values` until it has done `epochs` epochs in total.

    `resume_epoch` is the epoch of the checkpoint from which it resumes; 0 starts from scratch. Where experiments train
    on until they are stopped it is the epoch at which this one was let go on. `schedule_epochs` is the most epochs that
    the experiment could get, which a learning-rate schedule spans. `held_out` asks for a judgement on
    held-out data too. `reason` is for people, and no code reads it. `origin` is None in records that are older than it:
    `origin_of` (origins.py) gives that of any. `rung` is set in a stage without a barrier; elsewhere it is the
    index of the decision (`Decision.rung_of`). `source` is the experiment of the search whose values it trains again,
    in a race of the final judgement; None anywhere else. In a population, `parent` is the experiment from whose
    checkpoint it goes on, where that is another one, with that one's seed. `schedule` holds the values by epochs of a
    training of the judgement whose values change; `values` are then those until `epochs`.
    """

    number: int
    values: Mapping[str, Any]
    epochs: int
    schedule_epochs: int
    seed: int
    reason: str
    resume_epoch: int = 0
    held_out: bool = False
    origin: Origin | None = None
    rung: int | None = None
    source: int | None = None
    parent: int | None = None
    schedule: tuple[Segment, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """The stored form. What is None is left out: the bytes of what was read stay what they were."""
        schedule = self.schedule and [segment.to_json() for segment in self.schedule]
        data = {**vars(self), "values": dict(self.values), "schedule": schedule}
        return {name: value for name, value in data.items() if value is not None or name not in _LEFT_OUT}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recommendation:
        """Raises KeyError, TypeError or ValueError when `data` is not a stored recommendation."""
        origin, schedule = data.get("origin"), data.get("schedule")
        return checked(
            cls(
                **{
                    **data,
                    "origin": None if origin is None else Origin(origin),
                    "schedule": None if schedule is None else tuple(Segment(**segment) for segment in schedule),
                }
            )
        )


@dataclass(frozen=True)
class Outcome:
    """What a decision sees of a result: exactly one of `value` and `failure` is set.

    `value` is the metric after the last of all its `epochs`, `best_value` the best among those of which it still has a
    checkpoint, `held_out` the metric on held-out data, where the recommendation asked for it. `mean` and `peak` are the
    mean and the best of the metric over its epochs so far, where the median rule compares them; None anywhere else.
    `measured` are the values of further metrics that go with `value`, by name, and `best_measured` those that go with
    `best_value`; empty in a study of one metric.
    """

    experiment: int
    rung: int
    epochs: int
    value: float | None
    best_value: float | None = None
    held_out: float | None = None
    failure: Failure | None = None
    mean: float | None = None
    peak: float | None = None
    measured: Mapping[str, float] = field(default_factory=dict)
    best_measured: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.value is None) == (self.failure is None):
            raise RecordError(
                f"the result of experiment {self.experiment} has both or neither of a value and a failure"
            )
        further = (*self.measured.values(), *self.best_measured.values())
        for number in (self.value, self.best_value, self.held_out, self.mean, self.peak, *further):
            if number is not None and not math.isfinite(number):
                raise RecordError(f"the result of experiment {self.experiment} holds {number}, which is not a number")

    def to_json(self) -> dict[str, Any]:
        """The stored form, without what is newer and not set: the bytes of older ones stay what they were."""
        data = {**vars(self), "measured": dict(self.measured), "best_measured": dict(self.best_measured)}
        return {name: value for name, value in data.items() if not _is_left_out(name, value)}


def _is_left_out(name: str, value: Any) -> bool:
    return (name in _COURSE and value is None) or (name in _MEASURED and not value)


@dataclass(frozen=True)
class Stopped:
    """An experiment that does not go on, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class Decision:
    """The brain's answer for one rung: what it saw, what it asks for, what it stops. Created once and never changed.

    In a stage without a barrier it asks for one training, and `consumed` holds the results that had come in since the
    decisions before, which chance decides; who is stopped there follows from the whole history, or where experiments
    train on until then a decision says it, which asks for nothing. `previous` holds the
    sha256 of each decision that it builds on, which chains the record. `enqueued` holds the numbers of the enqueued
    values that it took, whose experiments come before those that it proposes itself.
    """

    stage: int
    index: int
    consumed: tuple[Outcome, ...]
    issued: tuple[Recommendation, ...]
    stopped: tuple[Stopped, ...] = ()
    previous: tuple[str, ...] = ()
    enqueued: tuple[int, ...] = ()

    def rung_of(self, issued: Recommendation) -> int:
        """The rung in which a recommendation of this decision is trained."""
        return self.index if issued.rung is None else issued.rung

    def runs(self) -> list[tuple[Recommendation, int]]:
        """What it asks for, each with its rung."""
        return [(issued, self.rung_of(issued)) for issued in self.issued]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            **({"enqueued": list(self.enqueued)} if self.enqueued else {}),
            "stage": self.stage,
            "index": self.index,
            "previous": list(self.previous),
            "consumed": [outcome.to_json() for outcome in self.consumed],
            "issued": [recommendation.to_json() for recommendation in self.issued],
            "stopped": [{**vars(stopped)} for stopped in self.stopped],
        }

    @classmethod
    def from_json(cls, data: Any, where: str) -> Decision:
        """The decision stored as `data`. Raises RecordError or UnknownFormat; `where` names the object."""
        with reading(data, where):
            decision = cls(
                stage=data["stage"],
                index=data["index"],
                consumed=tuple(
                    Outcome(**{**outcome, "failure": outcome["failure"] and Failure(outcome["failure"])})
                    for outcome in data["consumed"]
                ),
                issued=tuple(map(Recommendation.from_json, data["issued"])),
                stopped=tuple(Stopped(**stopped) for stopped in data["stopped"]),
                previous=tuple(data["previous"]),
                enqueued=tuple(data.get("enqueued", ())),
            )
            return checked(decision)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that exists: the key of its manifest, and the epoch that it was written after."""

    manifest: str
    epoch: int


@dataclass(frozen=True)
class Result:
    """What happened to one recommendation: created once per (experiment, rung), by the attempt that won.

    `attempts` are those whose work is in it, each going on from the one before; the last one won. `seconds` is the time
    that all of them trained in this rung. `history` holds (epoch, value) of the metric for every epoch of the
    experiment so far. `last` is the checkpoint to go on from, and `best` the one to keep; they are the same where the
    last epoch was the best. `mean` and `peak` are those of `Outcome`. `measured` holds (epoch, value) of every further
    metric for the epochs at which it was reported, by name.
    """

    experiment: int
    rung: int
    attempts: tuple[str, ...]
    epochs: int
    seconds: float
    history: tuple[tuple[int, float], ...] = ()
    last: Checkpoint | None = None
    best: Checkpoint | None = None
    best_value: float | None = None
    held_out: float | None = None
    failure: Failure | None = None
    message: str = ""
    mean: float | None = None
    peak: float | None = None
    measured: Measurements = field(default_factory=dict)

    @property
    def value(self) -> float | None:
        """The metric after the last epoch; None for a failure."""
        return self.history[-1][1] if self.failure is None and self.history else None

    def measured_at(self, epoch: int) -> dict[str, float]:
        """The further metrics of an epoch, by name: the newest until then, or where there is none the next one."""
        return {name: value_at(points, epoch) for name, points in sorted(self.measured.items()) if points}

    @property
    def last_measured(self) -> dict[str, float]:
        """The further metrics that go with `value`."""
        return self.measured_at(self.history[-1][0] if self.history else self.epochs)

    @property
    def best_measured(self) -> dict[str, float]:
        """The further metrics that go with `best_value`: those of the checkpoint that is kept, where there is one."""
        return self.last_measured if self.best is None else self.measured_at(self.best.epoch)

    def outcome(self) -> Outcome:
        """The part that a decision may see."""
        failed = self.failure is not None
        return Outcome(
            experiment=self.experiment,
            rung=self.rung,
            epochs=self.epochs,
            value=self.value,
            best_value=None if failed else self.best_value,
            held_out=None if failed else self.held_out,
            failure=self.failure,
            mean=None if failed else self.mean,
            peak=None if failed else self.peak,
            measured={} if failed else self.last_measured,
            best_measured={} if failed else self.best_measured,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "experiment": self.experiment,
            "rung": self.rung,
            "attempts": list(self.attempts),
            "epochs": self.epochs,
            "seconds": round(self.seconds, 3),
            "history": [list(point) for point in self.history],
            "last": self.last and {**vars(self.last)},
            "best": self.best and {**vars(self.best)},
            "best_value": self.best_value,
            "held_out": self.held_out,
            "failure": self.failure,
            "message": self.message,
            **{name: value for name in sorted(_COURSE) if (value := getattr(self, name)) is not None},
            **({"measured": to_json(self.measured)} if self.measured else {}),
        }

    @classmethod
    def from_json(cls, data: Any, where: str) -> Result:
        """The result stored as `data`. Raises RecordError or UnknownFormat; `where` names the object."""
        with reading(data, where):
            fields = {key: value for key, value in data.items() if key != "format"}
            fields["history"] = tuple((int(epoch), float(value)) for epoch, value in fields["history"])
            fields["attempts"] = tuple(fields["attempts"])
            fields["measured"] = from_json(fields.get("measured", {}))
            fields["last"] = fields["last"] and Checkpoint(**fields["last"])
            fields["best"] = fields["best"] and Checkpoint(**fields["best"])
            fields["failure"] = fields["failure"] and Failure(fields["failure"])
            result = cls(**fields)
            result.outcome()  # refuses a result with neither a value nor a failure
            return checked(result)


class Status(StrEnum):
    """Where an experiment stands."""

    PENDING = "pending"  # recommended; the record does not show that it began
    RUNNING = "running"
    WAITING = "waiting"  # its rung is done; the decision on the next one is not made yet
    STOPPED = "stopped"  # ended without an error and was not promoted
    SUCCESS = "success"  # trained to the end of its stage
    FAILURE = "failure"


@dataclass(frozen=True)
class Experiment:
    """All that happened to one recommendation, over its rungs."""

    number: int
    stage: int
    values: Mapping[str, Any]
    recommendations: tuple[Recommendation, ...]
    results: tuple[Result, ...]
    status: Status
    reason: str = ""  # why it was stopped, or how it failed

    @property
    def epochs(self) -> int:
        return self.results[-1].epochs if self.results else 0

    @property
    def history(self) -> tuple[tuple[int, float], ...]:
        return self.results[-1].history if self.results else ()


@dataclass(frozen=True)
class History:
    """What has happened in a study: its decisions and results, in the order of stages, rungs and numbers."""

    metric: Metric
    decisions: tuple[Decision, ...] = ()
    results: Mapping[tuple[int, int], Result] = field(default_factory=dict)  # by (experiment, rung)

    def of_stage(self, stage: int) -> tuple[Decision, ...]:
        return tuple(decision for decision in self.decisions if decision.stage == stage)

    def with_decision(self, decision: Decision) -> History:
        in_order = sorted((*self.decisions, decision), key=lambda stored: (stored.stage, stored.index))
        return replace(self, decisions=tuple(in_order))

    def with_result(self, result: Result) -> History:
        return replace(self, results={**self.results, (result.experiment, result.rung): result})
