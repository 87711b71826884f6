"""`python -m benchmarks.run_trade_offs --results FOLDER` compares searches of several losses, and prints the report.

A search is judged by the hypervolume of what it has trained, below the reference of the problem. Every finished one is
a line of `trade_offs.jsonl` in the folder of results; what has a line is not run again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from automl.problem.search_space import SearchSpace
from automl.search.algorithms import SAMPLERS, NamedSampler
from automl.search.pareto import hypervolume
from automl.search.samplers.base import Request, Trial
from benchmarks.json_lines import append, lines
from benchmarks.peers import not_installed, optuna_distribution, plain
from benchmarks.problem import Values
from benchmarks.run import names_in, seeds_in
from benchmarks.table_trade_offs import of_tables
from benchmarks.trade_off_functions import TRADE_OFFS, Losses, TradeOff


class Search(Protocol):
    """Proposes one configuration after the other and learns from its losses."""

    def ask(self) -> dict[str, Any]: ...

    def tell(self, values: Values, losses: Losses) -> None: ...


@dataclass
class OurSearch:
    """A sampler of ours, asked as the brain asks it: the defaults first, then its own proposals."""

    sampler: str
    space: SearchSpace
    seed: int
    total: int
    _trials: list[Trial] = field(default_factory=list)

    def ask(self) -> dict[str, Any]:
        issued = len(self._trials)
        if not issued:
            return dict(self.space.defaults())
        request = Request(1, issued - 1, self.total - 1, (self.seed, 0, issued), (self.space.defaults(),))
        return NamedSampler(self.sampler).propose(self.space, self._trials, request)[0].values

    def tell(self, values: Values, losses: Losses) -> None:
        self._trials.append(Trial(values, -losses[0], scores=tuple(-loss for loss in losses)))


class OptunaSearch:
    """A sampler of Optuna, the space's defaults first."""

    def __init__(self, space: SearchSpace, sampler: Any, objectives: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._distributions = {p.name: optuna_distribution(p) for p in space.parameters}
        self._study = optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)
        self._study.enqueue_trial(space.defaults())
        self._open: Any = None

    def ask(self) -> dict[str, Any]:
        self._open = self._study.ask(self._distributions)
        return {name: plain(value) for name, value in self._open.params.items()}

    def tell(self, values: Values, losses: Losses) -> None:  # noqa: ARG002 - Optuna knows what it asked for
        self._study.tell(self._open, list(losses))


_OPTUNA = {"optuna_nsga2": "NSGAIISampler", "optuna_motpe": "TPESampler", "optuna_gp": "GPSampler"}
_NEEDS = {name: ("optuna", "torch") if name == "optuna_gp" else ("optuna",) for name in _OPTUNA}
OURS = tuple(f"ours:{name}" for name, row in SAMPLERS.items() if row.several or name == "uniform")


def search_of(name: str, problem: TradeOff, seed: int, trainings: int) -> Search:
    """A search of a problem by an optimiser of this name."""
    if name.startswith("ours:"):
        return OurSearch(name.removeprefix("ours:"), problem.space, seed, trainings)
    import optuna

    sampler = getattr(optuna.samplers, _OPTUNA[name])(seed=seed)
    return OptunaSearch(problem.space, sampler, len(problem.reference))


@dataclass(frozen=True)
class TradeOffRun:
    """A search that was run: the hypervolume after each training, and the optimiser's own seconds."""

    optimiser: str
    problem: str
    seed: int
    volumes: tuple[float, ...]
    cpu_seconds: float


def run(name: str, problem: TradeOff, seed: int, trainings: int) -> TradeOffRun:
    """One search of one problem."""
    search, losses, volumes, spent = search_of(name, problem, seed, trainings), list[Losses](), list[float](), 0.0
    for _ in range(trainings):
        began = time.process_time()
        values = search.ask()
        spent += time.process_time() - began
        losses.append(problem.losses(values))
        began = time.process_time()
        search.tell(values, losses[-1])
        spent += time.process_time() - began
        volumes.append(hypervolume(losses, problem.reference))
    return TradeOffRun(name, problem.name, seed, tuple(volumes), round(spent, 3))


def read(path: Path) -> Iterator[TradeOffRun]:
    """The runs of a file; none where it does not exist."""
    for stored in lines(path):
        yield TradeOffRun(**{**stored, "volumes": tuple(stored["volumes"])})


def table(runs: Sequence[TradeOffRun], trainings: int, problems: Mapping[str, TradeOff]) -> str:
    """The mean hypervolume of each optimiser on each problem, and the ratio to the best of Optuna's there.

    Beside it are the highest possible ratio, and how much of what Optuna's best leaves to be gained ours has gained.
    """
    by: dict[str, dict[str, list[TradeOffRun]]] = {}
    for one in runs:
        by.setdefault(one.problem, {}).setdefault(one.optimiser, []).append(one)
    names = sorted({one.optimiser for one in runs})
    rows = [["problem", *names, "searches", "ours / Optuna's", "at most", "gained"]]
    for problem, of_problem in by.items():
        means = {name: _mean(of_problem[name], trainings) for name in of_problem}
        counts = sorted({len(of_problem[name]) for name in of_problem})
        searches = "-".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
        values = [f"{means[name]:.4f}" if name in means else "-" for name in names]
        rows.append([problem, *values, searches, *_ratios(means, problems[problem].highest())])
    seconds = {name: statistics.fmean(one.cpu_seconds for one in runs if one.optimiser == name) for name in names}
    rows.append(["seconds a search", *(f"{seconds[name]:.1f}" for name in names), "", "", "", ""])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _mean(runs: Sequence[TradeOffRun], trainings: int) -> float:
    return statistics.fmean(one.volumes[trainings - 1] for one in runs if len(one.volumes) >= trainings)


def _ratios(means: Mapping[str, float], most: float) -> tuple[str, str, str]:
    ours = [value for name, value in means.items() if name.startswith("ours:")]
    theirs = [value for name, value in means.items() if name in _OPTUNA]
    if not ours or not theirs or max(theirs) <= 0:
        return "-", "-", "-"
    gained = (max(ours) - max(theirs)) / (most - max(theirs))
    return f"{max(ours) / max(theirs):.3f}", f"{most / max(theirs):.3f}", f"{gained:.0%}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run_trade_offs", description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="the folder that holds trade_offs.jsonl")
    parser.add_argument("--problems", type=names_in, help="comma-separated; default: all")
    parser.add_argument("--tables", type=Path, help="a folder of recorded tables, *.npz, which are problems too")
    known = [*OURS, *_OPTUNA]
    parser.add_argument("--optimisers", type=names_in, default=known, help="comma-separated: " + ", ".join(known))
    parser.add_argument("--seeds", type=seeds_in, default=range(30), help="first-last, such as 0-29")
    parser.add_argument("--trainings", type=int, default=50, help="trainings of a search")
    options = parser.parse_args(arguments)
    problems = {**TRADE_OFFS, **(of_tables(options.tables) if options.tables else {})}
    chosen = options.problems or list(problems)
    for given, names in ((chosen, list(problems)), (options.optimisers, known)):
        if unknown := [name for name in given if name not in names]:
            raise SystemExit(f"nothing is called {', '.join(unknown)}; there are {', '.join(names)}")
    path: Path = options.results / "trade_offs.jsonl"
    done = {(one.optimiser, one.problem, one.seed) for one in read(path) if len(one.volumes) >= options.trainings}
    for seed in options.seeds:
        for problem in chosen:
            for name in options.optimisers:
                if missing := not_installed(_NEEDS.get(name, ())):
                    print(f"{name} is skipped: it needs {' and '.join(missing)}", file=sys.stderr)
                elif (name, problem, seed) not in done:
                    append(path, run(name, problems[problem], seed, options.trainings))
    runs = [one for one in read(path) if one.problem in chosen and one.optimiser in options.optimisers]
    print(table(runs, options.trainings, problems))
    return 0


if __name__ == "__main__":
    sys.exit(main())
