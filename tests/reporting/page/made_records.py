"""Records with real decisions and made-up results, quickly: what a page of many experiments is tested on."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy

from automl.execution.steps.propose import propose
from automl.search.history import Checkpoint, Failure, Recommendation, Result
from automl.search.measurements import Measurements
from automl.stores.memory import MemoryStore
from automl.study.attempt_times import AttemptTimes
from automl.study.definition import Definition
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from automl.study.study_file import parse
from automl.text import strict_json

Outcome = tuple[tuple[tuple[int, float], ...], Failure | None, str]  # history, failure, message
Train = Callable[[Recommendation], Outcome]


def accuracy(asked: Recommendation) -> Outcome:
    """A training of the fashion_mnist network as it might be: the learning rate decides most, a large one diverges."""
    values, rng = asked.values, numpy.random.default_rng(asked.seed)
    rate = math.log10(values["train.lr"])
    if rate > -0.75:
        return ((1, 0.1),), Failure.NOT_FINITE, "val_accuracy is NaN in epoch 2"
    if rng.random() < 0.03:
        return (), Failure.ERROR, "exit code 1: CUDA error: an illegal memory access was encountered"
    top = 0.9 - 0.05 * (rate + 2) ** 2 - 0.3 * abs(values["model.dropout"] - 0.1)
    top -= 0.02 * (values["train.optimizer"] == "sgd")
    noise = rng.normal(0, 0.006, asked.epochs)
    history = tuple(
        (epoch, round(float(top - 0.4 * math.exp(-epoch / 4) + noise[epoch - 1]), 5))
        for epoch in range(1, asked.epochs + 1)
    )
    return history, None, ""


def steady(_asked: Recommendation) -> float:
    """Seconds of an epoch that are always the same."""
    return 2.5


def by_batch(asked: Recommendation) -> float:
    """Seconds of an epoch as they might be: small batches take longer, and no two trainings are alike."""
    rng = numpy.random.default_rng(asked.seed)
    return float(2.5 * (64 / asked.values["train.batch_size"]) ** 0.8 * rng.lognormal(0, 0.15))


def made(
    settings: str,
    train: Train = accuracy,
    folder: Path = Path(),
    rungs: int | None = None,
    *,
    pace: Callable[[Recommendation], float] = steady,
    further: Callable[[Recommendation], Measurements] = lambda _asked: {},
) -> Record:
    """A study walked to its end, or until `rungs` decisions are made, without a training program.

    Hyperband is TAO's, rung by rung, where `settings` name no sampler.

    settings: the study file. folder: where its network file lies. pace: seconds of an epoch. further: what a training
    measures beside the first metric.
    """
    definition = parse(settings, "study.yaml", folder)
    if definition.file.algorithm == "hyperband" and definition.file.sampler is None:
        settings += "sampler: uniform\n"
        definition = parse(settings, "study.yaml", folder)
    record = Record(MemoryStore())
    begin(record, definition, settings)
    left = 10**9 if rungs is None else rungs
    for stage in definition.plan.stages:
        for rung in stage.rungs:
            if left == 0:
                return record
            left -= 1
            decision = propose(record, definition, stage.index, rung.index)
            for asked in decision.issued:
                result = _result(definition, asked, decision.index, train, pace)
                record.store_result(replace(result, measured=further(asked)))
    return record


def opened(record: Record) -> Definition:
    """The definition that the record holds."""
    return OpenedStudy.read(record).definition


def _result(
    definition: Definition, asked: Recommendation, rung: int, train: Train, pace: Callable[[Recommendation], float]
) -> Result:
    history, failure, message = train(asked)
    score = definition.brain.metric.score
    best: Mapping[str, Any] = {}
    if failure is None:
        epoch, value = max(history, key=lambda point: score(point[1]))
        manifest = f"experiment_{asked.number}/rung_{rung}/a/checkpoints/{epoch}/manifest.json"
        best = {"best": Checkpoint(manifest, epoch), "best_value": value}
        if asked.held_out:
            best = {**best, "held_out": round(history[-1][1] - 0.01, 5)}
    return Result(
        experiment=asked.number,
        rung=rung,
        attempts=("a",),
        epochs=history[-1][0] if history else asked.resume_epoch,
        seconds=pace(asked) * (asked.epochs - asked.resume_epoch),
        history=history,
        failure=failure,
        message=message,
        **best,
    )


def with_times(record: Record, jobs: int, began: float = 1_800_000_000.0, *, pause: float = 4.0) -> Record:
    """The record with times as `jobs` places would leave them: 6 s a start, 2.5 s an epoch, a pause before a rung."""
    definition = opened(record)
    study = record.history(definition)
    places, since = [began] * jobs, began
    for stage in definition.plan.stages:
        for decision in study.of_stage(stage.index):
            rung = decision.index
            ends = [since]
            for asked in decision.issued:
                result = study.results[asked.number, rung]
                start = max(heapq.heappop(places), since)
                seen = tuple(
                    (epoch, start + 6 + 2.5 * (epoch - asked.resume_epoch))
                    for epoch, _ in result.history
                    if epoch > asked.resume_epoch
                )
                ends.append((seen[-1][1] if seen else start + 6) + 1)
                heapq.heappush(places, ends[-1])
                times = AttemptTimes(asked.number, rung, result.attempts[-1], asked.resume_epoch, start, seen, ends[-1])
                record.store.put(times.key, strict_json.dump(times.to_json()))
            since = max(ends) + pause
    return record
