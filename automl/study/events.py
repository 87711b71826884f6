"""What happens in a study while it runs, as whoever carries it out reports it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from automl.search.history import Decision, History, Recommendation, Result
from automl.study.attempt_times import AttemptTimes


@dataclass(frozen=True)
class Event:
    """Something that happened.

    kind: decided, started, epoch, settled, preempted, or skipped, where the result stood already. times: of the
    attempt, where they are known.
    """

    kind: str
    study: History
    decision: Decision | None = None
    recommendation: Recommendation | None = None
    rung: int = 0
    epoch: int = 0
    value: float | None = None
    result: Result | None = None
    times: AttemptTimes | None = None


Listener = Callable[[Event], None]
