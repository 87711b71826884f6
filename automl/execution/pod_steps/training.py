"""The steps of a training pod: prepare the shared volume, then follow the training until its result is stored."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from automl.errors import CheckpointError, NotReady, SpecError, StoreError, StudyPaused
from automl.execution import pod_contract as contract
from automl.execution.pod_steps.environment import open_study, step, variable
from automl.execution.pod_steps.node_texts import outcome
from automl.execution.steps import train_on
from automl.execution.steps.diagnosis import Diagnosis, Ended
from automl.execution.steps.observe import Observer, fail
from automl.execution.steps.stage_in import RESULTS, Launch, stage_in
from automl.execution.working_folder import WORK
from automl.networks import Network
from automl.search.agenda import Run, runs_of_decision
from automl.search.history import Failure, Recommendation, Result
from automl.study import ending, outages
from automl.study.definition import Definition
from automl.study.outages import is_early
from automl.study.record import Record
from automl.study.train_spec import epochs_to_reach
from automl.text import strict_json

POLL_SECONDS = 0.5
PATIENCE_SECONDS = 900.0  # that a training pod waits for its store at the end, before the pod is run again
END_SECONDS = 15.0  # between two looks whether the search has ended
GRACE_SECONDS = 25.0  # from SIGTERM until the pod is gone, less what a last upload takes

_IN_FOLDER = 'cd "$1" && shift && exec "$@"'  # fixed text for sh, which every image has that can train here

T = TypeVar("T")


def stage_in_training() -> None:
    """Prepares the shared volume, or marks it as one where nothing is left to train."""
    record, opened = open_study()
    run = _run(record, opened.definition)
    recommendation = run.recommendation
    contract.WORK.mkdir(parents=True, exist_ok=True)
    if (standing := record.result(*run.key)) is not None:
        _skip(record, opened.definition, run, standing)
        print("the result stands already")
        return
    outages.refuse_paused(record)
    if ending.is_left_out(opened.definition, run):
        left_out = ending.leave_out(record, opened.definition, run, variable("AUTOML_ATTEMPT"))
        _skip(record, opened.definition, run, left_out)
        print(f"experiment {recommendation.number} is not needed: {ending.why_left_out(opened.definition, run)}")
        return
    try:
        launch = stage_in(record, opened.definition, recommendation, run.rung, contract.WORK)
    except CheckpointError as error:
        failure = Diagnosis(Failure.NO_CHECKPOINT, str(error))
        failed = fail(record, recommendation, run.rung, variable("AUTOML_ATTEMPT"), failure)
        _skip(record, opened.definition, run, failed)
        print(f"experiment {recommendation.number} fails: {error}")
        return
    if (working := _working(opened.definition.network)) is not None:
        working.mkdir(exist_ok=True)
    words = "".join(f"{word}\n" for word in _argv(launch, opened.definition.network))
    (contract.WORK / contract.ARGV).write_text(words, encoding="utf-8")
    with suppress(FileExistsError):
        os.mkfifo(contract.WORK / contract.ALIVE)
    resume = {"resume": launch.resume and launch.resume.key}
    (contract.WORK / contract.LAUNCH).write_bytes(strict_json.dump(resume))
    begins = f"resumes from epoch {launch.resume.epoch}" if launch.resume else "starts"
    print(f"experiment {recommendation.number} {begins}, to epoch {epochs_to_reach(opened.definition, recommendation)}")


def _argv(launch: Launch, network: Network) -> tuple[str, ...]:
    """The command with its variables, in the folder that it runs in. Raises SpecError for a word of several lines.

    A program that is not told where to write runs in the results folder.
    """
    argv = launch.argv
    if launch.environment:
        argv = ("env", *(f"{name}={value}" for name, value in launch.environment.items()), *argv)
    folder = network.working_directory or str(_working(network) or contract.WORK)
    if folder != str(contract.WORK):
        argv = ("sh", "-c", _IN_FOLDER, "sh", folder, *argv)
    for word in argv:
        if "\n" in word:
            raise SpecError(f"the word {word!r} of the command", allowed="one line of text, for a pod reads it as one")
    return argv


def _working(network: Network) -> Path | None:
    """The folder of its own that a training runs in: the results folder, when it is not told where to write."""
    if not network.takes_results:
        return contract.WORK / RESULTS
    return contract.WORK / WORK if network.keep and network.working_directory is None else None


def observe() -> None:
    """Follows the training until it has ended, stores its result, and tells the main container how to exit."""
    if (contract.WORK / contract.SKIP).exists():
        return
    try:
        _Following().follow()
    except BaseException:
        _write_verdict(contract.BUG)  # the training must not wait for ever for somebody who is gone
        raise


@dataclass
class _Following:
    """The observer's side of a training pod, from the moment when the training may begin."""

    began: float = field(default_factory=time.monotonic)
    terminated: float | None = None  # when SIGTERM came
    timed_out: bool = False
    looked: float = -math.inf  # when it was last looked whether the search has ended
    left_out: str = ""  # why this training is not needed any more

    def follow(self) -> None:
        signal.signal(signal.SIGTERM, self._note_sigterm)
        alive = os.open(contract.WORK / contract.ALIVE, os.O_RDONLY | os.O_NONBLOCK)
        (contract.WORK / contract.FOLLOWING).touch()
        observer = self._patiently(_observer)
        if observer is not None:
            self._watch(observer, alive)
        ended = self._how_it_ended()
        result = None
        if observer is not None:
            seconds = self._seconds()
            result = self._patiently(lambda: observer.finish(ended, seconds))
            if result is None and self.left_out:
                result = self._patiently(lambda: observer.give_up(Failure.ENDED, self.left_out))
        if result is not None and result.failure is not None:
            failed = result
            self._patiently(lambda: _pause_at_a_row(failed))  # before this pod may end
        if result is None or observer is None:
            _write_verdict(contract.AGAIN)
            return
        epochs, before = _span(observer)
        _write_done(epochs - before)  # also of one that failed: nothing is left to do
        _end(observer.record, observer.definition, result)

    def _note_sigterm(self, *_: object) -> None:
        if self.terminated is None:
            self.terminated = time.monotonic()

    def _watch(self, observer: Observer, alive: int) -> None:
        """Stores what the training reports, until it has ended, its container is gone, or this pod is about to be."""
        limit = observer.definition.file.run.timeout_minutes
        while not (contract.WORK / contract.EXIT_CODE).exists() and not _is_gone(alive):
            seconds = self._seconds()
            try:
                _report(observer, observer.poll(seconds))
                observer.free_space()
                while observer.is_at_rung:
                    _report(observer, observer.pass_rung())
                self._look_for_the_end(observer)
            except StoreError as error:  # what is not stored now is stored at the next look
                print(f"the store is away: {error}", flush=True)
            if limit is not None and seconds > limit * 60 and not self.timed_out:
                self.timed_out = True
            if self.timed_out or self.left_out or observer.need_not_go_on:
                (contract.WORK / contract.STOP).touch()
            if self._is_late():
                return
            time.sleep(POLL_SECONDS)

    def _look_for_the_end(self, observer: Observer) -> None:
        """Notices that the search has ended without this training, and ends it where that stops what trains."""
        if observer.definition.file.until is None or time.monotonic() - self.looked < END_SECONDS:
            return
        self.looked = time.monotonic()
        record, opened = open_study()
        definition = opened.definition
        if definition.stops_what_trains:
            definition = ending.look(record, definition, opened.history())
        run = _run(record, definition)
        if ending.is_left_out(definition, run):
            self.left_out = ending.why_left_out(definition, run)
            print(f"stops: {self.left_out}", flush=True)

    def _how_it_ended(self) -> Ended:
        stopped = self.terminated is not None or bool(self.left_out) or (contract.WORK / contract.STOPPED).exists()
        if (contract.WORK / contract.EXIT_CODE).exists():
            code = int((contract.WORK / contract.EXIT_CODE).read_text())
        else:  # its container was killed, with the whole pod or by itself
            code = contract.PREEMPTED if stopped else contract.KILLED
        return Ended(code, self.timed_out, again=stopped and code != 0 and not self.timed_out)

    def _patiently(self, work: Callable[[], T]) -> T | None:
        """What `work` returns, tried again while the store is unreachable; None when that takes too long."""
        began = time.monotonic()
        while True:
            try:
                return work()
            except StoreError as error:
                print(f"the store is away: {error}", flush=True)
                if self._is_late() or time.monotonic() - began > PATIENCE_SECONDS:
                    return None
                time.sleep(POLL_SECONDS)

    def _seconds(self) -> float:
        return time.monotonic() - self.began

    def _is_late(self) -> bool:
        """Whether this pod is about to be killed: what is not stored by now is lost."""
        return self.terminated is not None and time.monotonic() - self.terminated > GRACE_SECONDS


def _observer() -> Observer:
    record, opened = open_study()
    run = _run(record, opened.definition)
    key = strict_json.load((contract.WORK / contract.LAUNCH).read_bytes(), contract.LAUNCH)["resume"]
    resume = record.manifest(key) if key else None
    working = _working(opened.definition.network)
    launch = Launch((), contract.WORK, variable("AUTOML_ATTEMPT"), resume, working=working)

    def ask(result: Result) -> Recommendation | None:
        behind = train_on.answered(record, opened.definition, run.stage, (result.experiment, result.rung))
        answer = "is stopped" if behind is None else f"trains on to epoch {behind.recommendation.epochs}"
        print(f"experiment {result.experiment} {answer} at epoch {result.epochs}", flush=True)
        return None if behind is None else behind.recommendation

    observer = Observer(record, opened.definition, run.recommendation, run.rung, launch)
    observer.ask = ask
    return observer


def _pause_at_a_row(result: Result) -> None:
    """Pauses the study when this is one of a row of failures: no other pod of it trains then."""
    record, opened = open_study()
    if is_early(_run(record, opened.definition), result):
        try:
            outages.check(record, opened.definition, opened.history())
        except StudyPaused as paused:
            print(paused, flush=True)


def _run(record: Record, definition: Definition) -> Run:
    """What this pod is to train."""
    decided, number = step(), int(variable("AUTOML_EXPERIMENT"))
    if definition.plan.stages[decided.stage].stops:
        newest = train_on.newest_run(record, definition, decided.stage, number)
        if newest is None:
            raise NotReady(f"no decision of stage {decided.stage} asks for experiment {number}")
        return newest
    stored = record.decision(decided.stage, decided.index)
    if stored is None:
        raise NotReady(f"decision {decided.index} of stage {decided.stage} does not exist yet")
    decision, _ = stored
    for run in runs_of_decision(decision):
        if run.recommendation.number == number:
            return run
    raise NotReady(f"decision {decided.index} of stage {decided.stage} asks for no experiment {number}")


def _is_gone(alive: int) -> bool:
    """Whether the container that trains was killed: it held the other end of the pipe and no longer does."""
    if not (contract.WORK / contract.TRAINING).exists():
        return False
    try:
        return not os.read(alive, 1 << 16)
    except BlockingIOError:
        return False


def _report(observer: Observer, new: list[tuple[int, float]]) -> None:
    """Prints the new values of the metric, and leaves the progress for Argo."""
    epochs, before = _span(observer)
    for epoch, value in new:
        print(f"epoch {epoch} of {epochs}: {observer.metric.name} {value:.6g}", flush=True)
    if new:
        _write(contract.PROGRESS, f"{new[-1][0] - before}/{epochs - before}")


def _span(observer: Observer) -> tuple[int, int]:
    """The epochs that a training comes to if it is not stopped, and those that it has from a checkpoint."""
    resume = observer.launch.resume
    return epochs_to_reach(observer.definition, observer.recommendation), 0 if resume is None else resume.epoch


def _skip(record: Record, definition: Definition, run: Run, result: Result) -> None:
    """Has the container that trains end at once, as it would after that training."""
    _write_done(epochs_to_reach(definition, run.recommendation) - run.recommendation.resume_epoch)
    _end(record, definition, result)
    (contract.WORK / contract.SKIP).touch()


def _end(record: Record, definition: Definition, result: Result) -> None:
    """Says what came of a training, and tells the container that trains how to exit, which is the last thing to do."""
    try:
        line = outcome(definition, record.history(definition), result)
    except StoreError as error:  # the result is stored: only whether it is the best is not known here
        print(f"the store is away: {error}", flush=True)
        line = outcome(definition, None, result)
    contract.OUTPUTS.mkdir(parents=True, exist_ok=True)
    (contract.OUTPUTS / contract.SCORE.name).write_text(line, encoding="utf-8")
    _write(contract.OUTCOME, f"{line}\n")
    print(f"experiment {result.experiment}: {line}", flush=True)
    _write_verdict(0 if result.failure in {None, Failure.ENDED} else contract.FAILED)  # what nobody needs is not red


def _write_done(epochs: int) -> None:
    """Has Argo show a training that is complete. It knows no progress of 0/0."""
    _write(contract.PROGRESS, f"{max(epochs, 1)}/{max(epochs, 1)}")


def _write_verdict(code: int) -> None:
    _write(contract.VERDICT, f"{code}\n")


def _write(name: str, text: str) -> None:
    """Writes a file of the shared volume that is never seen half-written."""
    partial = contract.WORK / contract.partial(name)
    partial.write_text(text)
    partial.replace(contract.WORK / name)
