"""`python -m benchmarks.earlier_searches --tables FOLDER --results FOLDER`: what a warm start saves, or costs.

A search of a table begins with a search of 50 trainings of another table with the same parameters (sibling), with one
of its own table whose losses have the wrong sign (negated), with its sibling's in a random order (shuffled), or with
nothing. Ours gets it as `warm_start` does; Optuna gets its trials added to its study. Searches at equal seeds are
compared. Finished searches are lines of `earlier.jsonl` in the folder of results, and are not repeated.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from automl.problem.search_space import SearchSpace
from automl.search.algorithms import SAMPLERS
from automl.search.earlier_search import EarlierSearch, ranks_of
from benchmarks.json_lines import append, lines
from benchmarks.optimiser import Maker, Optimiser, OurSampler, our_sampler
from benchmarks.peers import PEERS, Optuna, missing_libraries
from benchmarks.problem import Array, Problem, Values
from benchmarks.run import names_in, seeds_in
from benchmarks.running import run
from benchmarks.scores import ratio as ratio_of_scores
from benchmarks.scores import reference, share_no_worse
from benchmarks.tables import Table

KINDS = ("none", "sibling", "negated", "shuffled")
OF_SIBLINGS = ("sibling", "shuffled")  # the others begin with nothing of another table
LENGTH = 50  # trainings of an earlier search
TOP = 0.02  # the share of all configurations that is to be reached
_PEERS = ("optuna_tpe_begun", "optuna_gp_begun", "optuna_turns")
_RESAMPLES = 2000
Results: TypeAlias = tuple[tuple[Values, float], ...]


class Search(NamedTuple):
    """What is searched by what, what was searched before, and how the search begins with it."""

    optimiser: str
    problem: str
    source: str
    kind: str
    seed: int


@dataclass(frozen=True)
class WarmRun:
    """A search of `problem` that began with one of `source`. `shares[i]` is that of random configurations which are
    no worse than the best after i + 1 trainings."""

    optimiser: str
    problem: str
    source: str
    kind: str
    seed: int
    shares: tuple[float, ...]

    @property
    def key(self) -> Search:
        return Search(self.optimiser, self.problem, self.source, self.kind, self.seed)

    def trainings_to(self, share: float) -> int:
        """The trainings until the best is among this share of all; one more than there were, if it never is."""
        return next((count for count, each in enumerate(self.shares, 1) if each <= share), len(self.shares) + 1)


# By what is searched and what was searched before.
Pairs: TypeAlias = dict[tuple[str, str], list[WarmRun]]


def siblings(tables: Sequence[Table]) -> list[tuple[Table, Table]]:
    """Every two tables with the same parameters: what is searched, and what was searched before."""
    return [(one, other) for one in tables for other in tables if one is not other and one.space == other.space]


@lru_cache(maxsize=1000)
def earlier_results(table: Table, seed: int) -> Results:
    """A search of the table by our default sampler, in the order of its trainings."""
    optimiser = our_sampler("portfolio")(table.space, 10_000 + seed, LENGTH)
    results: list[tuple[Values, float]] = []
    for number in range(LENGTH):
        (values,) = optimiser.ask(1)
        results.append((values, table.train(values, np.random.default_rng([seed, number])).observed))
        optimiser.tell(results[-1:])
    return tuple(results)


def history(problem: Table, source: Table, kind: str, seed: int) -> Results:
    """What a search begins with."""
    if kind == "none":
        return ()
    if kind == "negated":
        return tuple((values, -loss) for values, loss in earlier_results(problem, seed))
    results = earlier_results(source, seed)
    if kind == "sibling":
        return results
    losses = np.random.default_rng([seed, 1]).permutation([loss for _, loss in results]).tolist()
    return tuple((values, loss) for (values, _), loss in zip(results, losses, strict=True))


def maker(name: str, results: Results) -> Maker:
    """Makes the optimiser of that name, which knows these results of another search."""

    def of_ours(space: SearchSpace, seed: int, total: int) -> Optimiser:
        return OurSampler(name.removeprefix("ours:"), space, seed, total, earlier=(as_earlier(space, results),))

    def of_optuna(space: SearchSpace, seed: int, total: int) -> Optimiser:
        optimiser = PEERS[name][1](space, seed, total)
        assert isinstance(optimiser, Optuna), "the others take no trials of another search"
        optimiser.add(results)
        return optimiser

    if not results:
        return our_sampler(name.removeprefix("ours:")) if name.startswith("ours:") else PEERS[name][1]
    return of_ours if name.startswith("ours:") else of_optuna


def as_earlier(space: SearchSpace, results: Results) -> EarlierSearch:
    """Results of another search as `warm_start` gives them to a sampler."""
    names = tuple(parameter.name for parameter in space.parameters)
    losses = [loss for _, loss in results]
    ranks = ranks_of([-loss for loss in losses])
    return EarlierSearch(
        "earlier", "a table", len(results), names, (), tuple(v for v, _ in results), ranks, tuple(losses)
    )


def searched(search: Search, tables: Mapping[str, Table], trainings: int, losses: Array) -> WarmRun:
    """One search. `losses` are the sorted ones that shares refer to."""
    problem, source = tables[search.problem], tables[search.source]
    results = history(problem, source, search.kind, search.seed)
    with threadpool_limits(limits=1):
        done = run(search.optimiser, maker(search.optimiser, results), problem, search.seed, trainings=trainings)
    shares = tuple(round(share_no_worse(losses, loss), 7) for loss in done.incumbents)
    return WarmRun(*search, shares)


def ratio(warm: Sequence[Sequence[float]], cold: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """The ratio of two means over pairs of tables, and its 68 % bootstrap interval, seeds drawn together."""
    rng = np.random.default_rng(0)
    one, other = [], []
    for ours, theirs in zip(warm, cold, strict=True):
        draws = rng.integers(len(ours), size=(_RESAMPLES, len(ours)))
        one.append(np.asarray(ours, dtype=float)[draws].mean(axis=1))
        other.append(np.asarray(theirs, dtype=float)[draws].mean(axis=1))
    low, high = np.quantile(np.mean(one, axis=0) / np.mean(other, axis=0), (0.16, 0.84))
    middle = np.mean([np.mean(each) for each in warm]) / np.mean([np.mean(each) for each in cold])
    return float(middle), float(low), float(high)


def report(runs: Sequence[WarmRun]) -> Iterator[str]:
    """A line of a table for each optimiser and kind, with 68 % bootstrap intervals.

    What a search begins with is compared with nothing at equal seeds and tables.
    """
    longest = max(len(one.shares) for one in runs)
    middle = min(10, longest)
    yield (
        f"| search | begins with | trainings to the top {TOP:.0%} | reached | compared with none | "
        f"ratio of rte@{middle} | ratio of rte@{longest} | runs |"
    )
    yield "|" + "---|" * 8
    for name in dict.fromkeys(one.optimiser for one in runs):
        without = _by_pair(runs, name, "none")
        for kind in KINDS:
            mine = {pair: each for pair, each in _by_pair(runs, name, kind).items() if (pair[0], pair[0]) in without}
            if mine:
                yield f"| {name} | {kind} | {_compared(mine, without, (middle, longest))} |"


def _compared(mine: Pairs, without: Pairs, counts: tuple[int, int]) -> str:
    """The cells of a line after its names. `without` are the searches that began with nothing."""
    warm: Pairs = {}
    cold: Pairs = {}
    for pair, each in mine.items():
        of_seed = {one.seed: one for one in without[pair[0], pair[0]]}
        warm[pair] = [one for one in each if one.seed in of_seed]
        cold[pair] = [of_seed[one.seed] for one in warm[pair]]
    reached, before = ([[one.trainings_to(TOP) for one in each] for each in side.values()] for side in (warm, cold))
    change, low, high = ratio(reached, before)
    every = [one for each in warm.values() for one in each]
    share = np.mean([one.trainings_to(TOP) <= counts[1] for one in every])
    scores = []
    for count in counts:
        ours, theirs = (
            {str(pair): [one.shares[count - 1] for one in each] for pair, each in side.items()} for side in (warm, cold)
        )
        score = ratio_of_scores(ours, theirs)
        scores.append(f"{score.mean:.2f} ({score.low:.2f}-{score.high:.2f})")
    return (
        f"{np.mean([np.mean(each) for each in reached]):.1f} | {share:.0%} | "
        f"{change - 1:+.0%} ({low - 1:+.0%} to {high - 1:+.0%}) | {' | '.join(scores)} | {len(every)}"
    )


def _by_pair(runs: Sequence[WarmRun], name: str, kind: str) -> Pairs:
    """The runs of an optimiser by what was searched and what before, seeds in order."""
    pairs: Pairs = {}
    for one in sorted(runs, key=lambda each: each.key):
        if one.optimiser == name and one.kind == kind:
            pairs.setdefault((one.problem, one.source), []).append(one)
    return pairs


def main(arguments: Sequence[str] | None = None) -> int:
    """Search, and print the table."""
    options = _parser().parse_args(arguments)
    stored: Path = options.results / "earlier.jsonl"
    names = [name for name in options.optimisers if _is_usable(name)]
    tables = [Table(path) for path in sorted(options.tables.glob("*.npz"))]
    pairs = [pair for pair in siblings(tables) if not options.problems or pair[0].name in options.problems]
    pairs = [pair for pair in pairs if not options.sources or pair[1].name in options.sources]
    runs = [WarmRun(**{**line, "shares": tuple(line["shares"])}) for line in lines(stored)]
    done = {one.key: one for one in runs if len(one.shares) >= options.trainings}
    wanted: dict[Search, WarmRun] = {}
    by_name = {table.name: table for table in tables}
    losses = {
        table.name: reference(table, options.results) for table in {pair[0].name: pair[0] for pair in pairs}.values()
    }
    for name in sorted(losses):
        if share_no_worse(losses[name], _of_defaults(by_name[name])) <= TOP:
            print(f"{name} is left out: its defaults are among the top {TOP:.0%}", file=sys.stderr)
            pairs = [pair for pair in pairs if pair[0].name != name]
    for seed, (problem, source), name, kind in product(options.seeds, pairs, names, options.kinds):
        before = source if kind in OF_SIBLINGS else problem
        key = Search(name, problem.name, before.name, kind, seed)
        if key not in done:
            done[key] = searched(key, by_name, options.trainings, losses[problem.name])
            append(stored, done[key])
        wanted[key] = replace(done[key], shares=done[key].shares[: options.trainings])
    for line in report(list(wanted.values())):
        print(line)
    return 0


def _of_defaults(problem: Problem) -> float:
    values = problem.space.defaults()
    return problem.train(values, np.random.default_rng(zlib.crc32(problem.name.encode()))).true


def _is_usable(name: str) -> bool:
    known = [*(f"ours:{sampler}" for sampler, row in SAMPLERS.items() if row.warms), *_PEERS]
    if name not in known:
        raise SystemExit(f"no optimiser that takes earlier trials is called {name}; there are {', '.join(known)}")
    missing = () if name.startswith("ours:") else missing_libraries(name)
    if missing:
        print(f"{name} is skipped: it needs {' and '.join(missing)}, not installed here", file=sys.stderr)
    return not missing


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.earlier_searches", description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="the folder of recorded tables, *.npz")
    parser.add_argument("--results", type=Path, required=True, help="the folder that holds earlier.jsonl")
    parser.add_argument("--problems", type=names_in, default=[], help="comma-separated: what is searched; default: all")
    parser.add_argument("--sources", type=names_in, default=[], help="comma-separated: what was before; default: all")
    parser.add_argument("--optimisers", type=names_in, default=["ours:portfolio"], help="comma-separated")
    parser.add_argument("--kinds", type=names_in, default=list(KINDS), help=f"comma-separated: {', '.join(KINDS)}")
    parser.add_argument("--seeds", type=seeds_in, default=range(10), help="first-last, such as 0-9")
    parser.add_argument("--trainings", type=int, default=30, help="trainings of a search")
    return parser


if __name__ == "__main__":
    sys.exit(main())
