"""Measures on this machine how long an epoch of a study takes, by one short training of its defaults.

Nothing of it is kept: it is a study of its own in a temporary folder.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import StudyFailed
from automl.execution import preflight
from automl.execution.gpus import shared
from automl.execution.local_runner import POLL_SECONDS, LocalRun
from automl.stores import open_store
from automl.study.attempt_times import AttemptTimes, times_of_study
from automl.study.events import Listener
from automl.study.opened_study import begin
from automl.study.record import Record
from automl.study.study_file import parse

EPOCHS = 3  # that are trained: the first tells the start from the others


@dataclass(frozen=True)
class MeasuredEpoch:
    """Minutes of an epoch and of a start on this machine, from so many epochs of the defaults."""

    epochs: int
    minutes_per_epoch: float
    start_minutes: float


def measured_epoch(text: str, where: str, base: Path, listener: Listener) -> MeasuredEpoch:
    """Trains the defaults of a study file for a few epochs, where the program takes their number.

    `listener` follows it. Raises NetworkError where it does not train on this machine, StudyFailed where it fails.
    """
    definition = parse(text, where, base)
    whole = definition.network.epochs if definition.network.fixed_epochs else min(EPOCHS, definition.max_epochs)
    short: dict[str, Any] = {
        "automl_enabled": False,
        "max_epochs": whole,
        "until": None,
        "budget": None,
        "warm_start": None,
    }
    short |= {"algorithm": definition.file.algorithm} if definition.file.budget is not None else {}
    definition = parse(text, where, base, short)
    with tempfile.TemporaryDirectory(prefix="automl-probe-") as folder:
        record = Record(open_store(f"{folder}/study"))
        work = Path(folder) / "work"
        preflight.check(definition, work)
        definition = begin(record, definition, text).definition
        gpus = shared(definition.file.run.gpus, definition.costs.gpus)
        run = LocalRun(record, definition, 1, work, listener, gpus=gpus)
        try:
            study = run.run()
        except StudyFailed as error:
            reasons = [result.message for result in record.history(definition).results.values()]
            raise StudyFailed(
                f"the defaults cannot be trained: {'; '.join(filter(None, reasons)) or error.given}",
                advice="see what the program prints, then try again",
            ) from error
        return _of(times_of_study(record), max(result.epochs for result in study.results.values()))


def _of(times: tuple[AttemptTimes, ...], epochs: int) -> MeasuredEpoch:
    """From the moments at which epochs were seen; where they tell nothing apart, the start is a part of the epochs."""
    attempt = times[-1]
    if len(attempt.epochs) > 1:
        (first, begun), (last, ended) = attempt.epochs[0], attempt.epochs[-1]
        epoch = (ended - begun) / (last - first)
        if epoch > POLL_SECONDS:
            return MeasuredEpoch(epochs, epoch / 60, max(0.0, begun - attempt.began - first * epoch) / 60)
    seconds = max((attempt.ended or attempt.seen) - attempt.began, POLL_SECONDS)
    return MeasuredEpoch(epochs, seconds / 60 / max(1, epochs), 0.0)
