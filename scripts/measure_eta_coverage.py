"""Measures how often the interval of 80 % of the time left holds what was really left, on studies that have ended.

    python scripts/measure_eta_coverage.py ./studies/*        # folders of studies whose record has times

Each study is looked at as its record was at several moments of its life; the true time left is known from its end. The
constants of automl/analysis/eta.py are fitted on all studies but one and tried on that one, and so on (leave one study
out), so that no study is judged with constants that saw it. A study counts as one, however many moments it has.
"""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy

from automl.analysis import eta
from automl.analysis.time_left import as_it_was, time_left
from automl.opening import open_study
from automl.study.attempt_times import AttemptTimes, times_of_study

NORMAL = 1.2816  # standard deviations that hold 80 % of a normal distribution


@dataclass(frozen=True)
class Look:
    """middle: the logarithm of the middle of what was drawn; spread: of the logarithm; true: seconds, and of those."""

    fraction: float
    middle: float
    spread: float
    true: float

    @property
    def score(self) -> float:
        """How many spreads the truth lies above the middle."""
        return (math.log(self.true) - self.middle) / self.spread


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("studies", nargs="+", help="folders of studies that have ended")
    parser.add_argument("--moments", type=int, default=12, help="looks at each study, spread evenly over its life")
    parser.add_argument("--given-jobs", action="store_true", help="give the number of places, as the live view does")
    options = parser.parse_args()
    looks_of: dict[str, list[Look]] = {}
    for study in options.studies:
        looks = looks_at(study, options.moments, given_jobs=options.given_jobs)
        if looks:
            looks_of[Path(study).name] = looks
            print(f"{Path(study).name}: {line(looks, (eta.LOW, eta.MIDDLE, eta.HIGH))}", flush=True)
    if len(looks_of) < 3:
        raise SystemExit("too few studies with times: at least 3 are needed")
    report(looks_of)


def report(looks_of: dict[str, list[Look]]) -> None:
    stored = [held(looks, (eta.LOW, eta.HIGH)) for looks in looks_of.values()]
    print(f"{len(looks_of)} studies, {sum(map(len, looks_of.values()))} looks; with the constants of eta.py:")
    print(f"  inside the interval: {shares(stored)}")
    left_out = []
    for name, looks in looks_of.items():
        ends = fitted([others for other, others in looks_of.items() if other != name])
        left_out.append(held(looks, (ends[0], ends[2])))
    print(f"  leave one study out:  {shares(left_out)}")
    low, middle, high = fitted(list(looks_of.values()))
    print(f"  fitted on all: LOW, MIDDLE, HIGH = {low:.2f}, {middle:.2f}, {high:.2f}")
    for begin, end in ((0.0, 0.34), (0.34, 0.67), (0.67, 1.0)):
        part = [look for looks in looks_of.values() for look in looks if begin <= look.fraction < end]
        inside = statistics.mean(eta.LOW <= look.score <= eta.HIGH for look in part)
        off = statistics.median(abs(look.score - eta.MIDDLE) * look.spread for look in part)
        wide = statistics.median(math.exp((eta.HIGH - eta.LOW) * look.spread) for look in part)
        print(f"  {begin:.0%}-{end:.0%} of its life: {inside:.0%} inside, half within a factor {math.exp(off):.2f}, "
              f"the high end {wide:.2f} times the low one")  # fmt: skip


def fitted(groups: list[list[Look]]) -> tuple[float, float, float]:
    """The quantiles of the scores that hold 80 % of them, and their middle; each study weighs the same."""
    scores = numpy.array([look.score for looks in groups for look in looks])
    weights = numpy.array([1 / len(looks) for looks in groups for _ in looks])
    order = numpy.argsort(scores)
    reached = numpy.cumsum(weights[order]) / weights.sum()
    low, middle, high = (float(scores[order][numpy.searchsorted(reached, share)]) for share in (0.1, 0.5, 0.9))
    return low, middle, high


def held(looks: list[Look], ends: tuple[float, float]) -> float:
    return statistics.mean(ends[0] <= look.score <= ends[1] for look in looks)


def shares(parts: list[float]) -> str:
    error = statistics.stdev(parts) / math.sqrt(len(parts))
    return f"{statistics.mean(parts):.1%}, standard error {error:.1%} over studies"


def line(looks: list[Look], ends: tuple[float, float, float]) -> str:
    inside = sum(ends[0] <= look.score <= ends[2] for look in looks)
    return f"{inside} of {len(looks)} inside; " + " ".join(f"{look.score:+.1f}" for look in looks)


def looks_at(address: str, moments: int, *, given_jobs: bool) -> list[Look]:
    """What was said at these moments of a study's life; nothing of one without times, or that was broken off."""
    opened = open_study(address)
    definition, study = opened.definition, opened.history()
    times = times_of_study(opened.record)
    if not times or any(attempt.ended is None for attempt in times):
        return []
    begin, end = times[0].began, max(attempt.seen for attempt in times)
    jobs = most_at_a_time(times) if given_jobs else None
    looks = []
    for place_in in range(moments):
        fraction = (place_in + 0.5) / moments
        now = begin + fraction * (end - begin)
        then, known_times = as_it_was(definition, study, times, now)
        estimate = time_left(definition, then, known_times, now, jobs)
        if estimate is not None and estimate.middle > 0:
            spread = math.log(estimate.high / estimate.low) / (eta.HIGH - eta.LOW)
            middle = math.log(60 * estimate.middle) - eta.MIDDLE * spread
            looks.append(Look(fraction, middle, spread, end - now))
    return looks


def most_at_a_time(times: tuple[AttemptTimes, ...]) -> int:
    return max(sum(one.began <= at.began < one.seen for one in times) for at in times)


if __name__ == "__main__":
    main()
