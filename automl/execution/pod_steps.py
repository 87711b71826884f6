"""The steps that run in the pods of a workflow: what `automl.pod` calls, safe to repeat."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from automl.errors import CheckpointError, InvalidInput, NotReady, RecordError, StoreError, StudyFailed
from automl.execution import submission
from automl.execution.pod_contract import (
    AGAIN,
    ALIVE,
    ARGV,
    BUG,
    EXIT_CODE,
    FOLLOWING,
    KILLED,
    LAUNCH,
    OUTPUTS,
    PROGRESS,
    SKIP,
    STOP,
    STOPPED,
    TRAINING,
    VERDICT,
    WORK,
)
from automl.execution.steps.observe import PREEMPTED, Ended, Observer, fail
from automl.execution.steps.propose import propose
from automl.execution.steps.stage_in import Launch, stage_in
from automl.search.agenda import Run, Step, open_runs, pending, runs_of_decision
from automl.search.history import Decision, Failure, Recommendation, Result
from automl.search.plan import Stage
from automl.stores import open_store
from automl.study.keys import REPORT
from automl.study.opened_study import OpenedStudy, begin
from automl.study.prefetching_record import PrefetchingRecord
from automl.study.record import Record
from automl.text import strict_json

POLL_SECONDS = 0.5


PATIENCE_SECONDS = 900.0  # that a training pod waits for its store at the end, before the pod is run again


GRACE_SECONDS = 25.0  # from SIGTERM until the pod is gone, less what a last upload takes


T = TypeVar("T")


def start() -> None:
    """Stores the study once, or finds that it was begun with the same settings; probes the store first.

    Puts out which stages there are, and of a WorkflowTemplate what the pods that follow need to know.
    """
    if os.environ.get("AUTOML_PARAMETERS"):
        study = submission.parameters(_variable("AUTOML_PARAMETERS"), int(_variable("AUTOML_GPUS")))
    else:
        study = submission.compiled(_variable("AUTOML_STUDY"), _variable("AUTOML_STORE"))
    plan = begin(Record(open_store(study.store, probe=True)), study.definition, study.text).definition.plan
    final = [stage for stage in plan.stages if stage.kind == "final"]
    _output("search", _stages(plan.search))
    _output("judge", _stages(final))
    for name in ("store", "image", "timeout_minutes", "bucket", "report_key"):
        _output(name, getattr(study, name))
    print(f"{study.definition.file.name}: {plan.experiments} experiments in {plan.runs} runs", flush=True)


def _stages(stages: Iterable[Stage]) -> str:
    return json.dumps([{"stage": str(stage.index), "rungs": str(len(stage.rungs))} for stage in stages])


def propose_rung() -> None:
    """Decides on a rung. A training that left no result, whose pod is gone for good, is given up first."""
    record, opened = _open()
    definition = opened.definition
    step = Step(int(_variable("AUTOML_STAGE")), int(_variable("AUTOML_RUNG")))
    for following in pending(definition.plan, record.history(definition)):
        if following.step == step and not following.decisions:  # Argo asks when the trainings before are over
            _give_up_lost(record, following.runs)
    decision = propose(record, definition, step.stage, step.index)
    _show(opened, decision)
    for each in decision.issued:
        print(f"experiment {each.number} to epoch {each.epochs}: {each.reason}")
    for stopped in decision.stopped:
        print(f"experiment {stopped.number} stops: {stopped.reason}")
    _output("experiments", json.dumps([str(each.number) for each in decision.issued]))


def _show(opened: OpenedStudy, decision: Decision) -> None:
    """Writes what people look at, once the decision stands: nobody else waits for these imports."""
    from automl.reporting import views
    from automl.reporting.figures.facts import read_facts
    from automl.reporting.page.page import page

    study = opened.history()
    views.write_decisions(opened.record, opened.definition, study.decisions, [decision])
    # without the timeline: a step of a large study is not to ask for an object of every attempt
    _output(REPORT, page(read_facts(opened, study), opened.record))


def stage_in_training() -> None:
    """Prepares the shared volume; leaves `skip` there when nothing is left to train."""
    record, opened = _open()
    definition = opened.definition
    recommendation, rung = _recommendation(record)
    WORK.mkdir(parents=True, exist_ok=True)
    if record.result(recommendation.number, rung) is not None:
        (WORK / SKIP).touch()
        print("the result stands already")
        return
    try:
        launch = stage_in(record, definition, recommendation, rung, WORK)
    except CheckpointError as error:
        fail(record, recommendation, rung, _variable("AUTOML_ATTEMPT"), (Failure.NO_CHECKPOINT, str(error)))
        (WORK / SKIP).touch()
        print(f"experiment {recommendation.number} fails: {error}")
        return
    (WORK / ARGV).write_text("".join(f"{word}\n" for word in launch.argv), encoding="utf-8")
    with suppress(FileExistsError):
        os.mkfifo(WORK / ALIVE)
    told = {"resume": launch.resume and launch.resume.key}
    (WORK / LAUNCH).write_bytes(strict_json.dump(told))
    begins = f"goes on from epoch {launch.resume.epoch}" if launch.resume else "starts"
    print(f"experiment {recommendation.number} {begins}, to epoch {recommendation.epochs}")


def observe() -> None:
    """Follows the training until it has ended, stores its result, and tells the main container how to exit."""
    if (WORK / SKIP).exists():
        return
    try:
        _follow()
    except BaseException:
        _verdict(BUG)  # the training must not wait for ever for somebody who is gone
        raise


def _follow() -> None:
    told_to_stop: list[float] = []
    signal.signal(signal.SIGTERM, lambda *_: told_to_stop.append(time.monotonic()))
    alive = os.open(WORK / ALIVE, os.O_RDONLY | os.O_NONBLOCK)
    (WORK / FOLLOWING).touch()
    began = time.monotonic()
    observer = _patiently(_observer, told_to_stop)
    limit = None if observer is None else observer.definition.file.run.timeout_minutes
    timed_out = False
    while observer is not None and not (WORK / EXIT_CODE).exists() and not _is_gone(alive):
        seconds = time.monotonic() - began
        try:
            _tell(observer, observer.poll(seconds))
        except StoreError as error:  # what is not stored now is stored at the next look
            print(f"the store is away: {error}", flush=True)
        if limit is not None and seconds > limit * 60 and not timed_out:
            timed_out = True
            (WORK / STOP).touch()
        if _is_late(told_to_stop):
            break  # the pod is about to be killed: what is stored is stored
        time.sleep(POLL_SECONDS)
    stopped = bool(told_to_stop) or (WORK / STOPPED).exists()
    code = PREEMPTED if stopped else KILLED  # its container was killed, with the whole pod or by itself
    if (WORK / EXIT_CODE).exists():
        code = int((WORK / EXIT_CODE).read_text())
    again = stopped and code != 0 and not timed_out
    seconds = time.monotonic() - began
    result = None
    if observer is not None:
        following = observer
        result = _patiently(lambda: following.finish(Ended(code, timed_out, again=again), seconds), told_to_stop)
    _verdict(AGAIN if result is None else 0)
    if result is not None:
        print(f"experiment {result.experiment}: {_said(result)}", flush=True)


def _observer() -> Observer:
    record, opened = _open()
    definition = opened.definition
    recommendation, rung = _recommendation(record)
    told = strict_json.load((WORK / LAUNCH).read_bytes(), LAUNCH)
    resume = record.manifest(told["resume"]) if told["resume"] else None
    return Observer(record, definition, recommendation, rung, Launch((), WORK, _variable("AUTOML_ATTEMPT"), resume))


def _patiently(work: Callable[[], T], told_to_stop: list[float]) -> T | None:
    """What `work` gives, tried again while the store is away; None when that takes too long."""
    began = time.monotonic()
    while True:
        try:
            return work()
        except StoreError as error:
            print(f"the store is away: {error}", flush=True)
            if _is_late(told_to_stop) or time.monotonic() - began > PATIENCE_SECONDS:
                return None
            time.sleep(POLL_SECONDS)


def _is_gone(alive: int) -> bool:
    """Whether the container that trains was killed: it held the other end of the pipe and does not any more."""
    if not (WORK / TRAINING).exists():
        return False
    try:
        return not os.read(alive, 1 << 16)
    except BlockingIOError:
        return False


def _is_late(told_to_stop: list[float]) -> bool:
    return bool(told_to_stop) and time.monotonic() - told_to_stop[0] > GRACE_SECONDS


def _tell(observer: Observer, new: list[tuple[int, float]]) -> None:
    """Prints what is new, and leaves the progress for Argo."""
    asked = observer.recommendation.epochs
    for epoch, value in new:
        print(f"epoch {epoch} of {asked}: {observer.metric.name} {value:.6g}", flush=True)
    if new:
        _leave(PROGRESS, f"{new[-1][0] - observer.start_epoch}/{asked - observer.start_epoch}")


def collect() -> None:
    """Writes every view. Raises StudyFailed when no experiment succeeded, RecordError when the search did not end."""
    from automl.reporting import views
    from automl.study import summary

    record, opened = _open()
    definition = opened.definition
    history = record.history(definition)
    unfinished = pending(definition.plan, history)
    going_on = {following.step.stage for following in unfinished}
    over = [decision for decision in history.decisions if decision.stage not in going_on]
    _give_up_lost(record, [run for decision in over for run in open_runs(history, decision)])
    study = views.rebuild(opened)
    _output(REPORT, (record.store.get(REPORT) or b"").decode())
    best = summary.best_of_search(definition, study)
    if best is not None:
        verdict = summary.verdict(definition, study)
        judged = verdict.to_json() if verdict else None
        winner = {"experiment": best.experiment, "value": best.best_value, "verdict": judged}
        _output("best", strict_json.dump(winner).decode())
        print(f"the best is experiment {best.experiment}: {definition.metric_rule.name} {best.best_value:.6g}")
    for following in unfinished:
        raise RecordError(
            f"stage {definition.plan.stages[following.step.stage].name} ended before its rung {following.step.index} "
            "was decided",
            advice="see why its last step failed; 'argo retry' or submitting the study again goes on from here",
        )
    if best is None:
        raise StudyFailed("no experiment succeeded", advice="see controller.json and experiment_0/log.txt in the store")


def _give_up_lost(record: Record, runs: Iterable[Run]) -> None:
    """Failures for runs that are over and have left no result."""
    for run in runs:
        message = "its pod ended without a result, more often than it is tried again"
        fail(record, run.recommendation, run.rung, "lost", (Failure.LOST, message))


def _open() -> tuple[PrefetchingRecord, OpenedStudy]:
    """The record, and its study with the settings that are not stored because no decision depends on them."""
    record = PrefetchingRecord(open_store(_variable("AUTOML_STORE")))
    opened = OpenedStudy.read(record)
    limit, gpus = os.environ.get("AUTOML_TIMEOUT_MINUTES"), os.environ.get("AUTOML_GPUS")
    definition = submission.with_settings(
        opened.definition, int(gpus) if gpus else None, float(limit) if limit else None
    )
    return record, replace(opened, definition=definition)


def _recommendation(record: Record) -> tuple[Recommendation, int]:
    """What this training pod is to train, and at which rung."""
    stage, index = int(_variable("AUTOML_STAGE")), int(_variable("AUTOML_RUNG"))
    number = int(_variable("AUTOML_EXPERIMENT"))
    made = record.decision(stage, index)
    if made is None:
        raise NotReady(f"decision {index} of stage {stage} is not made")
    for run in runs_of_decision(made[0]):
        if run.recommendation.number == number:
            return run.recommendation, run.rung
    raise NotReady(f"decision {index} of stage {stage} asks for no experiment {number}")


def _verdict(code: int) -> None:
    _leave(VERDICT, f"{code}\n")


def _leave(name: str, text: str) -> None:
    """Writes a file of the shared volume that is never seen half-written."""
    partial = WORK / f"{name}.new"
    partial.write_text(text)
    partial.replace(WORK / name)


def _output(name: str, text: str) -> None:
    OUTPUTS.mkdir(parents=True, exist_ok=True)
    (OUTPUTS / name).write_text(text)


def _said(result: Result) -> str:
    if result.failure is None:
        return f"done at epoch {result.epochs}"
    return f"failed, {result.failure}: {result.message}"


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise InvalidInput(f"the environment has no {name}", advice="see automl/pod.py")
    return value
