"""Walks a study's plan on this machine: a few trainings at the same time, and tells a listener (live_view.py).

One thread, no state that matters: killed at any moment and started again it goes on from the newest checkpoints.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FrameType

from automl.errors import CheckpointError, Interrupted, StudyFailed, StudyPaused
from automl.execution import leftovers
from automl.execution.gpus import NO_GPUS, Gpus
from automl.execution.local_program import prepared
from automl.execution.only_runner import locked, silence_closed
from automl.execution.pod_contract import PREEMPTED
from automl.execution.steps.diagnosis import Diagnosis, Ended
from automl.execution.steps.observe import Observer, fail
from automl.execution.steps.propose import propose
from automl.execution.steps.salvage import note, remove, salvage
from automl.execution.steps.stage_in import stage_in
from automl.execution.training_process import Start, Training, TrainingProcess
from automl.reporting import views
from automl.search.agenda import Run, due, order_of_starts, runs_of_decision
from automl.search.history import Decision, Failure, History, Recommendation, Result
from automl.study import ending, outages, summary
from automl.study.attempt_times import AttemptTimes
from automl.study.definition import Definition
from automl.study.events import Event, EventKind, Listener
from automl.study.experiments import experiments
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.text.formatting import counted, numbered

POLL_SECONDS = 0.1
GRACE_SECONDS = 20.0  # from the request to stop until a training is killed
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OUTPUTS = (1, 2)  # the files of standard output and standard error


@dataclass
class _Active:
    """A run that is under way: its training, and what follows it."""

    run: Run
    training: Training
    observer: Observer
    gpus: tuple[str, ...] = ()
    began: float = field(default_factory=time.monotonic)
    stopping: float | None = None  # when it was asked to stop
    timed_out: bool = False
    exit_code: int | None = None  # once it has ended
    lasted: float | None = None  # seconds, once nothing of it runs
    left_out: bool = False  # the search has ended, and this training does not finish

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began if self.lasted is None else self.lasted

    def end(self) -> None:
        """Ends what is left of its processes, once."""
        if self.lasted is None:
            self.exit_code, self.lasted = self.training.poll(), self.seconds
            self.training.close()


@dataclass
class LocalRun:
    """One walk of a study.

    `jobs` trainings run at the same time and share `gpus`. `work` is a folder of this machine for what is under way.
    `start` starts a training.
    """

    record: Record
    definition: Definition
    jobs: int
    work: Path
    listener: Listener
    start: Start = TrainingProcess
    gpus: Gpus = NO_GPUS
    study: History = field(init=False)
    _ready: list[Run] = field(default_factory=list, init=False)  # those that wait for a free job, the next one first
    _active: list[_Active] = field(default_factory=list, init=False)
    _preemptions: dict[tuple[int, int], int] = field(default_factory=dict, init=False)
    _stopped: bool = field(default=False, init=False)
    _says_stopping: bool = field(default=False, init=False)
    _retried: Mapping[tuple[int, int], list[int]] = field(default_factory=dict, init=False)
    _row: outages.Row = field(default_factory=outages.Row, init=False)
    _pause: outages.Pause | None = field(default=None, init=False)
    _seen: tuple[int, ...] = field(default=(), init=False)  # what counts, at the last look for the end

    def run(self) -> History:
        """Walks the plan to its end and writes best_model. Raises Interrupted, StudyFailed, or what a store raises."""
        with locked(self.work), self._stop_on_signals():
            cleared = leftovers.clear(self.work / "attempts")
            salvage(self.record, self.definition, self.work / "attempts", cleared.alone)
            again = outages.go_on(self.record, self.definition)
            self.study = self.record.history(self.definition)
            self._retried = self.record.retried
            for line in cleared.lines:
                self._note(line)
            if again:
                numbers = sorted({experiment for experiment, _ in again})
                self._note(f"the study continues after a pause: {numbered('experiment', numbers)} trained again")
                views.write_report(self._opened(), self.study)
            if self.study.decisions:  # whoever was here before may have died between a result and what shows it
                views.write_experiments(self.record, self.definition, self.study, [])
            try:
                for decision in self.study.decisions:
                    self._line_up(decision)
                self._leave_out()
                self._decide()
                self._walk()
            except (StudyFailed, StudyPaused):  # what has failed, and why, is shown all the same
                views.rebuild(self._opened())
                raise
            finally:
                for active in self._active:  # only when something raised: nothing is left running
                    active.end()
        study = views.rebuild(self._opened())
        if summary.best_of_search(self.definition, study) is None:
            raise summary.nothing_to_show(self.definition, study)
        return study

    def _opened(self) -> OpenedStudy:
        return OpenedStudy(self.record, self.definition, self.record.metadata())

    def _decide(self, *, begin: bool = True) -> None:
        """Makes every decision that is due, until all that is left waits for a training, or for a free job.

        Without `begin` those alone that say whether a training goes on which is under way.
        """
        if begin:
            self._take_retries()
        self._look_for_the_end()
        while steps := due(self.definition.plan, self.study, on_demand=begin and self._free > 0):
            if not begin and not self.definition.plan.stages[steps[0].stage].stops:
                return
            decision = propose(self.record, self.definition, steps[0].stage, steps[0].index)
            self.study = self.study.with_decision(decision)
            self._line_up(decision)
            self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        """Ends the search where one of its limits is reached; looks again when there are other results or epochs."""
        seen = (
            len(self.study.results),
            sum(len(active.observer.history) for active in self._active),
            sum(not decision.issued for decision in self.study.decisions),
        )
        if seen == self._seen:
            return
        self._seen = seen
        before, active = self.definition, [active.run.key for active in self._active]
        self.definition = ending.look(self.record, before, self.study, active)
        if self.definition is before or self.definition.end is None or not self.definition.end.is_early:
            return
        self.study = self.record.history(self.definition)
        text = self.definition.end.why
        self.listener(Event(EventKind.ENDED, self.study, text=text, definition=self.definition))
        self._leave_out()

    def _leave_out(self) -> None:
        """Closes the runs that wait and are not needed any more, as the search ended early; stops those that train."""
        waiting, self._ready = self._ready, []
        for run in waiting:
            if run.decision >= self.definition.plan.stages[run.stage].most_decisions:
                continue  # it was decided at the very moment of the end
            if not ending.is_left_out(self.definition, run):
                self._ready.append(run)
                continue
            result = ending.leave_out(self.record, self.definition, run, uuid.uuid4().hex[:12])
            self._show(run, result)
        for active in self._active:
            active.left_out = ending.is_left_out(self.definition, active.run)

    @property
    def _free(self) -> int:
        """How many jobs have nothing to train."""
        return self.jobs - len(self._ready) - len(self._active)

    def _take_retries(self) -> None:
        """Lines up what a user has had trained again since the last look."""
        before, self._retried = self._retried, self.record.retries()
        new = {run for run, numbers in self._retried.items() if numbers != before.get(run)} & set(self.study.results)
        if new:
            results = {run: result for run, result in self.study.results.items() if run not in new}
            self.study = replace(self.study, results=results)
            runs = [run for decision in self.study.decisions for run in runs_of_decision(decision)]
            self._make_ready([run for run in runs if run.key in new])

    def _line_up(self, decision: Decision) -> None:
        """Shows a stored decision, and lines up what it requests and nobody has trained."""
        views.write_decisions(self.record, self.definition, self.study.decisions, [decision])
        self._tell(EventKind.DECIDED, decision=decision)
        wanted: list[Run] = []
        for run in runs_of_decision(decision):
            result = self.study.results.get(run.key) or self.record.result(*run.key)
            if result is None:
                wanted.append(run)
            else:
                self.study = self.study.with_result(result)
                self._tell(EventKind.SKIPPED, recommendation=run.recommendation, rung=run.rung, result=result)
        self._make_ready(wanted)

    def _make_ready(self, runs: Sequence[Run]) -> None:
        """Takes runs among those that can start, which stay in the order of their starts."""
        if runs:
            self._ready = sorted([*self._ready, *runs], key=order_of_starts(self.definition.plan, self.jobs))

    def _walk(self) -> None:
        while self._ready or self._active:
            while self._ready and len(self._active) < self.jobs and not self._stopped and self._pause is None:
                self._start(self._ready.pop(0))
            for active in list(self._active):
                self._follow(active)
            if self._pause is not None and not self._active:
                break
            if self._stopped and self._active and not self._says_stopping:
                self._says_stopping = True
                self._note(f"stopping ({len(self._active)} running); Ctrl-C again kills them", EventKind.STOPPING)
            elif self._stopped and not self._active:
                raise Interrupted(
                    f"stopped; {len(self._ready)} runs of the current rungs are left",
                    advice="the same command continues from here",
                )
            if self._active:
                time.sleep(POLL_SECONDS)
        if self._pause is not None:
            raise self._pause.error()

    def _start(self, run: Run) -> None:
        recommendation, rung = run.recommendation, run.rung
        attempt = uuid.uuid4().hex[:12]
        folder = self.work / "attempts" / attempt
        try:
            launch = stage_in(self.record, self.definition, recommendation, rung, folder)
        except CheckpointError as error:
            result = fail(self.record, recommendation, rung, attempt, Diagnosis(Failure.NO_CHECKPOINT, str(error)))
            self._settle(run, result)
            remove(folder)
            return
        gpus = self.gpus.for_next(name for active in self._active for name in active.gpus)
        launch = prepared(launch, self.definition, self.gpus.variables(gpus))
        observer = Observer(self.record, self.definition, recommendation, rung, launch)
        note(self.definition, launch, run)
        active = _Active(run, self.start(launch, self.jobs), observer, gpus)
        observer.ask = partial(self._train_on, active)
        self._active.append(active)
        self._tell(EventKind.STARTED, recommendation=recommendation, rung=rung, epoch=observer.start_epoch)

    def _train_on(self, active: _Active, result: Result) -> Recommendation | None:
        """With what a training goes on that has come to the end of its rung; None where it is stopped there."""
        self._show(active.run, result, active.observer.times)
        self._row.take(active.run, result)
        self._decide(begin=False)
        run = next((run for run in self._ready if run.key == (result.experiment, result.rung + 1)), None)
        if run is None:
            return None
        self._ready.remove(run)
        active.run = run
        note(self.definition, active.observer.launch, run, active.observer.log_from)
        self._tell(EventKind.STARTED, recommendation=run.recommendation, rung=run.rung, epoch=result.epochs)
        return run.recommendation

    def _follow(self, active: _Active) -> None:
        has_ended = active.lasted is not None or active.training.poll() is not None
        observer = active.observer
        if has_ended:
            active.end()
        self._tell_epochs(active, observer.poll(active.seconds))
        while observer.is_at_rung:
            self._tell_epochs(active, observer.pass_rung())
        if has_ended:
            # what it wrote is read piece by piece, for others train meanwhile; `salvage` reads the rest after a stop
            is_left = self._stopped and active.stopping is not None
            if is_left or not observer.is_behind:
                self._active.remove(active)
            if not observer.is_behind:
                self._finish(active)
            return
        limit = self.definition.file.run.timeout_minutes
        late = limit is not None and active.seconds > limit * 60
        if active.stopping is None and (late or self._stopped or active.left_out or observer.need_not_go_on):
            active.timed_out = late
            active.stopping = time.monotonic()
            active.training.signal(signal.SIGTERM)
        elif active.stopping is not None and time.monotonic() - active.stopping > GRACE_SECONDS:
            active.training.signal(signal.SIGKILL)

    def _tell_epochs(self, active: _Active, new: Sequence[tuple[int, float]]) -> None:
        run, times = active.run, active.observer.times
        for epoch, value in new:
            self._tell(
                EventKind.EPOCH, recommendation=run.recommendation, rung=run.rung, epoch=epoch, value=value, times=times
            )
            if self.definition.stops_what_trains:
                self._look_for_the_end()

    def _finish(self, active: _Active) -> None:
        exit_code = active.exit_code
        assert exit_code is not None  # it has ended
        asked_to_stop = active.stopping is not None and not active.timed_out and not active.observer.need_not_go_on
        ended = Ended(exit_code, active.timed_out, again=asked_to_stop and exit_code != 0)
        result = active.observer.finish(ended, active.seconds)
        if result is None and active.left_out:
            result = active.observer.give_up(Failure.ENDED, ending.why_left_out(self.definition, active.run))
        if result is None and not asked_to_stop:
            result = self._preempted(active)
        if result is None:
            self._ready.insert(0, active.run)
        else:
            self._settle(active.run, result, active.observer.times)
        remove(active.observer.launch.folder)

    def _preempted(self, active: _Active) -> Result | None:
        """None if it is to run again; a failure when it was preempted too often."""
        key = active.run.key
        self._preemptions[key] = self._preemptions.get(key, 0) + 1
        self._tell(EventKind.PREEMPTED, recommendation=active.run.recommendation, rung=active.run.rung)
        if self._preemptions[key] <= self.definition.file.run.preemptions:
            return None
        return active.observer.give_up(Failure.PREEMPTED, f"exit code {PREEMPTED}, {self._preemptions[key]} times")

    def _settle(self, run: Run, result: Result, times: AttemptTimes | None = None) -> None:
        if self.study.results.get(run.key) != result:  # it is shown when a rung ends that it may train through
            self._show(run, result, times)
            self._note_failure(run, result)
        if not self._stopped and self._pause is None:
            self._decide()

    def _show(self, run: Run, result: Result, times: AttemptTimes | None = None) -> None:
        self.study = self.study.with_result(result)
        every = experiments(self.study, self.definition.plan)
        changed = [experiment for experiment in every if experiment.number == result.experiment]
        views.write_experiments(self.record, self.definition, self.study, changed)
        self._tell(EventKind.SETTLED, recommendation=run.recommendation, rung=run.rung, result=result, times=times)

    def _note_failure(self, run: Run, result: Result) -> None:
        """Pauses the study at a row of failures: what trains goes on to its end, and nothing else is started."""
        self._row.take(run, result)
        limit = self.definition.file.run.failures_in_a_row
        if limit and len(self._row.runs) >= limit and self._pause is None:
            self._pause = outages.pause(self.record, self._row)
            if self._active:
                under_way = counted(len(self._active), "training")
                self._note(f"{self._pause.error().given}; {under_way} still running will finish, or Ctrl-C stops")

    def _note(self, text: str, kind: EventKind = EventKind.NOTE) -> None:
        self.listener(Event(kind, self.study, text=text, paused=self._pause))

    def _tell(
        self,
        kind: EventKind,
        *,
        decision: Decision | None = None,
        recommendation: Recommendation | None = None,
        rung: int = 0,
        epoch: int = 0,
        value: float | None = None,
        result: Result | None = None,
        times: AttemptTimes | None = None,
    ) -> None:
        self.listener(Event(kind, self.study, decision, recommendation, rung, epoch, value, result, times, self._pause))

    @contextmanager
    def _stop_on_signals(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and SIGHUP ask the trainings to stop and wait for them; a second one kills them."""
        terminals = [file for file in _OUTPUTS if os.isatty(file)]

        def stop(number: int, _frame: FrameType | None) -> None:
            if number == signal.SIGHUP:
                silence_closed(terminals)
                self._stopped = True  # a shell and the kernel both send one when a terminal is closed
                return
            if self._stopped:
                raise KeyboardInterrupt
            self._stopped = True

        if threading.current_thread() is not threading.main_thread():  # Python gives signals to that one alone
            yield
            return
        nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        numbers = [number for number in _STOPS if number != signal.SIGHUP or not nohup]
        old = {number: signal.signal(number, stop) for number in numbers}
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
