"""The states of an experiment, as people see them: one word each, in every table, page and answer.

The record knows `Status`, whose names controller.json and older JSON keys keep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from automl.search.history import Experiment, Status


class State(StrEnum):
    """What an experiment does, or how it ended, in the order in which counts are printed."""

    SUCCEEDED = "succeeded"  # trained to the last epoch of its stage
    STOPPED = "stopped"  # ended without an error and was not promoted
    FAILED = "failed"
    RUNNING = "running"
    PROMOTED = "promoted"  # trains on in the next rung, as soon as there is room
    QUEUED = "queued"  # waits for its training, or for the decision about the next rung


_OF_STATUS = {
    Status.PENDING: State.QUEUED,
    Status.WAITING: State.QUEUED,
    Status.RUNNING: State.RUNNING,
    Status.STOPPED: State.STOPPED,
    Status.SUCCESS: State.SUCCEEDED,
    Status.FAILURE: State.FAILED,
}


def state_of(experiment: Experiment, *, is_running: bool = False) -> State:
    """The state of an experiment. `is_running` tells of a training that has begun, which the record does not show."""
    if is_running:
        return State.RUNNING
    is_promoted = experiment.status is Status.PENDING and len(experiment.recommendations) > 1
    return State.PROMOTED if is_promoted else _OF_STATUS[experiment.status]


def counted_states(states: Iterable[State]) -> Mapping[State, int]:
    """How many experiments are in each state, those without any too, in the order of `State`."""
    counts = Counter(states)
    return {state: counts[state] for state in State}


def counts_in_words(counts: Mapping[State, int]) -> list[str]:
    """['21 succeeded', '3 running', '6 queued']; empty where nothing is proposed yet."""
    return [f"{count} {state}" for state, count in counts.items() if count]
