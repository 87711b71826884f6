"""One search of one problem where trainings may be short, and the file of all that were run: a JSON line each."""

from __future__ import annotations

import heapq
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.epoch_searches import Asked, Maker
from benchmarks.json_lines import lines
from benchmarks.tables import Table


@dataclass(frozen=True)
class EpochRun:
    """A search that was run. `best` holds (epochs spent so far, loss) wherever the best loss seen became better.

    `epochs` are those of a full training, and `trainings` how many of them the search could spend. `cpu_seconds` is the
    search's own time, `proposals` how often it was asked, and `slowest` the seconds of the slowest answer. Of several
    `workers` the epochs of all count, from the begin on.
    """

    search: str
    problem: str
    seed: int
    epochs: int
    trainings: float
    best: tuple[tuple[int, float], ...]
    cpu_seconds: float
    proposals: int
    slowest: float
    workers: int = 1

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.search, self.problem, self.seed, self.workers

    def after(self, trainings: float) -> float:
        """The best loss seen after the epochs of so many full trainings; infinity where none has ended."""
        return next((loss for spent, loss in reversed(self.best) if spent <= trainings * self.epochs), math.inf)

    def reaches(self, loss: float) -> float:
        """How many full trainings' worth of epochs it takes to a loss as good as this; infinity where it never is."""
        return next((spent / self.epochs for spent, seen in self.best if seen <= loss + 1e-9), math.inf)


def run(name: str, maker: Maker, problem: Table, seed: int, trainings: float, *, workers: int = 1) -> EpochRun:
    """Search the problem with the epochs of so many full trainings. Trainings go on from where they ended.

    Several workers train on a simulated clock on which all epochs are equally long and nothing waits for an answer.
    """
    began = time.process_time()
    search = maker(problem.space, problem.epochs, seed, trainings)
    spent = time.process_time() - began
    trained: dict[str, int] = {}
    training: list[tuple[int, int, Asked]] = []  # when it ends, its number, what it is
    now, proposals, slowest = 0, 0, 0.0
    best: list[tuple[int, float]] = []
    while True:
        while len(training) < workers and now * workers < trainings * problem.epochs:
            began = time.process_time()
            asked = search.ask()
            slowest = max(slowest, time.process_time() - began)
            spent += time.process_time() - began
            proposals += 1
            if asked is None:
                break
            configuration = json.dumps(asked.values, sort_keys=True)
            before = trained.get(configuration, 0)
            trained[configuration] = max(before, asked.epochs)
            heapq.heappush(training, (now + max(0, asked.epochs - before), proposals, asked))
        if not training:
            break
        now, _, asked = heapq.heappop(training)
        curve = problem.curve(asked.values)
        loss = float(curve[: asked.epochs].min())
        if not best or loss < best[-1][1]:
            best.append((now * workers, loss))
        began = time.process_time()
        search.tell(asked, curve)
        spent += time.process_time() - began
    cpu = round(spent, 3), proposals, round(slowest, 3)
    return EpochRun(name, problem.name, seed, problem.epochs, trainings, tuple(best), *cpu, workers)


def read(path: Path) -> Iterator[EpochRun]:
    """The runs of a file; none where it does not exist."""
    for stored in lines(path):
        yield EpochRun(**{**stored, "best": tuple((spent, loss) for spent, loss in stored["best"])})
