"""How long a study will still take, from what its trainings took so far, with an interval that holds in 80 % of cases.

Pure. The rest of the study is drawn many times from the trainings seen so far (experiments with replacement, starts
apart from epochs, with failures) and scheduled as the runner does. The spread of these times gives the interval,
together with a constant for what no study can foresee, which scripts/measure_eta_coverage.py calibrates on records.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from automl.search.list_scheduling import Order, time_until_the_end

DRIFT = 0.20  # standard deviation of the logarithm of what no study can foresee: a machine that becomes slower
LOW, MIDDLE, HIGH = -2.40, -0.49, 1.57  # ends and middle of the interval, in standard deviations of the logarithm
_FEW = 0.35  # the same of an experiment's epochs, where only one was seen; falls with the root of their number
_EPOCH, _NEW = 0.05, 0.10  # the same of the epochs of one that was seen, and of one that was not
_MOST, _LEAST, _STEPS = 160, 24, 16000  # draws, and trainings over all draws
_LEAST_SECONDS = 0.05

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Seen:
    """A training as far as it was seen: the epoch from which it went on, and (epoch, seconds after its start), rising.

    `ended` is in seconds after its start; None while it goes on.
    """

    experiment: int
    start: int
    epochs: tuple[tuple[int, float], ...]
    ended: float | None = None
    failed: bool = False


@dataclass(frozen=True)
class Task:
    """A training that is left. `experiment` is None while it is undecided: it is one of `candidates`, or new.

    `begun` is what was seen of it, `elapsed` the seconds since it began. `claim` is that to a free place, and `needs`
    what it waits for, as in search/list_scheduling.py.
    """

    start: int
    to: int
    experiment: int | None = None
    candidates: tuple[int, ...] = ()
    begun: Seen | None = None
    elapsed: float = 0.0
    claim: float = 0.0
    needs: int | None = None


Chain = Sequence[Sequence[Task]]  # a stage: its rungs that are left


@dataclass(frozen=True)
class TimeLeft:
    """Minutes until a study ends with `jobs` trainings at a time: the ends and the middle of an interval of 80 %."""

    low: float
    middle: float
    high: float
    jobs: int

    def rounded(self) -> TimeLeft:
        """To hundredths of a minute, as it is shown."""
        return TimeLeft(round(self.low, 2), round(self.middle, 2), round(self.high, 2), self.jobs)


@dataclass(frozen=True)
class Waits:
    """Seconds for which a worker is idle, between two trainings and between two rungs.

    `since` is how long nothing has trained by now; None while something does.
    """

    between: tuple[float, ...] = ()
    rungs: tuple[float, ...] = ()
    since: float | None = None


def time_left(
    trainings: Sequence[Seen], search: Sequence[Chain], after: Sequence[Chain], places: int, waits: Waits = Waits()
) -> TimeLeft | None:
    """The time left of a study; None before any epoch was seen. The chains in `after` wait for the whole search."""
    speeds = _Speeds(trainings)
    if not speeds.known:
        return None
    tasks = sum(len(rung) for chain in (*search, *after) for rung in chain)
    if not tasks:
        return TimeLeft(0.0, 0.0, 0.0, places)
    rng = numpy.random.default_rng(0)  # the same record gives the same answer
    drawn = [_draw(speeds, (search, after), places, waits, rng) for _ in range(_draws(tasks))]
    logs = numpy.log(numpy.maximum(drawn, _LEAST_SECONDS))
    middle, spread = float(numpy.median(logs)), math.hypot(float(numpy.std(logs)), DRIFT)
    low, most_likely, high = (math.exp(middle + by * spread) / 60 for by in (LOW, MIDDLE, HIGH))
    return TimeLeft(low, most_likely, high, places)


def _draws(tasks: int) -> int:
    return max(_LEAST, min(_MOST, _STEPS // tasks))


class _Speeds:
    """Seconds per epoch and per start, of every training of which an epoch was seen."""

    def __init__(self, trainings: Sequence[Seen]) -> None:
        parts = {training: _parts(training) for training in trainings if training.epochs}
        apart = {
            training: speed_and_start for training, speed_and_start in parts.items() if speed_and_start is not None
        }
        self.alone = [
            training for training, speed_and_start in parts.items() if speed_and_start is None
        ]  # one look: start and epochs in one
        self.known = bool(parts)
        self.apart = [(training.experiment, *speed_and_start) for training, speed_and_start in apart.items()]
        self.failures = sum(training.failed for training in trainings)
        self.ended = sum(training.ended is not None for training in trainings)

    def drawn(self, rng: numpy.random.Generator) -> tuple[Mapping[int, float], Floats, Floats]:
        """Seconds per epoch by experiment; then seconds per epoch and per start of trainings drawn with replacement."""
        rows = list(self.apart)
        if self.alone:
            usual = [start for _, _, start in self.apart]
            shortest = min(training.epochs[-1][1] for training in self.alone)
            start = min(float(rng.choice(usual)), 0.9 * shortest) if usual else float(rng.random()) * shortest
            for training in self.alone:
                epoch, when = training.epochs[-1]
                rows.append(
                    (training.experiment, max(0.0, when - start) / (epoch - training.start), start + _tail(training))
                )
        own = {number: speed for number, speed, _ in rows}
        chosen = rng.integers(len(rows), size=len(rows))
        table = numpy.array([(speed, start) for _, speed, start in rows])[chosen]
        few = math.exp(_FEW / math.sqrt(len(own)) * rng.standard_normal())
        return own, table[:, 0] * few, table[:, 1]


def _parts(training: Seen) -> tuple[float, float] | None:
    """Seconds per epoch, and seconds of the start and the end together; None where one look cannot separate them.

    Of the epochs that were seen in one look only the last counts: the others had ended before.
    """
    looks = sorted({when: epoch for epoch, when in training.epochs}.items())
    (began, first), (until, last) = looks[0], looks[-1]
    if last <= first:
        return None
    speed = (until - began) / (last - first)
    return speed, max(0.0, began - speed * (first - training.start)) + _tail(training)


def _tail(training: Seen) -> float:
    return max(0.0, training.ended - training.epochs[-1][1]) if training.ended is not None and training.epochs else 0.0


def _draw(
    speeds: _Speeds,
    work: tuple[Sequence[Chain], Sequence[Chain]],
    places: int,
    waits: Waits,
    rng: numpy.random.Generator,
) -> float:
    """One time until the end."""
    own, epochs, starts = speeds.drawn(rng)
    between = _mean_of_some(waits.between, rng)
    fails = rng.beta(speeds.failures + 0.05, max(0, speeds.ended - speeds.failures) + 1.0)

    def seconds(task: Task) -> float:
        number = task.experiment
        if number is None and task.candidates:
            number = int(rng.choice(task.candidates))
        if number is not None and number in own:
            speed = own[number] * math.exp(_EPOCH * rng.standard_normal())
        else:
            speed = float(rng.choice(epochs)) * math.exp(_NEW * rng.standard_normal())
        start = float(rng.choice(starts))
        if task.begun is None:
            length = start + (task.to - task.start) * speed + between
            return length * rng.random() if rng.random() < fails else length
        done, when = task.begun.epochs[-1] if task.begun.epochs else (task.begun.start, 0.0)
        begin = 0.0 if task.begun.epochs else start
        left = begin + (task.to - done) * speed - (task.elapsed - when)
        return max(left, 0.1 * speed)

    orders = [
        [[Order(math.inf if task.begun else task.claim, task.needs) for task in rung] for rung in chain]
        for chain in work[0]
    ]
    search, after = ([[[seconds(task) for task in rung] for rung in chain] for chain in chains] for chains in work)
    pause = _mean_of_some(waits.rungs, rng)
    first = 0.0 if waits.since is None else max(0.0, pause - waits.since)
    return first + time_until_the_end(search, after, places, pause, orders)


def _mean_of_some(values: Sequence[float], rng: numpy.random.Generator) -> float:
    """The mean of as many values, drawn with replacement. An outlier is cut to a multiple of the median."""
    if not values:
        return 0.0
    if len(values) == 1:  # the first one is the longest: what the brain needs is loaded then
        return values[0] * float(rng.random())
    usual = numpy.minimum(values, 4 * float(numpy.median(values)) + 1.0)
    return float(numpy.mean(rng.choice(usual, size=len(usual))))
