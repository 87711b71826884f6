"""What runs in the pods of a workflow: `python -m automl.pod STEP`, with everything else in the environment.

    start      checks the study that travels in the workflow and stores it once
    propose    decides on one rung, and prints the numbers of its experiments for Argo
    stage-in   init container of a training pod: spec and checkpoint onto the shared volume
    observe    beside the training: metrics, checkpoints and the result to the store
    collect    best_model and every other view

AUTOML_STORE; of start: AUTOML_STUDY; of propose: AUTOML_STAGE, AUTOML_RUNG; of a training: these two,
AUTOML_EXPERIMENT, AUTOML_ATTEMPT, and where it has a limit AUTOML_TIMEOUT_MINUTES

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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from automl import strict_json, views
from automl.errors import AutoMLError, CheckpointError, InvalidInput, NotReady, StudyFailed
from automl.record import Record, rung_of
from automl.steps.observe import PREEMPTED, Ended, Observer, fail
from automl.steps.propose import propose
from automl.steps.stage_in import Launch, stage_in
from automl.stores import open_store
from automl.study import Failure, Recommendation, Result
from automl.study_file import Definition

WORK = Path("/automl/run")  # on the volume that the containers of a training pod share
OUTPUTS = Path("/automl/out")  # what Argo reads of a brain step
EXIT_CODE, VERDICT, STOP, SKIP, LAUNCH = "exit-code", "verdict", "stop", "skip", "launch.json"
POLL_SECONDS = 0.5
GRACE_SECONDS = 25.0  # from SIGTERM until the pod is gone, less what a last upload takes


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
        sys.exit(error.exit_code)


def start() -> None:
    """Stores the study once, or finds that it was begun with the same settings; probes the store first."""
    sent = strict_json.load(_variable("AUTOML_STUDY").encode(), "AUTOML_STUDY")
    definition = Definition.from_json(sent)
    store = open_store(_variable("AUTOML_STORE"), probe=True)
    Record(store).start(definition, str(sent["text"]))
    print(
        f"{definition.file.name}: {definition.plan.experiments} experiments in {definition.plan.runs} runs", flush=True
    )


def propose_rung() -> None:
    """Decides on a rung. A training that left no result, whose pod is gone for good, is given up first."""
    record, definition = _open()
    stage, rung = int(_variable("AUTOML_STAGE")), int(_variable("AUTOML_RUNG"))
    _give_up_lost(record, definition, stage, rung)
    decision = propose(record, definition, stage, rung)
    study = record.study(definition.brain.metric, definition.plan.stages)
    views.write_decisions(record, definition, study, [decision])
    for each in decision.issued:
        print(f"experiment {each.number} to epoch {each.epochs}: {each.reason}")
    for stopped in decision.stopped:
        print(f"experiment {stopped.number} stops: {stopped.reason}")
    _output("experiments", json.dumps([str(each.number) for each in decision.issued]))


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
    told = {"resume": launch.resume and launch.resume.key}
    (WORK / LAUNCH).write_bytes(strict_json.dump(told))
    begins = f"goes on from epoch {launch.resume.epoch}" if launch.resume else "starts"
    print(f"experiment {recommendation.number} {begins}, to epoch {recommendation.epochs}")


def observe() -> None:
    """Follows the training until it has ended, stores its result, and tells the main container how to exit."""
    if (WORK / SKIP).exists():
        return
    told_to_stop: list[float] = []
    signal.signal(signal.SIGTERM, lambda *_: told_to_stop.append(time.monotonic()))
    record, definition = _open()
    recommendation, rung = _recommendation(record, definition)
    told = strict_json.load((WORK / LAUNCH).read_bytes(), LAUNCH)
    resume = record.manifest(told["resume"]) if told["resume"] else None
    launch = Launch((), WORK, _variable("AUTOML_ATTEMPT"), resume)
    observer = Observer(record, definition, recommendation, rung, launch)
    began = time.monotonic()
    limit = definition.file.run.timeout_minutes
    timed_out = False
    while not (WORK / EXIT_CODE).exists():
        seconds = time.monotonic() - began
        for epoch, value in observer.poll(seconds):
            print(f"epoch {epoch} of {recommendation.epochs}: {definition.metric_rule.name} {value:.6g}", flush=True)
        if limit is not None and seconds > limit * 60 and not timed_out:
            timed_out = True
            (WORK / STOP).touch()
        if told_to_stop and time.monotonic() - told_to_stop[0] > GRACE_SECONDS:
            break  # the pod is about to be killed: what is stored is stored
        time.sleep(POLL_SECONDS)
    code = int((WORK / EXIT_CODE).read_text()) if (WORK / EXIT_CODE).exists() else PREEMPTED
    again = bool(told_to_stop) and code != 0 and not timed_out
    result = observer.finish(Ended(code, timed_out, again=again), time.monotonic() - began)
    _verdict(PREEMPTED if result is None else 0)
    if result is not None:
        print(f"experiment {result.experiment}: {_said(result)}", flush=True)


def collect() -> None:
    """Writes every view. Raises StudyFailed when no experiment succeeded."""
    record, definition = _open()
    study = views.rebuild(record, definition)
    best = views.best_of_search(definition, study)
    if best is None:
        raise StudyFailed("no experiment succeeded", advice="see controller.json and experiment_0/log.txt in the store")
    found = {"experiment": best.experiment, "value": best.best_value, "verdict": views.verdict(definition, study)}
    _output("best", strict_json.dump(found).decode())
    print(f"the best is experiment {best.experiment}: {definition.metric_rule.name} {best.best_value:.6g}")


def _give_up_lost(record: Record, definition: Definition, stage: int, rung: int) -> None:
    """Failures for the runs before that left no result: Argo asks for this rung only when their pods are done.

    The rung before is enough, or the last of every stage: the decision on a rung has seen to those before it.
    """
    where = definition.plan.stages[stage]
    before = [(each, len(each.rungs) - 1) for each in definition.plan.search]
    if where.kind == "search":
        before = [(where, rung - 1)] if rung else []
    for each, index in before:
        made = record.decision(each.index, index)
        if made is None:
            raise NotReady(f"decision {index} of stage {each.name} is not made")
        for recommendation in made[0].issued:
            trained = rung_of(each, made[0])
            if record.result(recommendation.number, trained) is None:
                message = "its pod ended without a result, more often than it is tried again"
                fail(record, recommendation, trained, "lost", (Failure.LOST, message))


def _open() -> tuple[Record, Definition]:
    """The record, and the study with what it does not store because no decision depends on it: the limit of a run."""
    record = Record(open_store(_variable("AUTOML_STORE")))
    definition = Definition.from_json(record.metadata())
    limit = os.environ.get("AUTOML_TIMEOUT_MINUTES")
    if not limit:
        return record, definition
    run = definition.file.run.model_copy(update={"timeout_minutes": float(limit)})
    return record, replace(definition, file=definition.file.model_copy(update={"run": run}))


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
    partial = WORK / f"{VERDICT}.new"
    partial.write_text(f"{code}\n")
    partial.replace(WORK / VERDICT)


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
