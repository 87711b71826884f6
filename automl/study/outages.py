"""Failures that do not come from what is searched: a row of equal ones pauses a study, and it trains them again later.

A pause and its answer are objects that are created once, so whoever carries out the study sees the same of both:
`pauses/<n>.json` names the row, and the object of `retries/` that answers it the runs that are trained again. Nothing
is decided while a pause has no answer. The result of a run that is trained again has a name of its own; the earlier one
stays, for decisions that saw it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from automl.errors import RecordError, StudyPaused
from automl.search.agenda import Run, runs_of_decision
from automl.search.history import Failure, History, Result
from automl.search.plan import Plan
from automl.study.definition import Definition
from automl.study.keys import PAUSES, RETRIES, attempt_prefix, user_change_key
from automl.study.record import Record
from automl.text.formatting import counted, numbered

Key = tuple[int, int]  # of a run: experiment and rung
# what is no outage: a part of the space may have nothing else, or the search ended
_NO_OUTAGE = (Failure.OUT_OF_MEMORY, Failure.NOT_FINITE, Failure.ENDED)


@dataclass(frozen=True)
class Pause:
    """A row of equal failures, none of which trained an epoch. `message` is that of the last of them."""

    number: int
    failure: Failure
    message: str
    runs: tuple[Key, ...]

    @property
    def experiments(self) -> str:
        return numbered("experiment", sorted({experiment for experiment, _ in self.runs}))

    def to_json(self) -> dict[str, Any]:
        error = self.error()
        return {
            "failure": self.failure.value,
            "message": self.message,
            "experiments": sorted({experiment for experiment, _ in self.runs}),
            "why": error.given,
            "advice": error.advice,
        }

    def error(self) -> StudyPaused:
        return StudyPaused(
            f"the study is paused: {counted(len(self.runs), 'training')} in a row failed alike before their first epoch"
            f" ({self.experiments}): {self.failure.described(self.message)}",
            advice=f"these failures decided nothing; read 'automl logs STUDY {self.runs[-1][0]}' and fix the cause: the"
            " same command trains them again ('automl resume' on a cluster); if failures of this kind are to count, set"
            " 'run: {failures_in_a_row: null}'",
        )


def is_early(run: Run, result: Result) -> bool:
    """Whether it failed before the first epoch that it was to train, and not by the values that were tried."""
    failed = result.failure not in {None, *_NO_OUTAGE}
    return failed and result.epochs <= run.recommendation.resume_epoch


@dataclass
class Row:
    """The newest results that failed alike and early, in the order in which they came in."""

    failure: Failure | None = None
    message: str = ""
    runs: list[Key] = field(default_factory=list)

    def take(self, run: Run, result: Result) -> None:
        if not is_early(run, result):
            self.failure, self.runs = None, []
            return
        if result.failure != self.failure:
            self.failure, self.runs = result.failure, []
        self.message = result.message
        self.runs.append(run.key)


def row_of(history: History, plan: Plan, limit: int) -> Row | None:
    """A row of at least `limit` failures in a record, which says nothing of the order in which trainings ended.

    It is the end of a stage in the order in which its experiments were asked for, those under way left out; or all
    results that there are, where a study has small stages.
    """
    rows = []
    for stage in plan.stages:
        runs = [run for decision in history.of_stage(stage.index) for run in runs_of_decision(decision)]
        row = Row()
        for run in runs:
            if (result := history.results.get(run.key)) is not None:
                row.take(run, result)
        if len(row.runs) >= limit:
            return row
        rows.append(row)
    total = Row(rows[0].failure, rows[0].message, [key for row in rows for key in row.runs])
    alike = all(row.failure == total.failure for row in rows if row.runs)
    every_result_is_in_it = len(total.runs) == len(history.results)
    return total if alike and every_result_is_in_it and len(total.runs) >= max(1, limit) else None


def open_pause(record: Record) -> Pause | None:
    """The pause that nobody has answered yet."""
    pauses = record.user_changes(PAUSES)
    if not pauses:
        return None
    number = len(pauses) - 1
    if any(retry.get("pause") == number for retry in record.user_changes(RETRIES)):
        return None
    where = record.where(user_change_key(PAUSES, number))
    try:
        newest = pauses[number]
        runs = tuple((int(experiment), int(rung)) for experiment, rung in newest["runs"])
        if not runs:
            raise ValueError("no runs")
        return Pause(number, Failure(newest["failure"]), str(newest["message"]), runs)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{where} does not hold what it should ({error})") from error


def pause(record: Record, row: Row) -> Pause:
    """Stores the pause of this row, unless the study is paused by now; returns the one that is stored."""
    if row.failure is None:
        raise ValueError("a row without a failure pauses nothing")
    stored = open_pause(record)
    while stored is None:
        body = {"failure": row.failure, "message": row.message, "runs": [list(run) for run in row.runs]}
        record.add(PAUSES, len(record.user_changes(PAUSES)), body)
        stored = open_pause(record)
    return stored


def refuse_paused(record: Record) -> None:
    """Raises StudyPaused while a pause has no answer."""
    if (paused := open_pause(record)) is not None:
        raise paused.error()


def check(record: Record, definition: Definition, history: History) -> None:
    """Pauses the study when its record has a row of failures. Raises StudyPaused while it is paused."""
    limit = definition.file.run.failures_in_a_row
    row = row_of(history, definition.plan, limit) if limit else None
    if row is not None:
        pause(record, row)
    refuse_paused(record)


def go_on(record: Record, definition: Definition) -> tuple[Key, ...] | None:
    """Answers the open pause; returns the runs that are trained again, None when the study is not paused."""
    paused = open_pause(record)
    if paused is None:
        return None
    runs = trained_again(paused, definition, record.history(definition))
    retry(record, runs, paused.number)
    return runs


def trained_again(paused: Pause | None, definition: Definition, history: History) -> tuple[Key, ...]:
    """The runs that are trained again when a pause is over, in order; none without a pause.

    They are those of its row, and those that failed like them after it. None are where rows are not to count any more.
    """
    if paused is None or not definition.file.run.failures_in_a_row:
        return ()
    after = row_of(history, definition.plan, 1)
    more = after.runs if after is not None and after.failure == paused.failure else []
    failed = {key for key, result in history.results.items() if result.failure is not None}
    return tuple(sorted({*paused.runs, *more} & failed))


def when_over(paused: Pause | None, definition: Definition, history: History) -> History:
    """The history as it will be when a pause is over: what is trained again has no result. Without a pause as it is."""
    again = set(trained_again(paused, definition, history))
    if not again:
        return history
    return replace(history, results={run: each for run, each in history.results.items() if run not in again})


def retry(record: Record, runs: Iterable[Key], answers: int | None = None) -> int:
    """Has these runs, which have failed, trained again; returns the number of the object that says so.

    `answers` is the number of the pause that it answers.
    """
    body = {"runs": [list(run) for run in runs], **({} if answers is None else {"pause": answers})}
    number = len(record.user_changes(RETRIES))
    while not record.add(RETRIES, number, body):  # somebody else has just had others trained again
        number += 1
    record.retries()
    return number


def was_tried(record: Record, run: Key) -> bool:
    """Whether an attempt has left anything of a run since it was asked for again; always true for one that was not."""
    if run not in record.retries():
        return True
    before = {attempt for result in record.results(*run) for attempt in result.attempts}
    prefixes = tuple(attempt_prefix(*run, attempt) for attempt in before)
    return any(not key.startswith(prefixes) for key in record.attempt_objects(*run))
