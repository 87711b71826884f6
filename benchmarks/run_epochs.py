"""`python -m benchmarks.run_epochs --tables FOLDER --results FOLDER` runs what is missing and prints the report.

It is for searches with short trainings, on the tables that hold learning curves. Every finished search is a line of
`epoch_runs.jsonl` in the folder of results; what has a line is not run again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.epoch_peers import PEERS
from benchmarks.epoch_report import tables
from benchmarks.epoch_running import read, run
from benchmarks.epoch_searches import Maker, our_study, ours
from benchmarks.json_lines import append
from benchmarks.peers import not_installed
from benchmarks.run import names_in, seeds_in
from benchmarks.scores import reference
from benchmarks.tables import Table

_BEHIND = "; behind the name of a study :stop for resume: stop, and settings of its sampler, such as :draws=256"

_BEHIND = "behind a study's name :stop for resume: stop, and settings of its sampler, such as :draws=256"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and report."""
    options = _parser().parse_args(arguments)
    results: Path = options.results / "epoch_runs.jsonl"
    problems = _problems(options.tables, options.problems)
    makers = _makers(options.searches, options.workers)
    done = {one.key for one in read(results) if one.trainings >= options.trainings}
    for seed in options.seeds:
        for problem in problems:
            for name, maker in makers.items():
                if (name, problem.name, seed, options.workers) not in done:
                    append(results, run(name, maker, problem, seed, options.trainings, workers=options.workers))
    references = {problem.name: reference(problem, options.results) for problem in problems}
    wanted = [one for one in read(results) if one.seed in options.seeds and one.workers == options.workers]
    print(tables(wanted, references, options.yardstick))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run_epochs", description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="the folder of recorded tables, *.npz")
    parser.add_argument("--results", type=Path, required=True, help="the folder that holds epoch_runs.jsonl")
    parser.add_argument(
        "--problems", type=names_in, default=[], help="comma-separated; all with curves if none is named"
    )
    known = ", ".join(_known())
    parser.add_argument("--searches", type=names_in, default=["random"], help=f"comma-separated: {known}; {_BEHIND}")
    parser.add_argument("--seeds", type=seeds_in, default=range(30), help="first-last, such as 0-29")
    parser.add_argument("--trainings", type=float, default=20, help="full trainings whose epochs a search has")
    parser.add_argument("--workers", type=int, default=1, help="trainings at once, on a simulated clock; studies only")
    parser.add_argument("--yardstick", default="asha_tpe", help="the search that ratios refer to")
    return parser


def _known() -> list[str]:
    return [*PEERS, *ours()]


def _problems(folder: Path, names: Sequence[str]) -> list[Table]:
    paths = {path.stem: path for path in sorted(folder.glob("*.npz"))}
    if unknown := [name for name in names if name not in paths]:
        raise SystemExit(f"no table is called {', '.join(unknown)}; there are {', '.join(paths)}")
    problems = [problem for name in names or paths if (problem := Table(paths[name])).epochs]
    if not problems:
        raise SystemExit(f"no table in {folder} holds learning curves")
    return problems


def _makers(names: Sequence[str], workers: int) -> dict[str, Maker]:
    makers: dict[str, Maker] = {}
    for name in names:
        if name not in PEERS:
            try:
                makers[name] = our_study(name)
            except ValueError as error:
                raise SystemExit(f"{error}; there are {', '.join(_known())}") from None
        elif workers > 1:
            raise SystemExit(f"{name} has one worker; with --workers {workers} there are {', '.join(ours())}")
        elif missing := not_installed(PEERS[name][0]):
            print(f"{name} is skipped: it needs {' and '.join(missing)}, not installed here", file=sys.stderr)
        else:
            makers[name] = PEERS[name][1]
    return makers


if __name__ == "__main__":
    sys.exit(main())
