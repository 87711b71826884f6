"""When the attempts of a study trained: times of day, which no decision sees. Each attempt writes its own.

They are stored beside its log; a study from before they were stored has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from automl.errors import RecordError
from automl.search.formats import FORMAT, check_format
from automl.search.history import Result
from automl.study.keys import EXPERIMENTS, attempt_of_times, is_pod_attempt, run_prefix, times_key
from automl.study.record import Record
from automl.text import strict_json

NEWEST = 60  # results whose times are read to say how fast a study is


@dataclass(frozen=True)
class AttemptTimes:
    """One attempt at a run. `began` and `ended` are seconds of UTC since 1970.

    `ended` is None while it trains, or when it was cut off. `start` is the epoch that it went on from, and `epochs` are
    pairs of an epoch and when its metric was seen, rising.
    """

    experiment: int
    rung: int
    attempt: str
    start: int
    began: float
    epochs: tuple[tuple[int, float], ...] = ()
    ended: float | None = None

    @property
    def key(self) -> str:
        return times_key(self.experiment, self.rung, self.attempt)

    @property
    def in_pod(self) -> bool:
        return is_pod_attempt(self.attempt)

    @property
    def seen(self) -> float:
        """When it was last known to train."""
        return self.ended or (self.epochs[-1][1] if self.epochs else self.began)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "start": self.start,
            "began": round(self.began, 3),
            "epochs": [[epoch, round(when, 3)] for epoch, when in self.epochs],
            "ended": None if self.ended is None else round(self.ended, 3),
        }


def times_of_run(record: Record, experiment: int, rung: int) -> tuple[AttemptTimes, ...]:
    """The times of all attempts at a run, in the order in which they began. Raises RecordError for a damaged one."""
    return _read(record, record.store.list(run_prefix(experiment, rung)))


def times_of_attempts(record: Record, attempts: Iterable[tuple[int, int, str]]) -> tuple[AttemptTimes, ...]:
    """The times of those of these attempts (experiment, rung, attempt) that have any: one request each, no listing."""
    return _read(record, [times_key(*attempt) for attempt in attempts])


def times_of_newest(record: Record, results: Iterable[Result]) -> tuple[AttemptTimes, ...]:
    """The times, if stored, of the attempts that won the last `NEWEST` of these results.

    That is enough to say how fast a study is, even one with thousands of results.
    """
    newest = [*results][-NEWEST:]
    return times_of_attempts(record, [(result.experiment, result.rung, result.attempts[-1]) for result in newest])


def times_of_study(record: Record) -> tuple[AttemptTimes, ...]:
    """The times of all attempts of a study, in the order in which they began: one request each."""
    return _read(record, record.store.list(EXPERIMENTS))


def _read(record: Record, keys: Sequence[str]) -> tuple[AttemptTimes, ...]:
    attempts = [(key, *attempt) for key in keys if (attempt := attempt_of_times(key)) is not None]
    bodies = record.get_many([key for key, *_ in attempts])
    times = [
        _parsed(data, record.where(key), experiment, rung, attempt)
        for (key, experiment, rung, attempt), data in zip(attempts, bodies, strict=True)
        if data is not None
    ]
    return tuple(sorted(times, key=lambda at: (at.began, at.experiment, at.rung, at.attempt)))


def _parsed(data: bytes, where: str, experiment: int, rung: int, attempt: str) -> AttemptTimes:
    body = strict_json.load(data, where)
    check_format(body, where)
    try:
        return AttemptTimes(
            experiment,
            rung,
            attempt,
            start=int(body["start"]),
            began=float(body["began"]),
            epochs=tuple((int(epoch), float(when)) for epoch, when in body["epochs"]),
            ended=None if body["ended"] is None else float(body["ended"]),
        )
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise RecordError(
            f"{where} does not hold what it should ({error})",
            advice="it was damaged or edited; nothing but times depends on it, so it may be removed",
        ) from error
