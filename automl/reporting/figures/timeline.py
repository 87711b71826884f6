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
    "on": "went on in the next rung",
    "ended": "ended well",
    "failed": "failed",
    "cut": "broken off, and tried again or given up",
    "open": "no end is known (yet)",
}


_LONG_PAUSE, _CUT = 0.08, 0.015  # of the time in which anything trained


_UNITS = ((180.0, 1.0, "seconds"), (3 * 3600.0, 60.0, "minutes"), (72 * 3600.0, 3600.0, "hours"))


@dataclass(frozen=True)
class Span:
    """An attempt in its lane, 0 is the first. left, right: seconds on the axis, without the pauses that are cut out."""

    times: AttemptTimes
    kind: str
    lane: int
    left: float
    right: float


@dataclass(frozen=True)
class Timeline:
    """spans: by when they began. cuts: where on the axis a long pause is cut out. paused: seconds of all of these."""

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
    attempts = sorted(facts.attempts, key=lambda each: (each.began, each.experiment, each.rung))
    if not attempts:
        return None
    kinds = _kinds(facts, attempts)
    pauses = _pauses(attempts)
    free: list[int] = []
    busy: list[tuple[float, int]] = []  # (until, lane)
    spans, lanes = [], 0
    for each, kind in zip(attempts, kinds, strict=True):
        while busy and busy[0][0] <= each.began:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else lanes
        lanes = max(lanes, lane + 1)
        heapq.heappush(busy, (each.seen, lane))
        left, right = (when - attempts[0].began - _cut_before(pauses, when) for when in (each.began, each.seen))
        spans.append(Span(each, kind, lane, left, right))
    cuts = tuple(begin - attempts[0].began - _cut_before(pauses, begin) for begin, *_ in pauses)
    return Timeline(tuple(spans), cuts, sum(end - begin for begin, end, _ in pauses))


def _kinds(facts: Facts, attempts: Sequence[AttemptTimes]) -> list[str]:
    states = run_states(facts.study, facts.definition.plan.stages)
    best = facts.best.experiment if facts.best is not None else None
    newest = {(each.experiment, each.rung): each.attempt for each in attempts}
    found = []
    for each in attempts:
        run = (each.experiment, each.rung)
        result = facts.study.results.get(run)
        if result is None:
            kind = "open" if each.ended is None and newest[run] == each.attempt else "cut"
        elif result.attempts[-1] != each.attempt:
            kind = "cut"
        elif states[run] is RunState.FAILED:
            kind = "failed"
        elif each.experiment == best:
            kind = "best"
        else:
            kind = "on" if states[run] is RunState.PROMOTED else "ended"
        found.append(kind)
    return found


def _pauses(attempts: Sequence[AttemptTimes]) -> list[tuple[float, float, float]]:
    """(begin, end, what is cut out) of each long time in which nothing trained."""
    gaps, until = [], attempts[0].seen
    for each in attempts[1:]:
        if each.began > until:
            gaps.append((until, each.began))
        until = max(until, each.seen)
    busy = until - attempts[0].began - sum(end - begin for begin, end in gaps)
    return [(begin, end, end - begin - _CUT * busy) for begin, end in gaps if end - begin > _LONG_PAUSE * busy]


def _cut_before(pauses: Sequence[tuple[float, float, float]], when: float) -> float:
    return sum(cut for _, end, cut in pauses if end <= when)


def axis_unit(length: float) -> tuple[float, str]:
    """Seconds of a unit, and its name, for an axis of so many seconds."""
    return next(((size, name) for most, size, name in _UNITS if length < most), (86400.0, "days"))


def timeline_notes(found: Timeline) -> str:
    """What one must know to read the picture."""
    first = found.spans[0].times.began
    last = max(span.times.seen for span in found.spans)
    said = f"{counted(len(found.spans), 'attempt')} from {day_text(first)} to {day_text(last)} UTC; "
    said += f"on average {found.side_by_side:.1f} trained at a time. "
    starts = [each.times.epochs[0][1] - each.times.began for each in found.spans if each.times.epochs]
    if starts:
        said += f"From a start to its first epoch it took {duration(statistics.median(starts) / 60)} (median). "
    if found.cuts:
        many = "a pause" if len(found.cuts) == 1 else f"{len(found.cuts)} pauses"
        said += f"At the upright lines {many} of {duration(found.paused / 60)} in all is cut out. "
    if found.lanes > MOST_LANES:
        said += f"Drawn are the first {MOST_LANES} of {found.lanes:,} lanes. "
    return said


def day_text(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M")
