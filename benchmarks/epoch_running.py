"""One search of one problem where trainings may be short, and the file of all that were run: a JSON line each."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.epoch_searches import Maker
from benchmarks.json_lines import lines
from benchmarks.tables import Table


@dataclass(frozen=True)
class EpochRun:
    """A search that was run. `best` holds (epochs spent so far, loss) wherever the best loss seen became better.

    `epochs` are those of a full training, and `trainings` how many of them the search could spend. `cpu_seconds` is the
    search's own time, `proposals` how often it was asked, and `slowest` the seconds of the slowest answer.
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

    @property
    def key(self) -> tuple[str, str, int]:
        return self.search, self.problem, self.seed

    def after(self, trainings: float) -> float:
        """The best loss seen after the epochs of so many full trainings; infinity where none has ended."""
        return next((loss for spent, loss in reversed(self.best) if spent <= trainings * self.epochs), math.inf)

    def reaches(self, loss: float) -> float:
        """How many full trainings' worth of epochs it takes to a loss as good as this; infinity where it never is."""
        return next((spent / self.epochs for spent, seen in self.best if seen <= loss + 1e-9), math.inf)


def run(name: str, maker: Maker, problem: Table, seed: int, trainings: float) -> EpochRun:
    """Search the problem with the epochs of so many full trainings. Trainings go on from where they ended."""
    began = time.process_time()
    search = maker(problem.space, problem.epochs, seed, trainings)
    spent = time.process_time() - began
    trained: dict[str, int] = {}
    used, proposals, slowest = 0, 0, 0.0
    best: list[tuple[int, float]] = []
    while used < trainings * problem.epochs:
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
        used += max(0, asked.epochs - before)
        curve = problem.curve(asked.values)
        loss = float(curve[: asked.epochs].min())
        if not best or loss < best[-1][1]:
            best.append((used, loss))
        began = time.process_time()
        search.tell(asked, curve)
        spent += time.process_time() - began
    return EpochRun(
        name, problem.name, seed, problem.epochs, trainings, tuple(best), round(spent, 3), proposals, round(slowest, 3)
    )


def read(path: Path) -> Iterator[EpochRun]:
    """The runs of a file; none where it does not exist."""
    for stored in lines(path):
        yield EpochRun(**{**stored, "best": tuple((spent, loss) for spent, loss in stored["best"])})
