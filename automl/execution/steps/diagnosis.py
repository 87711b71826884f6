"""Why a training failed: the first of a fixed order of causes that its exit code, its readings and its log support."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from automl.execution.pod_contract import KILLED
from automl.execution.status_readers import Follower, why_no_epoch, why_no_metric
from automl.execution.steps import out_of_memory
from automl.execution.steps.checkpoint_upload import CheckpointUpload
from automl.execution.steps.last_words import last_words
from automl.networks.spec_formats import get_path
from automl.search.history import MEANINGS, Failure, Recommendation
from automl.study.definition import Definition
from automl.study.train_spec import checkpoint_rule, whole_spec
from automl.text.terminal_codes import without_codes

_KILLED = (-9, KILLED)
_MOST_SAID = 350  # characters of a program's own reason that are kept beside ours


@dataclass(frozen=True)
class Ended:
    """How a training ended. `exit_code` is negative for a signal, as subprocess has it.

    `timed_out` says that it was stopped because it ran too long, `again` that we stopped it, to be run again.
    """

    exit_code: int
    timed_out: bool = False
    again: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """Why an experiment has no usable value, by kind and in words."""

    failure: Failure
    message: str


@dataclass(frozen=True)
class Evidence:
    """What a training left behind when it ended.

    `history` is the metric by epoch, of the whole experiment. `checkpoints` says which is the newest that is stored,
    why one cannot be, and, when it is asked, what lies where one could and is none.
    """

    definition: Definition
    recommendation: Recommendation
    follower: Follower
    history: Mapping[int, float]
    checkpoints: CheckpointUpload

    @property
    def reported(self) -> Mapping[int, float]:
        """The metric by epoch of the rung as this attempt reported it, where it may be infinite or not a number."""
        values = self.follower.readings.values.get(self.follower.metric, {})
        return {epoch: value for epoch, value in values.items() if epoch <= self.recommendation.epochs}

    @property
    def epochs_done(self) -> int:
        return max(self.follower.readings.furthest, self.follower.start)


def diagnose(evidence: Evidence, ended: Ended) -> Diagnosis | None:
    """The failure of a training that ended; None when it succeeded and left all that it should."""
    reported = evidence.reported
    if ended.timed_out:
        limit = evidence.definition.file.run.timeout_minutes
        return Diagnosis(Failure.TIMEOUT, f"ran longer than {limit} minutes")
    if refused := evidence.checkpoints.refused:
        return Diagnosis(Failure.NO_CHECKPOINT, refused)
    if reported and not math.isfinite(reported[max(reported)]):
        newest = max(reported)
        return Diagnosis(Failure.NOT_FINITE, f"{evidence.follower.metric} = {reported[newest]} at epoch {newest}")
    if ended.exit_code in _KILLED:
        return Diagnosis(Failure.KILLED, _joined(MEANINGS[Failure.KILLED], _batch_size(evidence)))
    if ended.exit_code != 0:
        return _of_a_program_that_failed(evidence, ended.exit_code)
    return _without_metric(evidence) or _without_checkpoint(evidence)


def _of_a_program_that_failed(evidence: Evidence, exit_code: int) -> Diagnosis:
    failure, log = evidence.follower.readings.failure, evidence.follower.log
    if line := out_of_memory.complaint(failure, log):
        return Diagnosis(Failure.OUT_OF_MEMORY, _joined(line[:_MOST_SAID], _batch_size(evidence)))
    return Diagnosis(Failure.ERROR, f"exit code {exit_code}: {without_codes(failure) or last_words(log)}".rstrip(": "))


def _without_metric(evidence: Evidence) -> Diagnosis | None:
    """The failure of a training that exited with 0 too early, or without a value of the metric."""
    follower, epochs, done = evidence.follower, evidence.recommendation.epochs, evidence.epochs_done
    if follower.readings.problem or follower.metric in follower.readings.refused:
        return Diagnosis(Failure.NO_METRIC, _why_no_value(evidence))
    if done < epochs:
        if reason := why_no_epoch(follower):
            return Diagnosis(Failure.NO_METRIC, reason)
        if not (evidence.definition.network.may_end_early and evidence.history):
            return Diagnosis(Failure.SHORT, f"ended after epoch {done} of {epochs}")
    if not any(epoch > evidence.recommendation.resume_epoch for epoch in evidence.history):
        return Diagnosis(Failure.NO_METRIC, _why_no_value(evidence))
    return None


def _why_no_value(evidence: Evidence) -> str:
    name, readings = evidence.follower.metric, evidence.follower.readings
    if evidence.reported and not readings.problem and name not in readings.refused:
        first = evidence.follower.start + 1
        return f"{name} was reported of no epoch from {first} on: see 'status' in the network file"
    return why_no_metric(evidence.follower)


def _without_checkpoint(evidence: Evidence) -> Diagnosis | None:
    """The failure of a training that left no checkpoint of its last epoch, where the network has any."""
    rule, epochs, last = (
        checkpoint_rule(evidence.definition, evidence.recommendation),
        evidence.recommendation.epochs,
        evidence.checkpoints.last,
    )
    if evidence.definition.network.may_end_early:
        epochs = min(epochs, evidence.epochs_done)
    if rule is None or (last is not None and last.epoch == epochs):
        return None
    kind = "folder" if rule.folder else "file"
    parts = f" with {', '.join(rule.also)}" if rule.also else ""
    missing = f"no {kind} {rule.pattern}{parts} of epoch {epochs} was written"
    return Diagnosis(Failure.NO_CHECKPOINT, _joined(missing, evidence.checkpoints.why_none()))


def _batch_size(evidence: Evidence) -> str:
    """What to suspect first when there was not enough memory; empty when the network file does not name it."""
    path = evidence.definition.network.fields.batch_size
    if path is None:
        return ""
    size = get_path(whole_spec(evidence.definition, evidence.recommendation), path)
    return f"the first suspect is the batch size, {path} = {size}"


def _joined(*clauses: str) -> str:
    return "; ".join(filter(None, clauses))
