"""Follows one training while it runs: takes its metrics and checkpoints to the store, and at the end its result."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from automl.execution.pod_contract import PREEMPTED
from automl.execution.status_readers import AT_A_LOOK, Follower
from automl.execution.steps.checkpoint_upload import Attempt, CheckpointUpload
from automl.execution.steps.diagnosis import Diagnosis, Ended, Evidence, diagnose
from automl.execution.steps.further_metrics import FurtherMetrics
from automl.execution.steps.kept_files import kept_files, store_kept, why_none
from automl.execution.steps.printed import free_the_middle, printed, reported
from automl.execution.steps.stage_in import Launch
from automl.search.history import Checkpoint, Failure, Recommendation, Result
from automl.search.plan import Resume, StopRule
from automl.study.attempt_times import AttemptTimes
from automl.study.definition import Definition
from automl.study.keys import LOG, MANIFEST, STATUS_LINES, attempt_prefix, checkpoint_prefix, is_of_rung
from automl.study.manifest import Manifest
from automl.study.record import Record
from automl.study.train_spec import checkpoint_rule
from automl.text import strict_json

_LONGEST_MESSAGE = 500  # characters of a failure's message that are kept

Ask = Callable[[Result], Recommendation | None]  # with what an experiment trains on after a rung; None: it is stopped


def fail(record: Record, recommendation: Recommendation, rung: int, attempt: str, diagnosis: Diagnosis) -> Result:
    """Stores a failure as the result of a run that nobody could follow: it never began, or its pod is gone."""
    return record.store_result(_failed(Result(recommendation.number, rung, (attempt,), 0, 0.0), diagnosis))


def _failed(result: Result, diagnosis: Diagnosis) -> Result:
    return replace(result, failure=diagnosis.failure, message=diagnosis.message[:_LONGEST_MESSAGE])


class Observer:
    """Follows one attempt. Call `poll` now and then while it runs, `pass_rung` where it is at one, `finish` once."""

    def __init__(
        self,
        record: Record,
        definition: Definition,
        recommendation: Recommendation,
        rung: int,
        launch: Launch,
        *,
        log_from: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`log_from` is where the log of this rung begins, after those of rungs that it has trained through.

        `clock` gives seconds of UTC since 1970, for the times of the attempt. No decision depends on them.
        """
        self.record, self.definition, self.launch = record, definition, launch
        self.recommendation, self.rung = recommendation, rung
        self.metric = definition.brain.metric
        before = launch.resume
        self.start_epoch = before.epoch if before else 0
        rule = definition.network.status_rule
        self.follower = Follower(rule, launch.results, launch.log, self.metric.name, self.start_epoch)
        self.history: dict[int, float] = dict(before.history) if before else {}
        self.further = FurtherMetrics(definition.aim, {} if before is None else before.measured)
        same_rung = before is not None and is_of_rung(before.key, rung)
        earlier = before.attempts if before and same_rung else ()
        self.attempts = earlier if launch.attempt in earlier else (*earlier, launch.attempt)
        self.seconds_before = before.seconds if before and same_rung else 0.0
        self.seconds = 0.0  # that this attempt has trained, by the caller's clock
        self.checkpoints = CheckpointUpload(
            record.store,
            checkpoint_rule(definition, recommendation),
            self.metric,
            launch,
            self.follower,
            epochs=recommendation.epochs,
            history=self.history,
            measured=self.further.until,
            prefix=lambda epoch: checkpoint_prefix(recommendation.number, rung, launch.attempt, epoch),
        )
        self._clock, self.log_from = clock, log_from
        self._freed = 0  # up to which byte of the log the disk space was given back
        self.ask: Ask | None = None  # at the end of each rung, where experiments train on until they are stopped
        self.stopped: Result | None = None  # of the rung at which it is stopped, once it is
        self.times: AttemptTimes | None = None
        self._times_stored: AttemptTimes | None = None

    def poll(self, seconds: float) -> list[tuple[int, float]]:
        """Takes what is new, `seconds` after the start; returns the new (epoch, value) of the metric."""
        self.seconds = seconds
        self.follower.read(AT_A_LOOK)
        new = self._take_metric()
        whole = self.checkpoints.whole_while_it_runs()
        self._note_times(new)
        if new or whole:  # the lines first: who goes on from a checkpoint finds those before it
            self._store_texts()
        for saved in whole:
            self.checkpoints.store(saved, self._attempt())
        self._store_times()
        return new

    def free_space(self) -> None:
        """Gives the disk space of a long log back, but for what is stored of it: a pod's volume has little.

        Only for who reads the log no second time.
        """
        self._freed = free_the_middle(self.launch.log, self.log_from, self.follower.log_position, self._freed)

    @property
    def is_at_rung(self) -> bool:
        """Whether it has come to the end of a rung that it may train through, and nobody has said that it does."""
        return self.stopped is None and self._trains_on and self._reported_its_rung()

    def pass_rung(self) -> list[tuple[int, float]]:
        """Stores the result of the rung that it is at, and asks; returns the new (epoch, value) of the metric behind.

        It is `stopped` after that, or follows the next rung.
        """
        return self._answered(self.record.store_result(self._result(Ended(0), None)))

    @property
    def need_not_go_on(self) -> bool:
        """Whether the training may be stopped: its checkpoints cannot be stored, or it has all that its rung is for."""
        return bool(self.checkpoints.refused) or self._is_done() or self.stopped is not None

    @property
    def _trains_on(self) -> bool:
        """Whether it may train on behind its rung without an interruption."""
        wanted = self.recommendation
        return self.ask is not None and self.definition.resume is Resume.STOP and wanted.epochs < wanted.schedule_epochs

    def _answered(self, result: Result) -> list[tuple[int, float]]:
        """Asks whether it trains on after this result of its rung, and does so; returns what is new behind the rung."""
        assert self.ask is not None, "asked of one that trains on"
        recommendation = None if result.failure is not None else self.ask(result)
        if recommendation is None:
            self.stopped = result
            return []
        self._note_times([], ended=True)
        self._store_times()
        told = self._log_size()
        self._store_texts()
        self.log_from, self.start_epoch = told, self.recommendation.epochs
        self.recommendation, self.rung = recommendation, self.rung + 1
        self.attempts, self.seconds_before = (self.launch.attempt,), -self.seconds
        began = None if self.times is None else self.times.ended
        number, attempt = recommendation.number, self.launch.attempt
        self.times = None
        if began is not None:
            self.times = AttemptTimes(number, self.rung, attempt, self.start_epoch, began)
        new = self._take_metric()
        self._note_times(new)
        return new

    def _log_size(self) -> int:
        try:
            return self.launch.log.stat().st_size
        except OSError:
            return self.log_from

    @property
    def is_behind(self) -> bool:
        """Whether the last look did not come to the end of what the program has written."""
        return self.follower.is_behind

    def _is_done(self) -> bool:
        """Whether a training that was told to go further has the metric and the checkpoint of its rung."""
        wanted, network = self.recommendation, self.definition.network
        if not network.stop_at_rung or wanted.epochs == wanted.schedule_epochs or self._trains_on:
            return False
        last = self.checkpoints.last
        has_left_all = network.checkpoints is None or (last is not None and last.epoch == wanted.epochs)
        return self._reported_its_rung() and has_left_all

    def _reported_its_rung(self) -> bool:
        """Whether it has reported the last epoch of its rung, or one after it."""
        epochs = self.recommendation.epochs
        return epochs in self.history or self.follower.readings.furthest > epochs

    def finish(self, ended: Ended, seconds: float) -> Result | None:
        """Takes the rest and stores the result; None when it was preempted and is to be run again."""
        self.seconds = seconds
        if ended.exit_code == 0:
            self.follower.close()
        else:
            self.follower.read()
        new = self._take_metric()
        whole = self.checkpoints.whole_at_the_end(ended_by_itself=ended.exit_code in {0, PREEMPTED})
        if self.times is not None or seconds > 0:  # what is salvaged has its own from when it was trained
            self._note_times(new, ended=True)
        self._store_texts()
        for saved in whole:
            self.checkpoints.store(saved, self._attempt())
        self._store_times()
        while self.is_at_rung and not ended.again:
            self.pass_rung()
        if self._is_done() or self.stopped is not None:
            ended = Ended(0)  # however it ended: what came after its last epoch is not of this rung
        kept = kept_files(self.definition.network, self.launch) if ended.exit_code == 0 and not ended.timed_out else {}
        if kept:
            self._keep(kept)
        if self.stopped is not None:
            self._note_what_is_behind()
            return self.stopped
        if ended.again or (ended.exit_code == PREEMPTED and not ended.timed_out and not self.checkpoints.refused):
            return None
        return self._behind_its_end(self.record.store_result(self._result(ended, kept)))

    def _behind_its_end(self, result: Result) -> Result:
        """The result of the last rung of one that has ended by itself: its value counts in each until it is stopped."""
        while result.failure is None and self._trains_on and self.ask is not None:
            recommendation = self.ask(result)
            if recommendation is None:
                self.stopped = result
                break
            early = f"ended by itself after epoch {self._ended_at} of {recommendation.epochs}"
            self.recommendation, self.rung = recommendation, self.rung + 1
            further = replace(result, rung=self.rung, epochs=recommendation.epochs, seconds=0.0, message=early)
            result = self.record.store_result(further)
        return result

    def _keep(self, files: Mapping[str, Path]) -> None:
        """Stores the files that the network keeps, with the last checkpoint; by themselves where it has none."""
        last, epoch, attempt = self.checkpoints.last, self._ended_at, self._attempt()
        if self.definition.network.checkpoints is None:
            key = checkpoint_prefix(self.recommendation.number, self.rung, self.launch.attempt, epoch) + MANIFEST
            history = tuple(sorted(self.history.items()))
            measured = self.further.until(epoch)
            manifest = Manifest(key, epoch, (), history, attempt.attempts, attempt.seconds, measured=measured)
            self.checkpoints.last = self.checkpoints.best = store_kept(self.record, files, manifest)
        elif last is not None and last.epoch == epoch and last.manifest.startswith(self._prefix):
            stored = self.record.manifest(last.manifest)
            if stored is not None:
                store_kept(self.record, files, stored)

    def give_up(self, failure: Failure, message: str) -> Result:
        """Stores a failure as the result, for a training that will not be tried again."""
        return self.record.store_result(_failed(self._so_far(), Diagnosis(failure, message)))

    def _attempt(self) -> Attempt:
        return Attempt(self.attempts, self.seconds_before + self.seconds)

    def _so_far(self) -> Result:
        """The result without a judgement on how the training ended."""
        return Result(
            experiment=self.recommendation.number,
            rung=self.rung,
            attempts=self.attempts,
            epochs=max(self.start_epoch, min(self.follower.readings.furthest, self.recommendation.epochs)),
            seconds=self.seconds_before + self.seconds,
            history=tuple(sorted(self.history.items())),
            last=self.checkpoints.last,
            best=self.checkpoints.best,
            best_value=self.checkpoints.best_value,
            measured=self.further.until(self.recommendation.epochs),
        )

    def _result(self, ended: Ended, kept: Collection[str] | None) -> Result:
        """What came of it. `kept` are the files that are kept of it; None while it has not ended."""
        result = self._so_far()
        evidence = Evidence(self.definition, self.recommendation, self.follower, self.history, self.checkpoints)
        diagnosis = diagnose(evidence, ended)
        if diagnosis is None and self.definition.network.keep and kept is not None and not kept:
            diagnosis = Diagnosis(Failure.NO_CHECKPOINT, why_none(self.definition.network, self.launch))
        if diagnosis is not None:
            return _failed(result, diagnosis)
        best, best_value = result.best, result.best_value
        if best is not None and not best.manifest.startswith(self._prefix) and not self._exists(best):
            best, best_value = result.last, None  # a zombie whose work we went on from has dropped it
        if best_value is None:  # also of a network without checkpoints
            best_value = result.history[-1][1]
        epochs, ended_at = self.recommendation.epochs, self._ended_at
        early = "" if ended_at == epochs else f"ended by itself after epoch {ended_at} of {epochs}"
        held_out = self._held_out()
        message = "; ".join(filter(None, (early, self.further.missing(result.measured, self.follower))))
        done = replace(result, epochs=epochs, best=best, best_value=best_value, held_out=held_out, message=message)
        if not self._trains_on or self.definition.file.stop_rule != StopRule.MEDIAN:
            return done
        values = [value for _, value in result.history]
        return replace(done, mean=fmean(values), peak=max(values, key=self.metric.score))

    @property
    def _ended_at(self) -> int:
        """The epoch at which a training that succeeded ended: that of its rung, or one before if it may end early."""
        epochs = self.recommendation.epochs
        if not self.definition.network.may_end_early:
            return epochs
        return min(epochs, max(self.follower.readings.furthest, self.start_epoch))

    def _held_out(self) -> float | None:
        """The newest finite value on held-out data; None for a network without any."""
        name = self.definition.network.held_out_metric
        values = {} if name is None else self.follower.readings.values.get(name, {})
        return next((values[epoch] for epoch in sorted(values, reverse=True) if math.isfinite(values[epoch])), None)

    @property
    def _prefix(self) -> str:
        return attempt_prefix(self.recommendation.number, self.rung, self.launch.attempt)

    def _exists(self, checkpoint: Checkpoint) -> bool:
        return self.record.store.get(checkpoint.manifest) is not None

    def _take_metric(self) -> list[tuple[int, float]]:
        """Adds the new finite values of the metric to the history, and returns them by epoch."""
        new = []
        self.further.take(self.follower.readings.values, self.start_epoch)
        for epoch, value in sorted(self.follower.readings.values.get(self.metric.name, {}).items()):
            # the epoch that it goes on from may be reported again, and counts when it was not reported before
            is_new = max(1, self.start_epoch) <= epoch <= self.recommendation.epochs and epoch not in self.history
            if is_new and math.isfinite(value):
                self.history[epoch] = value
                new.append((epoch, value))
                last = self.checkpoints.last
                if last is not None and last.epoch == epoch == self.start_epoch:
                    self.checkpoints.compare(last)
        return new

    def _note_times(self, new: list[tuple[int, float]], *, ended: bool = False) -> None:
        """Remembers when it began, when each epoch was seen, and when it ended."""
        if self.times is None:
            began = self._clock() - self.seconds
            number, attempt = self.recommendation.number, self.launch.attempt
            self.times = AttemptTimes(number, self.rung, attempt, self.start_epoch, began)
        now = self.times.began + self.seconds + min(0.0, self.seconds_before)  # since it began with this rung
        epochs = tuple((epoch, now) for epoch, _ in new if epoch > self.start_epoch)
        self.times = replace(self.times, epochs=self.times.epochs + epochs, ended=now if ended else None)

    def _note_what_is_behind(self) -> None:
        """Remembers what it has reported behind its rung, until it was stopped: it was trained, and in vain."""
        values = self.follower.readings.values.get(self.metric.name, {})
        if self.times is not None:
            when = self.times.seen
            behind = tuple((epoch, when) for epoch in sorted(values) if epoch > self.recommendation.epochs)
            self.times = replace(self.times, epochs=self.times.epochs + behind)
            self._store_times()

    def _store_times(self) -> None:
        if self.times is not None and self.times != self._times_stored:
            self.record.store.put(self.times.key, strict_json.dump(self.times.to_json()))
            self._times_stored = self.times

    def _store_texts(self) -> None:
        """What it has printed, and the status lines."""
        after = self.start_epoch if self.log_from else 0
        texts = ((LOG, printed(self.launch.log, self.log_from)), (STATUS_LINES, reported(self.follower, after)))
        for name, text in texts:
            if text is not None:
                self.record.store.put(f"{self._prefix}{name}", text)
