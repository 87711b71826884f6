"""`python -m benchmarks.run --tables FOLDER --results FOLDER` runs what is missing and prints the report.

Every finished search is a line of `runs.jsonl` in the folder of results; what has a line is not run again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from automl.search.algorithms import SAMPLERS
from benchmarks.functions import FUNCTIONS
from benchmarks.json_lines import append
from benchmarks.optimiser import Maker, our_sampler
from benchmarks.peers import PEERS, missing_libraries
from benchmarks.problem import Problem
from benchmarks.report import tables
from benchmarks.running import read, run
from benchmarks.scores import reference
from benchmarks.tables import Table


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report."""
    options = _parser().parse_args(arguments)
    results: Path = options.results / "runs.jsonl"
    problems = _problems(options.tables, options.problems)
    makers = _makers(options.optimisers)
    done = {one.key for one in read(results) if len(one.incumbents) >= options.trainings}
    for seed in options.seeds:
        for problem in problems:
            for name, maker in makers.items():
                if (name, problem.name, seed, options.parallel) not in done:
                    append(
                        results, run(name, maker, problem, seed, trainings=options.trainings, parallel=options.parallel)
                    )
    references = {problem.name: reference(problem, options.results) for problem in problems}
    print(tables(read(results), references, options.parallel, options.yardstick))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--tables", type=Path, help="the folder of recorded tables, *.npz; without it functions alone")
    parser.add_argument("--results", type=Path, required=True, help="the folder that holds runs.jsonl")
    parser.add_argument("--problems", type=names_in, default=[], help="comma-separated; all where none is named")
    parser.add_argument(
        "--optimisers", type=names_in, default=["random"], help="comma-separated: " + ", ".join(_known())
    )
    parser.add_argument("--seeds", type=seeds_in, default=range(30), help="first-last, such as 0-29")
    parser.add_argument("--trainings", type=int, default=50, help="trainings of a search")
    parser.add_argument("--parallel", type=int, default=1, help="trainings at once")
    parser.add_argument("--yardstick", default="optuna_turns", help="the optimiser that ratios refer to")
    return parser


def names_in(text: str) -> list[str]:
    """Names that commas part."""
    return [name for name in text.split(",") if name]


def seeds_in(text: str) -> range:
    """Seeds given as first-last."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _known() -> list[str]:
    return [*(f"ours:{name}" for name in SAMPLERS), *PEERS]


def _problems(folder: Path | None, names: Sequence[str]) -> list[Problem]:
    paths = {path.stem: path for path in sorted(folder.glob("*.npz"))} if folder else {}
    known = [*paths, *FUNCTIONS]
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"no problem is called {', '.join(unknown)}; there are {', '.join(known)}")
    return [Table(paths[name]) if name in paths else FUNCTIONS[name] for name in names or known]


def _makers(names: Sequence[str]) -> dict[str, Maker]:
    makers: dict[str, Maker] = {}
    for name in names:
        if name not in _known():
            raise SystemExit(f"no optimiser is called {name}; there are {', '.join(_known())}")
        if name.startswith("ours:"):
            makers[name] = our_sampler(name.removeprefix("ours:"))
        elif missing := missing_libraries(name):
            print(f"{name} is skipped: it needs {' and '.join(missing)}, not installed here", file=sys.stderr)
        else:
            makers[name] = PEERS[name][1]
    return makers


if __name__ == "__main__":
    sys.exit(main())
