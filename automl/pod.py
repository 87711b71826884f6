"""What runs in the pods of a workflow: `python -m automl.pod STEP`, with everything else in the environment.

    start      checks the study that travels in the workflow and stores it once
    propose    decides on one rung, and prints the numbers of its experiments for Argo
    stage-in   init container of a training pod: spec and checkpoint onto the shared volume
    observe    beside the training: metrics, checkpoints and the result to the store
    collect    best_model and every other view

AUTOML_STORE; of start: AUTOML_STUDY, or of a WorkflowTemplate AUTOML_PARAMETERS and AUTOML_GPUS; of propose:
AUTOML_STAGE, AUTOML_RUNG; of a training: these two, AUTOML_EXPERIMENT, AUTOML_ATTEMPT, AUTOML_GPUS, and where it has a
limit AUTOML_TIMEOUT_MINUTES

Values arrive as environment variables because Argo's substitution is textual: none of them is ever part of a command.
The training itself is any image: workflows/pods.py wraps its command in a fixed shell script that talks to `observe`
through files on the shared volume.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from automl import strict_json
from automl.errors import (
    AutoMLError,
    CheckpointError,
    InvalidInput,
    NotReady,
    RecordError,
    StoreError,
    StoreRefused,
    StudyFailed,
    UnsafeStore,
)
from automl.one_step import OneStep
from automl.plan import Stage
from automl.record import Record, rung_of
from automl.steps import sent
from automl.steps.observe import PREEMPTED, Ended, Observer, fail
from automl.steps.propose import propose
from automl.steps.stage_in import Launch, stage_in
from automl.stores import open_store
from automl.study import Decision, Failure, Recommendation, Result
from automl.study_file import Definition

WORK = Path("/automl/run")  # on the volume that the containers of a training pod share
OUTPUTS = Path("/automl/out")  # what Argo reads of a brain step
ARGV, EXIT_CODE, VERDICT, STOP, SKIP, LAUNCH = "argv", "exit-code", "verdict", "stop", "skip", "launch.json"
ALIVE = "alive"  # a pipe between the two that run: whose container is killed lets go of its end
TRAINING, FOLLOWING = "training", "following"  # stand there once the side that they name holds its end
STOPPED = "stopped"  # the training's container was told to stop: Argo tells it first, and us when it has ended
PROGRESS = "progress"  # epochs done/epochs asked for, which Argo shows
AGAIN = PREEMPTED  # exit code of a step that may succeed when it is run again
KILLED = 137  # exit code of a training whose container was killed as a whole, which can tell us none
BUG = 70  # exit code of a training pod whose observer broke
TERMINATION_LOG = Path("/dev/termination-log")  # what stands there becomes the message of the node
POLL_SECONDS = 0.5
PATIENCE_SECONDS = 900.0  # that a training pod waits for its store at the end, before the pod is run again
GRACE_SECONDS = 25.0  # from SIGTERM until the pod is gone, less what a last upload takes

T = TypeVar("T")


def main() -> None:
    """Runs the step that the command line names; an expected error becomes one line and its exit code."""
    steps: dict[str, Callable[[], None]] = {
        "start": start,
        "propose": propose_rung,
        "stage-in": stage_in_training,
        "observe": observe,
        "collect": collect,
    }
    try:
        if len(sys.argv) != 2 or sys.argv[1] not in steps:
            raise InvalidInput(f"automl.pod {' '.join(sys.argv[1:])}", allowed=", ".join(steps))
        steps[sys.argv[1]]()
    except AutoMLError as error:
        print(f"automl: {error}", file=sys.stderr, flush=True)
        with suppress(OSError):  # not in a pod
            TERMINATION_LOG.write_text(f"{error}"[:2000])
        # a store that is away comes back: the step is run again; anything else would fail again
        final = (
            (UnsafeStore, StoreRefused) if sys.argv[1:] == ["start"] else UnsafeStore
        )  # rights may change on the way
        is_away = isinstance(error, StoreError) and not isinstance(error, final)
        sys.exit(AGAIN if is_away else error.exit_code)


def start() -> None:
    """Stores the study once, or finds that it was begun with the same settings; probes the store first.

    Puts out which stages there are, and of a WorkflowTemplate what the pods that follow need to know.
    """
    if os.environ.get("AUTOML_PARAMETERS"):
        study = sent.parameters(_variable("AUTOML_PARAMETERS"), int(_variable("AUTOML_GPUS")))
    else:
        study = sent.compiled(_variable("AUTOML_STUDY"), _variable("AUTOML_STORE"))
    plan = Record(open_store(study.store, probe=True)).start(study.definition, study.text).plan
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
    record, definition = _open()
    stage, rung = int(_variable("AUTOML_STAGE")), int(_variable("AUTOML_RUNG"))
    record.read_decisions()
    _give_up_lost(record, _before(definition, stage, rung))
    decision = propose(record, definition, stage, rung)
    _show(record, definition, decision)
    for each in decision.issued:
        print(f"experiment {each.number} to epoch {each.epochs}: {each.reason}")
    for stopped in decision.stopped:
        print(f"experiment {stopped.number} stops: {stopped.reason}")
    _output("experiments", json.dumps([str(each.number) for each in decision.issued]))


def _show(record: OneStep, definition: Definition, decision: Decision) -> None:
    """Writes what people look at, once the decision stands: nobody else waits for these imports."""
    from automl import views
    from automl.report_page.facts import read_facts
    from automl.report_page.page import page

    study = record.study(definition.brain.metric, definition.plan.stages)
    views.write_decisions(record, definition, study.decisions, [decision])
    # without the timeline: a step of a large study is not to ask for an object of every attempt
    _output("report.html", page(read_facts(record, definition, study), record))


def stage_in_training() -> None:
    """Prepares the shared volume; leaves `skip` there when nothing is left to train."""
    record, definition = _open()
    recommendation, rung = _recommendation(record, definition)
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
    record, definition = _open()
    recommendation, rung = _recommendation(record, definition)
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
    from automl import findings, views

    record, definition = _open()
    last = [(stage, len(stage.rungs) - 1) for stage in definition.plan.stages]
    _give_up_lost(record, [(stage, rung) for stage, rung in last if record.decision(stage.index, rung)])
    study = views.rebuild(record, definition)
    _output("report.html", (record.store.get(views.REPORT) or b"").decode())
    best = findings.best_of_search(definition, study)
    if best is not None:
        found = {
            "experiment": best.experiment,
            "value": best.best_value,
            "verdict": findings.verdict(definition, study),
        }
        _output("best", strict_json.dump(found).decode())
        print(f"the best is experiment {best.experiment}: {definition.metric_rule.name} {best.best_value:.6g}")
    for stage, rung in last:
        if record.decision(stage.index, rung) is None:
            raise RecordError(
                f"stage {stage.name} ended before its rung {rung} was decided",
                advice="see why its last step failed; 'argo retry' or submitting the study again goes on from here",
            )
    if best is None:
        raise StudyFailed("no experiment succeeded", advice="see controller.json and experiment_0/log.txt in the store")


def _before(definition: Definition, stage: int, rung: int) -> list[tuple[Stage, int]]:
    """The stages and rungs whose trainings are over when Argo asks for this rung.

    The rung before is enough, or the last of every stage: the decision on a rung has seen to those before it.
    """
    return definition.plan.before(stage, rung)


def _give_up_lost(record: OneStep, over: Iterable[tuple[Stage, int]]) -> None:
    """Failures for the runs of rungs that are over that left no result."""
    for stage, index in over:
        made = record.decision(stage.index, index)
        if made is None:
            raise NotReady(f"decision {index} of stage {stage.name} is not made")
        trained = rung_of(stage, made[0])
        record.read_results((recommendation.number, trained) for recommendation in made[0].issued)
        for recommendation in made[0].issued:
            if record.result(recommendation.number, trained) is None:
                message = "its pod ended without a result, more often than it is tried again"
                fail(record, recommendation, trained, "lost", (Failure.LOST, message))


def _open() -> tuple[OneStep, Definition]:
    """The record, and the study with what it does not store because no decision depends on it."""
    record = OneStep(open_store(_variable("AUTOML_STORE")))
    definition = Definition.from_json(record.metadata())
    limit, gpus = os.environ.get("AUTOML_TIMEOUT_MINUTES"), os.environ.get("AUTOML_GPUS")
    return record, sent.with_settings(definition, int(gpus) if gpus else None, float(limit) if limit else None)


def _recommendation(record: Record, definition: Definition) -> tuple[Recommendation, int]:
    """What this training pod is to train, and at which rung."""
    stage, index = int(_variable("AUTOML_STAGE")), int(_variable("AUTOML_RUNG"))
    number = int(_variable("AUTOML_EXPERIMENT"))
    made = record.decision(stage, index)
    if made is None:
        raise NotReady(f"decision {index} of stage {stage} is not made")
    for each in made[0].issued:
        if each.number == number:
            return each, rung_of(definition.plan.stages[stage], made[0])
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


if __name__ == "__main__":
    main()
