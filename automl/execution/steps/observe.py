"""Follows one training while it runs: takes its metrics and checkpoints to the store, and at the end its result."""

from __future__ import annotations

import math
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from automl.errors import StoreError
from automl.execution.pod_contract import KILLED, PREEMPTED
from automl.execution.status_readers import Follower, status_lines, why_no_epoch, why_no_metric
from automl.execution.steps import out_of_memory
from automl.execution.steps.stage_in import Launch
from automl.networks.spec_formats import get_path
from automl.search.history import Checkpoint, Failure, Recommendation, Result
from automl.study.attempt_times import AttemptTimes
from automl.study.definition import Definition
from automl.study.keys import LOG, MANIFEST, STATUS_LINES, attempt_prefix, checkpoint_prefix, is_of_rung
from automl.study.manifest import Manifest, StoredFile
from automl.study.record import Record
from automl.study.train_spec import train_spec
from automl.text import strict_json
from automl.text.digests import sha256_of

_KILLED = (-9, KILLED)
_MESSAGE = 500  # characters of a failure's message that are kept
_REASON = 350  # of what a program says itself


@dataclass(frozen=True)
class Ended:
    """How a training ended. exit_code: negative for a signal, as subprocess gives it.

    timed_out: it was stopped because it ran too long. again: it was stopped for our own reasons, to be run again.
    """

    exit_code: int
    timed_out: bool = False
    again: bool = False


@dataclass(frozen=True, order=True)
class _File:
    """A file as it was at one look. name: its path below the results folder; size: bytes; changed: ns."""

    name: str
    size: int
    changed: int


@dataclass(frozen=True, order=True)
class _Saved:
    """A checkpoint that has all its files, as they were at one look."""

    epoch: int
    files: tuple[_File, ...]


def fail(record: Record, recommendation: Recommendation, rung: int, attempt: str, why: tuple[Failure, str]) -> Result:
    """Stores a failure as the result of a run that nobody could follow: it never began, or its pod is gone."""
    failure, message = why
    result = Result(recommendation.number, rung, (attempt,), 0, 0.0, failure=failure, message=message[:_MESSAGE])
    return record.store_result(result)


class Observer:
    """Follows one attempt. Call `poll` now and then while it runs, then `finish` once."""

    def __init__(
        self,
        record: Record,
        definition: Definition,
        recommendation: Recommendation,
        rung: int,
        launch: Launch,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """clock: seconds of UTC since 1970; for the times of the attempt, on which nothing rests."""
        self.record, self.definition, self.launch = record, definition, launch
        self.recommendation, self.rung = recommendation, rung
        self.metric = definition.brain.metric
        before = launch.resume
        self.start_epoch = before.epoch if before else 0
        rule = definition.network.status_rule
        self.follower = Follower(rule, launch.results, launch.log, self.metric.name, self.start_epoch)
        self.history: dict[int, float] = dict(before.history) if before else {}
        self.best, self.best_value = (before.best, before.best_value) if before else (None, None)
        self.last = Checkpoint(before.key, before.epoch) if before else None
        same_rung = before is not None and is_of_rung(before.key, rung)
        earlier = before.attempts if before and same_rung else ()
        self.attempts = earlier if launch.attempt in earlier else (*earlier, launch.attempt)
        self.seconds_before = before.seconds if before and same_rung else 0.0
        self.seconds = 0.0  # that this attempt has trained; the caller's clock
        self._seen: list[_Saved] = []  # checkpoints in the results folder at the last look
        self._stored: dict[int, tuple[_Saved, Manifest]] = {}
        self._clock = clock
        self.times: AttemptTimes | None = None
        self._times_stored: AttemptTimes | None = None

    def poll(self, seconds: float) -> list[tuple[int, float]]:
        """Takes what is new, `seconds` after the start; returns the new (epoch, value) of the metric."""
        self.seconds = seconds
        new = self._read_status()
        seen, self._seen = self._seen, self._checkpoints()
        whole = [saved for saved in self._reported() if saved in seen or self._untouched(saved)]
        self._note_times(new)
        self._store(whole, texts=bool(new))
        self._store_times()
        return new

    def finish(self, ended: Ended, seconds: float) -> Result | None:
        """Takes the rest and stores the result; None when it was preempted and is to be run again."""
        self.seconds = seconds
        new = self._read_status(ended_well=ended.exit_code == 0)
        self._seen = self._checkpoints()
        if ended.exit_code in {0, PREEMPTED}:
            whole = self._pending()
        else:  # a program that was killed may have left half a file
            whole = [saved for saved in self._reported() if self._untouched(saved)]
        if self.times is not None or seconds > 0:  # what is salvaged has its own from when it was trained
            self._note_times(new, ended=True)
        self._store(whole, texts=True)
        self._store_times()
        if ended.again or (ended.exit_code == PREEMPTED and not ended.timed_out):
            return None
        return self.record.store_result(self._result(ended))

    def give_up(self, failure: Failure, message: str) -> Result:
        """Stores a failure as the result, for a training that will not be tried again."""
        return self.record.store_result(replace(self._base(), failure=failure, message=message[:_MESSAGE]))

    def _base(self) -> Result:
        return Result(
            experiment=self.recommendation.number,
            rung=self.rung,
            attempts=self.attempts,
            epochs=max(self.start_epoch, min(self.follower.said.furthest, self.recommendation.epochs)),
            seconds=self.seconds_before + self.seconds,
            history=tuple(sorted(self.history.items())),
            last=self.last,
            best=self.best,
            best_value=self.best_value,
        )

    def _result(self, ended: Ended) -> Result:
        base, asked = self._base(), self.recommendation.epochs
        failure, message = self._failure(ended)
        if failure is not None:
            return replace(base, failure=failure, message=message[:_MESSAGE])
        best, best_value = base.best, base.best_value
        if best is not None and not best.manifest.startswith(self._prefix) and not self._exists(best):
            best, best_value = base.last, None  # a zombie whose work we went on from has dropped it
        if best_value is None:  # also of a network without checkpoints
            best_value = base.history[-1][1]
        held_out = None
        if self.definition.network.held_out_metric is not None:
            said = self.follower.said.values.get(self.definition.network.held_out_metric, {})
            held_out = next((said[epoch] for epoch in sorted(said, reverse=True) if math.isfinite(said[epoch])), None)
        return replace(base, epochs=asked, best=best, best_value=best_value, held_out=held_out)

    @property
    def _prefix(self) -> str:
        return attempt_prefix(self.recommendation.number, self.rung, self.launch.attempt)

    def _exists(self, checkpoint: Checkpoint) -> bool:
        return self.record.store.get(checkpoint.manifest) is not None

    def _failure(self, ended: Ended) -> tuple[Failure | None, str]:
        asked = self.recommendation.epochs
        said = self.follower.said.values.get(self.metric.name, {})
        if ended.timed_out:
            return Failure.TIMEOUT, f"ran longer than {self.definition.file.run.timeout_minutes} minutes"
        if said and not math.isfinite(said[max(said)]):
            return Failure.NOT_FINITE, f"{self.metric.name} = {said[max(said)]} at epoch {max(said)}"
        if ended.exit_code in _KILLED:
            suspect = f"; {self._batch_size()}" if self._batch_size() else ""
            return Failure.KILLED, f"killed from outside, most often because the memory was used up{suspect}"
        if ended.exit_code != 0:
            if line := out_of_memory.said(self.follower.said.failure, self.launch.log):
                return Failure.OUT_OF_MEMORY, "; ".join(filter(None, (line[:_REASON], self._batch_size())))
            reason = self.follower.said.failure or _last_line(self.launch.log)
            return Failure.ERROR, f"exit code {ended.exit_code}: {reason}".rstrip(": ")
        if self.follower.said.problem or self.metric.name in self.follower.said.refused:
            return Failure.NO_METRIC, self._without_metric()
        done = max([self.follower.said.furthest, self.start_epoch])
        if done < asked:
            if reason := why_no_epoch(self.follower):
                return Failure.NO_METRIC, reason
            return Failure.SHORT, f"ended after epoch {done} of {asked}"
        if not any(epoch > self.recommendation.resume_epoch for epoch in self.history):
            return Failure.NO_METRIC, self._without_metric()
        rule = self.definition.network.checkpoints
        if rule is not None and (self.last is None or self.last.epoch != asked):
            kind = "folder" if rule.folder else "file"
            beside = f" with {', '.join(rule.also)}" if rule.also else ""
            return Failure.NO_CHECKPOINT, f"no {kind} {rule.pattern}{beside} of epoch {asked} was written"
        return None, ""

    def _batch_size(self) -> str:
        """What to suspect first when there was not enough memory; nothing when the network file does not name it."""
        path = self.definition.network.fields.batch_size
        if path is None:
            return ""
        size = get_path(train_spec(self.definition, self.recommendation), path)
        return f"the first suspect is the batch size, {path} = {size}"

    def _without_metric(self) -> str:
        name, said = self.metric.name, self.follower.said
        if said.values.get(name) and not said.problem and name not in said.refused:
            return f"{name} was reported of no epoch from {self.start_epoch + 1} on: see 'status' in the network file"
        return why_no_metric(self.follower)

    def _read_status(self, *, ended_well: bool = False) -> list[tuple[int, float]]:
        if ended_well:
            self.follower.close()
        else:
            self.follower.read()
        new = []
        for epoch, value in sorted(self.follower.said.values.get(self.metric.name, {}).items()):
            # the epoch that it goes on from may be reported again, and counts when it was not reported before
            fresh = max(1, self.start_epoch) <= epoch <= self.recommendation.epochs and epoch not in self.history
            if fresh and math.isfinite(value):
                self.history[epoch] = value
                new.append((epoch, value))
                if self.last is not None and self.last.epoch == epoch == self.start_epoch:
                    self._compare(self.last)
        return new

    def _checkpoints(self) -> list[_Saved]:
        """The checkpoints of this attempt's epochs that have all their files, by epoch."""
        rule = self.definition.network.checkpoints
        if rule is None:
            return []
        files: dict[str, _File] = {}
        for folder, _, names in os.walk(self.launch.results):
            for path in (Path(folder) / name for name in names):
                with suppress(FileNotFoundError):  # programs remove old ones while we look
                    about = path.stat()
                    if stat.S_ISREG(about.st_mode):
                        name = path.relative_to(self.launch.results).as_posix()
                        files[name] = _File(name, about.st_size, about.st_mtime_ns)
        return [
            _Saved(epoch, tuple(files[name] for name in names))
            for epoch, names in rule.whole(files).items()
            if self.start_epoch < epoch <= self.recommendation.epochs
        ]

    def _pending(self) -> list[_Saved]:
        """Those still to be stored, or changed since. What has diverged would look healthy to whoever goes on from it.

        One that was dropped stays dropped.
        """
        said = self.follower.said.values.get(self.metric.name, {})
        found = []
        for saved in self._seen:
            before, manifest = self._stored.get(saved.epoch, (None, None))
            stored = manifest is not None and (saved == before or not manifest.files)
            if not stored and math.isfinite(said.get(saved.epoch, 0.0)):
                found.append(saved)
        return found

    def _reported(self) -> list[_Saved]:
        """Those still to be stored whose metric is known or will not come any more.

        Which checkpoint is the best must not hang on when we look.
        """
        said = self.follower.said.values.get(self.metric.name, {})
        furthest = self.follower.said.furthest
        return [saved for saved in self._pending() if saved.epoch in said or saved.epoch < furthest]

    def _untouched(self, saved: _Saved) -> bool:
        """Whether it was whole when the program last wrote a line: programs save and report in turn."""
        return max(file.changed for file in saved.files) <= self.follower.written

    def _store(self, whole: list[_Saved], *, texts: bool) -> None:
        """Stores the log and status lines, then the checkpoints: who goes on from one finds the lines before it."""
        if texts or whole:
            self._store_texts()
        for saved in whole:
            self._store_checkpoint(saved)

    def _store_checkpoint(self, saved: _Saved) -> None:
        """Stores one, unless the program removes or changes a file before it is read to its end."""
        key = checkpoint_prefix(self.recommendation.number, self.rung, self.launch.attempt, saved.epoch) + MANIFEST
        manifest = Manifest(key, saved.epoch, (), (), self.attempts, self.seconds_before + self.seconds)
        if saved.epoch in self._stored:  # what its manifest promises is about to be written over
            self.record.store.delete(key)
        stored = []
        for place, file in enumerate(saved.files):
            path = self.launch.results / file.name
            try:
                stored.append(StoredFile(file.name, file.size, sha256_of(path)))
                self.record.store.put(manifest.file_key(place), path)
            except (FileNotFoundError, StoreError):
                if path.is_file():
                    raise
                return
        if saved not in self._checkpoints():
            return
        checkpoint = Checkpoint(key, saved.epoch)
        self._compare(checkpoint)
        manifest = replace(
            manifest,
            files=tuple(stored),
            history=tuple(point for point in sorted(self.history.items()) if point[0] <= saved.epoch),
            best=self.best,
            best_value=self.best_value,
        )
        self.record.store.put(key, strict_json.dump(manifest.to_json()))
        if self.last is None or self.last.epoch < saved.epoch:
            self.last = checkpoint
        self._stored[saved.epoch] = (saved, manifest)
        self._drop_old(self.last.epoch)

    def _note_times(self, new: list[tuple[int, float]], *, ended: bool = False) -> None:
        """Remembers when it began, when each epoch was seen, and when it ended."""
        if self.times is None:
            began = self._clock() - self.seconds
            number, attempt = self.recommendation.number, self.launch.attempt
            self.times = AttemptTimes(number, self.rung, attempt, self.start_epoch, began)
        now = self.times.began + self.seconds
        seen = tuple((epoch, now) for epoch, _ in new if epoch > self.start_epoch)
        self.times = replace(self.times, epochs=self.times.epochs + seen, ended=now if ended else None)

    def _store_times(self) -> None:
        if self.times is not None and self.times != self._times_stored:
            self.record.store.put(self.times.key, strict_json.dump(self.times.to_json()))
            self._times_stored = self.times

    def _compare(self, checkpoint: Checkpoint) -> None:
        """Keeps it as the best when it is."""
        value = self.history.get(checkpoint.epoch)
        if value is None:
            return
        if self.best_value is None or self.metric.score(value) > self.metric.score(self.best_value):
            self.best, self.best_value = checkpoint, value

    def _drop_old(self, newest: int) -> None:
        """Of an attempt's checkpoints the newest and the best are kept; the manifest goes first."""
        for epoch, (saved, manifest) in list(self._stored.items()):
            if epoch != newest and manifest.files and (self.best is None or manifest.key != self.best.manifest):
                self.record.store.delete(manifest.key)
                for place in range(len(manifest.files)):
                    self.record.store.delete(manifest.file_key(place))
                self._stored[epoch] = (saved, replace(manifest, files=()))  # remembered as seen

    def _store_texts(self) -> None:
        """The log, and the status lines: as they stand, or in the same form when the program has another."""
        if self.launch.log.is_file():
            self.record.store.put(f"{self._prefix}{LOG}", self.launch.log)
        paths = self.follower.paths()
        if self.follower.rule.reader != "tao":
            lines = status_lines(self.follower.said)
            if lines:
                self.record.store.put(f"{self._prefix}{STATUS_LINES}", lines)
        elif len(paths) == 1:
            self.record.store.put(f"{self._prefix}{STATUS_LINES}", paths[0])
        elif paths:
            self.record.store.put(f"{self._prefix}{STATUS_LINES}", b"".join(path.read_bytes() for path in paths))


def _last_line(path: Path) -> str:
    if not path.is_file():
        return ""
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
