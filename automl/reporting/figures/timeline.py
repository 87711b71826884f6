"""The figure of when each attempt trained: lanes side by side, long pauses cut out."""

from __future__ import annotations

import heapq
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from automl.reporting.figures.facts import Facts
from automl.study.attempt_times import AttemptTimes
from automl.study.experiments import RunState, run_states
from automl.text.formatting import counted, duration

MOST_LANES = 180


KINDS = {  # in the order of a legend
    "best": "the best experiment",
    "on": "promoted to the next rung",
    "ended": "succeeded",
    "stopped": "stopped",
    "failed": "failed",
    "cut": "interrupted, then repeated or given up",
    "open": "running, or its end is unknown",
}


_LONG_PAUSE, _CUT = 0.08, 0.015  # of the time in which anything trained


_UNITS = ((180.0, 1.0, "seconds"), (3 * 3600.0, 60.0, "minutes"), (72 * 3600.0, 3600.0, "hours"))


@dataclass(frozen=True)
class Span:
    """An attempt in its lane, counted from 0. `left` and `right` are seconds on the axis, without the cut pauses."""

    times: AttemptTimes
    kind: str
    lane: int
    left: float
    right: float


@dataclass(frozen=True)
class Timeline:
    """The spans in the order of their start. `cuts` are the places on the axis where a long pause is cut out, and
    `paused` is the length of these pauses in seconds.
    """

    spans: tuple[Span, ...]
    cuts: tuple[float, ...]
    paused: float

    @property
    def lanes(self) -> int:
        return 1 + max(span.lane for span in self.spans)

    @property
    def length(self) -> float:
        """Seconds of the axis."""
        return max(1.0, *(span.right for span in self.spans))

    @property
    def side_by_side(self) -> float:
        """How many trained at a time, on average."""
        return sum(span.right - span.left for span in self.spans) / self.length


def timeline_of(facts: Facts) -> Timeline | None:
    """The attempts of a study in lanes; None where the record holds no times."""
    attempts = sorted(facts.attempts, key=lambda attempt: (attempt.began, attempt.experiment, attempt.rung))
    if not attempts:
        return None
    kinds = _kinds(facts, attempts)
    pauses = _pauses(attempts)
    free: list[int] = []
    busy: list[tuple[float, int]] = []  # (until, lane)
    spans, lanes = [], 0
    for attempt, kind in zip(attempts, kinds, strict=True):
        while busy and busy[0][0] <= attempt.began:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else lanes
        lanes = max(lanes, lane + 1)
        heapq.heappush(busy, (attempt.seen, lane))
        left, right = (when - attempts[0].began - _cut_before(pauses, when) for when in (attempt.began, attempt.seen))
        spans.append(Span(attempt, kind, lane, left, right))
    cuts = tuple(begin - attempts[0].began - _cut_before(pauses, begin) for begin, *_ in pauses)
    return Timeline(tuple(spans), cuts, sum(end - begin for begin, end, _ in pauses))


def _kinds(facts: Facts, attempts: Sequence[AttemptTimes]) -> list[str]:
    states = run_states(facts.study, facts.definition.plan.stages)
    best = {facts.best.experiment, facts.best.training.experiment} if facts.best is not None else set()
    newest = {(attempt.experiment, attempt.rung): attempt.attempt for attempt in attempts}
    kinds = []
    for attempt in attempts:
        run = (attempt.experiment, attempt.rung)
        result = facts.study.results.get(run)
        if result is None:
            kind = "open" if attempt.ended is None and newest[run] == attempt.attempt else "cut"
        elif result.attempts[-1] != attempt.attempt:
            kind = "cut"
        elif states[run] is RunState.FAILED:
            kind = "failed"
        elif attempt.experiment in best:
            kind = "best"
        else:
            kind = {RunState.PROMOTED: "on", RunState.STOPPED: "stopped"}.get(states[run], "ended")
        kinds.append(kind)
    return kinds


def _pauses(attempts: Sequence[AttemptTimes]) -> list[tuple[float, float, float]]:
    """(begin, end, seconds cut out) of each long time in which nothing trained."""
    gaps, until = [], attempts[0].seen
    for attempt in attempts[1:]:
        if attempt.began > until:
            gaps.append((until, attempt.began))
        until = max(until, attempt.seen)
    busy = until - attempts[0].began - sum(end - begin for begin, end in gaps)
    return [(begin, end, end - begin - _CUT * busy) for begin, end in gaps if end - begin > _LONG_PAUSE * busy]


def _cut_before(pauses: Sequence[tuple[float, float, float]], when: float) -> float:
    return sum(cut for _, end, cut in pauses if end <= when)


def axis_unit(length: float) -> tuple[float, str]:
    """The seconds of a unit and its name, for an axis of `length` seconds."""
    return next(((size, name) for most, size, name in _UNITS if length < most), (86400.0, "days"))


def timeline_notes(timeline: Timeline) -> str:
    """What a reader must know to read the picture."""
    first = timeline.spans[0].times.began
    last = max(span.times.seen for span in timeline.spans)
    notes = f"{counted(len(timeline.spans), 'attempt')} from {day_text(first)} to {day_text(last)} UTC; "
    notes += f"on average {timeline.side_by_side:.1f} trained at the same time. "
    starts = [span.times.epochs[0][1] - span.times.began for span in timeline.spans if span.times.epochs]
    if starts:
        notes += f"The first epoch took {duration(statistics.median(starts) / 60)} from the start (median). "
    if timeline.cuts:
        many = "a pause" if len(timeline.cuts) == 1 else f"{len(timeline.cuts)} pauses"
        verb = "was" if len(timeline.cuts) == 1 else "were"
        notes += f"At the vertical lines {many} of {duration(timeline.paused / 60)} {verb} cut out. "
    if timeline.lanes > MOST_LANES:
        notes += f"Only the first {MOST_LANES} of {timeline.lanes:,} lanes are drawn. "
    return notes


def day_text(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M")
