"""`python -m benchmarks.failures` searches spaces of which 40 % cannot be trained, to see whether failures teach.

Each search is run twice at equal seeds: as it is, and with a sampler that is told nothing of what failed. A training
runs out of memory where two numbers are large together: their coordinates in the unit cube sum to more than
2 - sqrt(0.8), which is so for 40 % of all draws and not for the defaults.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

from automl.search.algorithms import NamedSampler
from automl.search.history import Failure
from automl.search.samplers.base import Request, Trial
from benchmarks.functions import FUNCTIONS
from benchmarks.problem import Values

PROBLEMS = {  # the function, and the two parameters that take memory
    "branin_mixed": ("x1", "k"),
    "hartmann6_mixed": ("a", "e"),
    "levy_mixed": ("l2", "i1"),
    "rosen_mixed": ("v", "w"),
}
_LIMIT = 2 - math.sqrt(0.8)
_DRAWS = 20_000  # that a regret is relative to


@dataclass(frozen=True)
class Search:
    """What one search did: how many of its trainings failed, and its regret, 0 at the best and 1 at the median draw."""

    failures: int
    regret: float


def fails(problem: str, values: Values) -> bool:
    """Whether these values run out of memory."""
    space = FUNCTIONS[problem].space
    cube = dict(zip((axis.parameter for axis in space.dimensions()), space.encode(values), strict=True))
    return sum(cube[name] for name in PROBLEMS[problem]) > _LIMIT


def search(problem: str, sampler: str, seed: int, trainings: int, *, ignores: bool) -> Search:
    """One search; with `ignores` its sampler is told nothing of what failed."""
    function = FUNCTIONS[problem]
    defaults = function.space.defaults()
    trials: list[Trial] = []
    failures, best = 0, math.inf
    for number in range(trainings):
        values: Values = defaults
        if number:
            request = Request(1, number - 1, trainings - 1, (seed, 0, number), (defaults,))
            values = NamedSampler(sampler).propose(function.space, trials, request)[0].values
        if fails(problem, values):
            failures += 1
            if not ignores:
                trials.append(Trial(values, None, failure=Failure.OUT_OF_MEMORY))
            continue
        loss = function.loss(values)
        best = min(best, loss)
        trials.append(Trial(values, -loss))
    lowest, median = _scale(problem)
    return Search(failures, (best - lowest) / (median - lowest))


@cache
def _scale(problem: str) -> tuple[float, float]:
    """The lowest and the median loss of many draws that can be trained."""
    function, rng = FUNCTIONS[problem], np.random.default_rng(zlib.crc32(problem.encode()))
    draws = (function.space.sample(rng) for _ in range(_DRAWS))
    losses = [function.loss(values) for values in draws if not fails(problem, values)]
    return min(losses), float(np.median(losses))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The bootstrap interval of 95 % of a mean."""
    rng = np.random.default_rng(0)
    means = np.asarray(values)[rng.integers(len(values), size=(2000, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _both(job: tuple[str, str, int, int]) -> tuple[Search, Search]:
    problem, sampler, seed, trainings = job
    told, ignoring = (search(problem, sampler, seed, trainings, ignores=ignores) for ignores in (False, True))
    return told, ignoring


def lines(samplers: Sequence[str], problems: Sequence[str], seeds: range, trainings: int, jobs: int) -> Iterator[str]:
    """A line of a table for each sampler."""
    yield "| sampler | searches | failures | told nothing | fewer | regret | told nothing | difference (95 %) |"
    yield "|---|---|---|---|---|---|---|---|"
    for sampler in samplers:
        tasks = [(problem, sampler, seed, trainings) for problem in problems for seed in seeds]
        with ProcessPoolExecutor(jobs) as pool:
            pairs = list(pool.map(_both, tasks))
        told = [one for one, _ in pairs]
        ignoring = [other for _, other in pairs]
        failures, before = (float(np.mean([each.failures for each in side])) for side in (told, ignoring))
        regret, regret_before = (float(np.mean([each.regret for each in side])) for side in (told, ignoring))
        low, high = interval([one.regret - other.regret for one, other in pairs])
        yield (
            f"| {sampler} | {len(pairs)} | {failures:.1f} | {before:.1f} | {1 - failures / before:.0%} | "
            f"{regret:.4f} | {regret_before:.4f} | {low:+.4f} to {high:+.4f} |"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Search, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failures", description=__doc__)
    parser.add_argument("--samplers", default="process,tpe,portfolio")
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--trainings", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    samplers, problems = options.samplers.split(","), options.problems.split(",")
    if unknown := sorted(set(problems) - set(PROBLEMS)):
        raise SystemExit(f"no problem is called {json.dumps(unknown)}; there are {', '.join(PROBLEMS)}")
    for line in lines(samplers, problems, range(options.seeds), options.trainings, options.jobs):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
