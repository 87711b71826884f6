"""The ledger of a study's epochs: planned, trained, reused from checkpoints, and trained in vain, by cause.

It sums exactly: what is planned is trained, lost by a failure, under way, still to come, or never to be trained; and
what attempts have trained is in the results that count, or under way, or was in vain. An epoch is known when its
attempt has reported it or left a checkpoint of it; one that a machine lost before that is in no ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from automl.search.history import History, Recommendation, Result
from automl.search.plan import Resume, with_before
from automl.study import summary
from automl.study.attempt_times import AttemptTimes, times_of_attempts
from automl.study.definition import Definition
from automl.study.experiments import runs_of, to_ask_for
from automl.study.keys import EXPERIMENTS, attempt_of, checkpoint_object
from automl.study.outages import Pause, when_over
from automl.study.record import Record

REPEATED = "repeated"  # an attempt was killed, preempted or stopped, and the next one trained these epochs again
RETRIED = "retried"  # the run had failed, and a user had it trained again
STOPPED = "stopped"  # behind the end of the rung at which it was stopped, until the program had ended
Key = tuple[int, int]  # of a run: experiment and rung
Attempt = tuple[int, int, str]


@dataclass(frozen=True)
class EpochLedger:
    """Counts of epochs. `wasted` is by cause: a kind of failure, or `REPEATED`, `RETRIED` or `STOPPED`.

    While a study is paused, what failed and will be trained again is still to come.

    `reused` are those that were not trained again because a promoted experiment went on from its checkpoint. `lost` are
    the planned epochs that failures or the end of a search left half done, which are part of `wasted` too. `away` are
    planned ones that will never be trained.
    """

    planned: int
    trained: int
    reused: int
    lost: int
    under_way: int
    to_come: int
    wasted: Mapping[str, int]

    @property
    def away(self) -> int:
        return self.planned - self.trained - self.lost - self.under_way - self.to_come

    @property
    def in_vain(self) -> int:
        return sum(self.wasted.values())

    @property
    def spent(self) -> int:
        """All that attempts have trained."""
        return self.trained + self.under_way + self.in_vain

    def to_json(self) -> dict[str, Any]:
        return {
            "planned": self.planned,
            "trained": self.trained,
            "reused": self.reused,
            "lost": self.lost,
            "under_way": self.under_way,
            "to_come": self.to_come,
            "away": self.away,
            "wasted": dict(self.wasted),
            "spent": self.spent,
        }


@dataclass
class _Run:
    """What is known of one run: what it was asked to train, its newest result, and what its attempts have trained.

    `spent` counts what they trained of it, `beyond` what behind it.
    """

    key: Key
    issued: Recommendation
    result: Result | None
    is_retried: bool
    spent: int
    reached: int
    beyond: int

    @property
    def counted(self) -> int:
        """The epochs of its newest result, or those that are under way."""
        epochs = self.reached if self.result is None else self.result.epochs
        return max(0, epochs - self.issued.resume_epoch)


def epoch_ledger(record: Record, definition: Definition, study: History, paused: Pause | None) -> EpochLedger:
    """The ledger of a study, whose open pause is `paused`.

    Lists the objects of all attempts, and reads the times of those alone that one result cannot account for.
    """
    ahead = when_over(paused, definition, study)
    to_come = not_asked_for(definition, ahead)
    wasted: Counter[str] = Counter()
    trained = reused = lost = under_way = 0
    for run in _runs(record, definition, study):
        wasted[STOPPED] += run.beyond
        if run.result is not None and run.result.failure is not None:
            wasted[run.result.failure.value] += run.spent
            if run.key in ahead.results:
                lost += run.counted
            else:
                to_come += run.issued.epochs - run.issued.resume_epoch
            continue
        wasted[RETRIED if run.is_retried else REPEATED] += run.spent - run.counted
        if run.result is None:
            under_way += run.counted
            to_come += run.issued.epochs - run.issued.resume_epoch - run.counted
        else:
            trained += run.counted
            reused += 0 if definition.resume is Resume.STOP else run.issued.resume_epoch  # there it trained on
    causes = {cause: epochs for cause, epochs in sorted(wasted.items()) if epochs}
    return EpochLedger(planned_epochs(definition), trained, reused, lost, under_way, to_come, causes)


def planned_epochs(definition: Definition) -> int:
    """The epochs of the whole plan."""
    return sum(
        rung.size * (rung.epochs - before)
        for stage in definition.plan.stages
        for rung, before in with_before(stage, "epochs")
    )


def not_asked_for(definition: Definition, study: History) -> int:
    """The epochs of what is still to be asked for."""
    over = summary.search_is_over(definition, study) and summary.best_of_search(definition, study) is None
    epochs = 0
    for stage in definition.plan.search if over else definition.plan.stages:  # nothing succeeded: nothing is judged
        before = {rung.index: done for rung, done in with_before(stage, "epochs")}
        epochs += sum(count * (rung.epochs - before[rung.index]) for rung, count in to_ask_for(study, stage))
    return epochs


def ledger_text(ledger: EpochLedger) -> str:
    """The ledger in a line, for people."""
    causes = ", ".join(f"{epochs:,} {cause.replace('_', ' ')}" for cause, epochs in ledger.wasted.items())
    parts = [
        f"{ledger.spent:,} trained",
        f"{ledger.in_vain:,} of them in vain ({causes})" if causes else "none in vain",
    ]
    return ", ".join([*parts, f"{ledger.reused:,} reused from checkpoints"] if ledger.reused else parts)


def _runs(record: Record, definition: Definition, study: History) -> Iterable[_Run]:
    attempts: dict[Key, set[str]] = {}
    checkpoints: dict[Attempt, int] = {}  # the newest epoch of which an attempt has left one
    for name in record.store.list(EXPERIMENTS):
        if (attempt := attempt_of(name)) is None:
            continue
        attempts.setdefault((attempt[0], attempt[1]), set()).add(attempt[2])
        if (part := checkpoint_object(name)) is not None:
            checkpoints[attempt] = max(part.epoch, checkpoints.get(attempt, 0))
    asked = [((issued.number, rung), issued) for issued, rung in runs_of(study, definition.plan.stages)]
    open_or_unclear = [key for key, _ in asked if not _is_clear(key, study, attempts)]
    if definition.resume is Resume.STOP:
        open_or_unclear = _with_ends(study, asked, open_or_unclear)
    unclear = [(*key, attempt) for key in open_or_unclear for attempt in sorted(attempts.get(key, ()))]
    times: dict[Key, list[AttemptTimes]] = {}
    for one in times_of_attempts(record, unclear):
        times.setdefault((one.experiment, one.rung), []).append(one)
    for key, issued in asked:
        result = study.results.get(key)
        yield _run(key, issued, result, times.get(key, []), checkpoints, is_retried=key in record.retried)


def _is_clear(key: Key, study: History, attempts: Mapping[Key, set[str]]) -> bool:
    """Whether the result of a run tells of all that was trained for it."""
    result = study.results.get(key)
    if result is None or len(result.attempts) != 1:
        return False
    return attempts.get(key, set()) <= set(result.attempts)


def _with_ends(study: History, asked: Iterable[tuple[Key, Recommendation]], unclear: Iterable[Key]) -> list[Key]:
    """The unclear runs, and where experiments train on those that an attempt has not come to or gone on from by itself.

    It may have begun anew, and so have trained more than its run, or behind it, until it was stopped.
    """
    found = set(unclear)
    for (number, rung), issued in asked:
        result, before = study.results.get((number, rung)), study.results.get((number, rung - 1))
        begins_there = issued.resume_epoch == 0 or (before and result and before.attempts[-1] == result.attempts[-1])
        is_at_its_end = issued.epochs == issued.schedule_epochs or (number, rung + 1) in study.results
        if not (begins_there and is_at_its_end):
            found.add((number, rung))
    return [key for key, _ in asked if key in found]


def _run(
    key: Key,
    issued: Recommendation,
    result: Result | None,
    times: Iterable[AttemptTimes],
    checkpoints: Mapping[Attempt, int],
    *,
    is_retried: bool,
) -> _Run:
    spent, furthest, beyond = 0, issued.resume_epoch, 0
    for one in times:
        reached = max(one.start, checkpoints.get((one.experiment, one.rung, one.attempt), 0))
        if one.epochs:
            reached = max(reached, one.epochs[-1][0])
        beyond += max(0, reached - issued.epochs)
        reached = min(reached, issued.epochs)
        spent, furthest = spent + reached - min(one.start, reached), max(furthest, reached)
    run = _Run(key, issued, result, is_retried, spent, furthest, beyond)
    run.spent = max(spent, run.counted)
    return run
