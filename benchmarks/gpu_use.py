"""How busy GPUs are in a search, on a simulated clock: `python -m benchmarks.gpu_use`.

A study is walked as the local runner walks it: the agenda says which decisions are due, the brain makes them, and the
order of starts says which training takes a free GPU. The time of an epoch differs from one configuration to another by
`--spread`, the standard deviation of its logarithm; a start costs `--start` minutes. Nothing waits for a decision.
The judgement behind a search is left out.
"""

from __future__ import annotations

import argparse
import heapq
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.problem.search_space import Parameter, SearchSpace
from automl.search.agenda import Run, due, order_of_starts, runs_of_decision
from benchmarks.epoch_searches import OurStudy, R
from benchmarks.problem import Array, Values

SEARCHES = (
    "hyperband+uniform",
    "hyperband+tpe",
    "asynchronous_hyperband+uniform",
    "asha+uniform",
    "successive_halving+uniform",
)
SPACE = SearchSpace((
    Parameter("rate", "float", low=1e-5, high=1e-1, log=True),
    Parameter("width", "float", low=0.0, high=1.0),
))  # fmt: skip
_TRAININGS = 3.0  # full trainings' worth: one set of brackets, and R experiments of asha


@dataclass(frozen=True)
class Use:
    """What a search took: epochs, GPU minutes that trained, minutes until the last training ended, on `gpus`."""

    epochs: int
    busy: float
    minutes: float
    gpus: int

    @property
    def share(self) -> float:
        """The share of the GPUs' time in which they trained."""
        return self.busy / (self.gpus * self.minutes)


@dataclass(frozen=True)
class Clock:
    """The minutes of an epoch of middling width and of a start; `spread` is that of the logarithm of the first."""

    epoch: float
    start: float
    spread: float

    def minutes(self, values: Values, epochs: int) -> float:
        """How long so many epochs take with these values: the quantile of their width in a log-normal law."""
        z = statistics.NormalDist().inv_cdf(min(max(values["width"], 1e-3), 1 - 1e-3))
        return self.start + epochs * self.epoch * math.exp(self.spread * z)


def losses(values: Values, epochs: int) -> Array:
    """A learning curve: it falls to what the rate is worth, and the slower the smaller the rate."""
    exponent = math.log10(values["rate"])
    speed = 10 ** ((exponent + 3) / 2)
    return np.asarray((exponent + 3) ** 2 + np.exp(-speed * np.arange(1, epochs + 1)) + 0.1 * values["width"])


def use(name: str, gpus: int, clock: Clock, seed: int) -> Use:
    """Walk one search to its end on so many GPUs."""
    study = OurStudy(name, SPACE, R, seed, _TRAININGS)
    order = order_of_starts(study.plan, gpus)
    ready: list[Run] = []
    training: list[tuple[float, int, Run]] = []
    now, busy, epochs, begun = 0.0, 0.0, 0, 0
    while True:
        while steps := due(study.plan, study.history, on_demand=len(ready) + len(training) < gpus):
            decision = study.decide(steps[0])
            ready += runs_of_decision(decision)
        ready.sort(key=order)
        while ready and len(training) < gpus:
            run, begun = ready.pop(0), begun + 1
            asked = run.recommendation
            minutes = clock.minutes(asked.values, asked.epochs - asked.resume_epoch)
            busy, epochs = busy + minutes, epochs + asked.epochs - asked.resume_epoch
            heapq.heappush(training, (now + minutes, begun, run))
        if not training:
            return Use(epochs, busy, now, gpus)
        now, _, run = heapq.heappop(training)
        study.end(run, losses(run.recommendation.values, R))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the share of the GPUs' time that is used, by search and number of GPUs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gpus", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--epoch", type=float, default=10.0, help="minutes of an epoch")
    parser.add_argument("--start", type=float, default=0.0, help="minutes of a start")
    parser.add_argument("--spread", type=float, nargs="+", default=[0.0, 0.4])
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args(arguments)
    print(f"R = {R}, {options.epoch:g} min an epoch; GPU use in % and hours to the end, means of {options.seeds} seeds")
    print(f"{'search':34} {'spread':>6} {'epochs':>6}" + "".join(f"{gpus:>6} GPUs    " for gpus in options.gpus))
    for name in SEARCHES:
        for spread in options.spread:
            clock = Clock(options.epoch, options.start, spread)
            of_gpus = [[use(name, gpus, clock, seed) for seed in range(options.seeds)] for gpus in options.gpus]
            epochs = statistics.mean(each.epochs for uses in of_gpus for each in uses)
            print(f"{name:34} {spread:6.2f} {epochs:6.0f}" + "  ".join(map(_cell, of_gpus)), flush=True)


def _cell(uses: Sequence[Use]) -> str:
    share, minutes = (statistics.mean(getattr(each, what) for each in uses) for what in ("share", "minutes"))
    return f"{100 * share:6.0f} {minutes / 60:6.1f} h"


if __name__ == "__main__":
    main()
