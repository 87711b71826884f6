"""One search of one problem by one optimiser, and the file of all that were run: a JSON line each."""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.json_lines import lines
from benchmarks.optimiser import Maker
from benchmarks.problem import Problem


@dataclass(frozen=True)
class Run:
    """A search that was run. `incumbents[i]` is the true loss of the best configuration after i + 1 trainings.

    The incumbent is the best by OBSERVED losses, so that picking a lucky noisy training costs. `cpu_seconds` is the
    optimiser's own time, in this process.
    """

    optimiser: str
    problem: str
    seed: int
    parallel: int
    incumbents: tuple[float, ...]
    cpu_seconds: float

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.optimiser, self.problem, self.seed, self.parallel


def run(name: str, maker: Maker, problem: Problem, seed: int, *, trainings: int, parallel: int = 1) -> Run:
    """Search the problem with `trainings` trainings, `parallel` of them at once."""
    began = time.process_time()
    optimiser = maker(problem.space, seed, trainings)
    spent = time.process_time() - began
    best = (math.inf, math.inf)
    incumbents: list[float] = []
    while len(incumbents) < trainings:
        began = time.process_time()
        asked = optimiser.ask(min(parallel, trainings - len(incumbents)))
        spent += time.process_time() - began
        results = []
        for values in asked:
            text = json.dumps(values, sort_keys=True)
            # Trained twice with one seed, a configuration gives one loss: the optimiser's order does not matter.
            training = problem.train(values, np.random.default_rng([seed, zlib.crc32(text.encode())]))
            results.append((values, training.observed))
            if training.observed < best[0]:
                best = (training.observed, training.true)
            incumbents.append(best[1])
        began = time.process_time()
        optimiser.tell(results)
        spent += time.process_time() - began
    return Run(name, problem.name, seed, parallel, tuple(incumbents), round(spent, 3))


def read(path: Path) -> Iterator[Run]:
    """The runs of a file; none where it does not exist."""
    for stored in lines(path):
        yield Run(**{**stored, "incumbents": tuple(stored["incumbents"])})
