"""Trains again what has failed: an object of the record names the runs, and whoever goes on with the study trains them.

What was decided stays decided: an experiment that a decision has passed over is not promoted any more. Its new result
counts as the best, in a judgement that is still to come, and for the next values of a search that learns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from automl.errors import InvalidInput
from automl.search.history import Experiment, Status
from automl.study import outages
from automl.study.opened_study import OpenedStudy


@dataclass(frozen=True)
class Retried:
    """What is trained again: experiments, and the number of the object that says so, None where nothing has failed."""

    study: str
    store: str
    experiments: tuple[int, ...]
    number: int | None

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "store": self.store,
            "experiments": list(self.experiments),
            "object": None if self.number is None else f"retries/{self.number}.json",
        }


def retry(opened: OpenedStudy, numbers: Sequence[int]) -> Retried:
    """Has the experiments of these numbers trained again, or all that have failed where none are named.

    Raises InvalidInput for an experiment that does not exist or has not failed.
    """
    experiments = {experiment.number: experiment for experiment in opened.experiments()}
    for number in numbers:
        _check(number, experiments)
    failed = [experiment for experiment in experiments.values() if experiment.status is Status.FAILURE]
    chosen = [experiment for experiment in failed if not numbers or experiment.number in numbers]
    paused = None if numbers else outages.open_pause(opened.record)
    stored: int | None = None
    if chosen:
        runs = [(experiment.number, experiment.results[-1].rung) for experiment in chosen]
        stored = outages.retry(opened.record, runs, None if paused is None else paused.number)
    trained = tuple(experiment.number for experiment in chosen)
    return Retried(opened.definition.file.name, opened.record.store.uri, trained, stored)


def _check(number: int, experiments: dict[int, Experiment]) -> None:
    if number not in experiments:
        allowed = f"0 to {max(experiments)}" if experiments else "none yet"
        raise InvalidInput(f"experiment {number} does not exist", allowed=allowed)
    status = experiments[number].status
    if status is not Status.FAILURE:
        failed = [str(other.number) for other in experiments.values() if other.status is Status.FAILURE]
        raise InvalidInput(
            f"experiment {number} has not failed: its status is {status}",
            allowed=f"those that have: {', '.join(failed) or 'none has'}",
        )
