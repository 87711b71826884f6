"""What happens in a study while it runs, as whoever carries it out reports it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from automl.search.history import Decision, History, Recommendation, Result
from automl.study.attempt_times import AttemptTimes
from automl.study.definition import Definition
from automl.study.outages import Pause


class EventKind(StrEnum):
    """What can happen."""

    NOTE = "note"  # something to say about the whole study: the event has a text
    DECIDED = "decided"  # the event has a decision; every later kind has a recommendation and its rung
    STARTED = "started"
    EPOCH = "epoch"
    SETTLED = "settled"  # the training has ended, and the event has its result
    SKIPPED = "skipped"  # the result already existed
    PREEMPTED = "preempted"  # the training was stopped from outside and starts again
    STOPPING = "stopping"  # the user has asked the run to stop, and it waits for its trainings: the event has a text
    ENDED = "ended"  # the search ended early: the event has a text, and the definition with the plan from now on


@dataclass(frozen=True)
class Event:
    """Something that happened, and the history of the study after it. `times` are the attempt's, if they are known.

    `paused` is the pause of a row of failures, while it lasts.
    """

    kind: EventKind
    study: History
    decision: Decision | None = None
    recommendation: Recommendation | None = None
    rung: int = 0
    epoch: int = 0
    value: float | None = None
    result: Result | None = None
    times: AttemptTimes | None = None
    paused: Pause | None = None
    text: str = ""
    definition: Definition | None = None


Listener = Callable[[Event], None]
