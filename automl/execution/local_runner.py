"""Walks a study's plan on this machine: a few trainings side by side.

One thread, no state that matters: killed at any moment and started again it makes the same decisions and goes on from
the newest checkpoints. What happens is told to a listener (see live_view.py).
"""

from __future__ import annotations

import fcntl
import shutil
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from automl.errors import AlreadyRunning, CheckpointError, Interrupted, StudyFailed
from automl.execution.steps.observe import PREEMPTED, Ended, Observer, fail
from automl.execution.steps.propose import propose
from automl.execution.steps.salvage import note, salvage
from automl.execution.steps.stage_in import stage_in
from automl.execution.training_process import Start, Training, TrainingProcess
from automl.reporting import views
from automl.search.history import Decision, Failure, History, Recommendation, Result
from automl.study import summary
from automl.study.attempt_times import AttemptTimes
from automl.study.definition import Definition
from automl.study.events import Event, Listener
from automl.study.experiments import experiments, rung_of
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record

POLL_SECONDS = 0.1
GRACE_SECONDS = 20.0  # from the request to stop until a training is killed


@dataclass
class _Run:
    """One training that is under way, and what follows it."""

    recommendation: Recommendation
    stage: int
    rung: int
    training: Training
    observer: Observer
    began: float = field(default_factory=time.monotonic)
    stopping: float | None = None  # when it was asked to stop
    timed_out: bool = False

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


@dataclass
class LocalRun:
    """One walk of a study.

    jobs: trainings side by side. work: a folder of this machine for what is under way. start: starts a training.
    """

    record: Record
    definition: Definition
    jobs: int
    work: Path
    listener: Listener
    start: Start = TrainingProcess
    study: History = field(init=False)
    _ready: list[tuple[int, int, Recommendation]] = field(default_factory=list, init=False)  # (stage, rung, what)
    _open: dict[int, int] = field(default_factory=dict, init=False)  # stage -> runs of its rung without a result
    _at: dict[int, int] = field(default_factory=dict, init=False)  # stage -> the decision whose runs those are
    _active: list[_Run] = field(default_factory=list, init=False)
    _preemptions: dict[tuple[int, int], int] = field(default_factory=dict, init=False)
    _stopped: bool = field(default=False, init=False)

    def run(self) -> History:
        """Walks the plan to its end and writes best_model. Raises Interrupted, StudyFailed, or what a store raises."""
        with _lock(self.work), self._stop_on_signals():
            salvage(self.record, self.definition, self.work / "attempts")
            self.study = self.record.history(self.definition)
            if self.study.decisions:  # whoever was here before may have died between a result and what shows it
                views.write_experiments(self.record, self.definition, self.study, [])
            try:
                for stage in self.definition.plan.search:
                    self._advance(stage.index, 0)
                self._walk()
                for stage in self.definition.plan.stages[len(self.definition.plan.search) :]:
                    self._advance(stage.index, 0)
                self._walk()
            except StudyFailed:  # there is nothing to judge; what has failed, and why, is shown all the same
                views.rebuild(self._opened())
                raise
            finally:
                for run in self._active:  # only when something raised: nothing is left running
                    run.training.close()
        study = views.rebuild(self._opened())
        if summary.best_of_search(self.definition, study) is None:
            raise StudyFailed(
                f"none of the {len(experiments(study, self.definition.plan))} experiments succeeded",
                advice="read experiment_0/log.txt, mend the training or its settings, and start under another name",
            )
        return study

    def _opened(self) -> OpenedStudy:
        return OpenedStudy(self.record, self.definition, self.record.metadata())

    def _advance(self, stage: int, index: int) -> None:
        """Makes or reads decisions from `index` on until one leaves something to train, or the stage is over."""
        where = self.definition.plan.stages[stage]
        while index < len(where.rungs):
            decision = propose(self.record, self.definition, stage, index)
            if decision not in self.study.decisions:
                self.study = self.study.with_decision(decision)
            views.write_decisions(self.record, self.definition, self.study.decisions, [decision])
            self._tell("decided", decision=decision)
            rung = rung_of(where, decision)
            left = 0
            for recommendation in decision.issued:
                known = self.study.results.get((recommendation.number, rung))
                result = known or self.record.result(recommendation.number, rung)
                if result is None:
                    self._ready.append((stage, rung, recommendation))
                    left += 1
                else:
                    self.study = self.study.with_result(result)
                    self._tell("skipped", recommendation=recommendation, rung=rung, result=result)
            if left:
                self._open[stage], self._at[stage] = left, index
                self._ready.sort(key=lambda entry: (entry[0], entry[1], entry[2].number))
                return
            index += 1

    def _walk(self) -> None:
        while self._ready or self._active:
            while self._ready and len(self._active) < self.jobs and not self._stopped:
                self._start(*self._ready.pop(0))
            for run in list(self._active):
                self._follow(run)
            if self._stopped and not self._active:
                raise Interrupted(
                    f"stopped; {sum(self._open.values())} runs of the current rungs are left",
                    advice="the same command goes on from here",
                )
            if self._active:
                time.sleep(POLL_SECONDS)

    def _start(self, stage: int, rung: int, recommendation: Recommendation) -> None:
        attempt = uuid.uuid4().hex[:12]
        folder = self.work / "attempts" / attempt
        try:
            launch = stage_in(self.record, self.definition, recommendation, rung, folder)
        except CheckpointError as error:
            result = fail(self.record, recommendation, rung, attempt, (Failure.NO_CHECKPOINT, str(error)))
            self._settle(stage, rung, recommendation, result)
            shutil.rmtree(folder)
            return
        observer = Observer(self.record, self.definition, recommendation, rung, launch)
        note(self.definition, launch, recommendation, stage, rung)
        self._active.append(_Run(recommendation, stage, rung, self.start(launch, self.jobs), observer))
        self._tell("started", recommendation=recommendation, rung=rung, epoch=observer.start_epoch)

    def _follow(self, run: _Run) -> None:
        exit_code = run.training.poll()
        for epoch, value in run.observer.poll(run.seconds):
            at, times = run.recommendation, run.observer.times
            self._tell("epoch", recommendation=at, rung=run.rung, epoch=epoch, value=value, times=times)
        if exit_code is not None:
            run.training.close()
            self._active.remove(run)
            self._finish(run, exit_code)
            return
        limit = self.definition.file.run.timeout_minutes
        late = limit is not None and run.seconds > limit * 60
        if run.stopping is None and (late or self._stopped):
            run.timed_out = late
            run.stopping = time.monotonic()
            run.training.signal(signal.SIGTERM)
        elif run.stopping is not None and time.monotonic() - run.stopping > GRACE_SECONDS:
            run.training.signal(signal.SIGKILL)

    def _finish(self, run: _Run, exit_code: int) -> None:
        asked_to_stop = run.stopping is not None and not run.timed_out
        ended = Ended(exit_code, run.timed_out, again=asked_to_stop and exit_code != 0)
        result = run.observer.finish(ended, run.seconds)
        entry = (run.stage, run.rung, run.recommendation)
        if result is None and not asked_to_stop:
            result = self._preempted(run)
        if result is None:
            self._ready.insert(0, entry)
        else:
            self._settle(*entry, result, run.observer.times)
        shutil.rmtree(run.observer.launch.folder)

    def _preempted(self, run: _Run) -> Result | None:
        """None to run it again; a failure when it was preempted too often."""
        key = (run.recommendation.number, run.rung)
        self._preemptions[key] = self._preemptions.get(key, 0) + 1
        self._tell("preempted", recommendation=run.recommendation, rung=run.rung)
        if self._preemptions[key] <= self.definition.file.run.preemptions:
            return None
        return run.observer.give_up(Failure.PREEMPTED, f"exit code {PREEMPTED}, {self._preemptions[key]} times")

    def _settle(
        self, stage: int, rung: int, recommendation: Recommendation, result: Result, times: AttemptTimes | None = None
    ) -> None:
        self.study = self.study.with_result(result)
        changed = [each for each in experiments(self.study, self.definition.plan) if each.number == result.experiment]
        views.write_experiments(self.record, self.definition, self.study, changed)
        self._tell("settled", recommendation=recommendation, rung=rung, result=result, times=times)
        self._open[stage] -= 1
        if self._open[stage] == 0 and not self._stopped:
            self._advance(stage, self._at[stage] + 1)

    def _tell(
        self,
        kind: str,
        *,
        decision: Decision | None = None,
        recommendation: Recommendation | None = None,
        rung: int = 0,
        epoch: int = 0,
        value: float | None = None,
        result: Result | None = None,
        times: AttemptTimes | None = None,
    ) -> None:
        self.listener(Event(kind, self.study, decision, recommendation, rung, epoch, value, result, times))

    @contextmanager
    def _stop_on_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM ask the trainings to stop and wait for them; a second one kills them."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            if self._stopped:
                raise KeyboardInterrupt
            self._stopped = True

        if threading.current_thread() is not threading.main_thread():  # Python gives signals to that one alone
            yield
            return
        old = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)


@contextmanager
def _lock(work: Path) -> Iterator[None]:
    """Keeps two runs of one study on this machine apart; the kernel lets go of it when a process dies.

    No decision rests on it: two runs would only train twice.
    """
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"the study is being run by another process ({work / 'lock'} is held)",
                advice="wait for it, or watch it with 'automl status'",
            ) from error
        yield
