"""Searches with short trainings as Markdown tables: how soon they find what is good, and how good that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import numpy as np

from benchmarks.epoch_running import EpochRun
from benchmarks.problem import Array
from benchmarks.scores import mean_score, ratio, share_no_worse

CHECKPOINTS = (5, 10, 20)
TOP = 0.02
_ALL = "all"
_RESAMPLES, _QUANTILES = 1000, (0.16, 0.84)
Groups = dict[str, dict[int, EpochRun]]  # problem -> seed -> run


def tables(runs: Iterable[EpochRun], references: Mapping[str, Array], yardstick: str) -> str:
    """The report on these runs."""
    searches: dict[str, Groups] = {}
    for one in runs:
        if one.problem in references:
            searches.setdefault(one.search, {}).setdefault(one.problem, {})[one.seed] = one
    tops = {problem: float(np.quantile(losses, TOP)) for problem, losses in references.items()}
    lines = [
        "| search | full trainings to the top 2 % | reached | ratio to "
        f"{yardstick} | {' | '.join(f'rte@{checkpoint}' for checkpoint in CHECKPOINTS)} | runs | CPU ms a proposal |",
        "|---" * (len(CHECKPOINTS) + 6) + "|",
    ]
    lines += [_row(name, searches, references, tops, yardstick) for name in sorted(searches)]
    for other, checkpoint in product(dict.fromkeys([yardstick, "random"]), CHECKPOINTS):
        if other in searches:
            heading = f"Ratio of rte@{checkpoint} to {other}, by problem, at equal seeds:"
            lines += ["", heading, "", *_beside(other, searches, references, checkpoint)]
    return "\n".join(lines) + "\n"


def _row(
    name: str,
    searches: Mapping[str, Groups],
    references: Mapping[str, Array],
    tops: Mapping[str, float],
    yardstick: str,
) -> str:
    groups = searches[name]
    runs = [one for seeds in groups.values() for one in seeds.values()]
    takes = [one.reaches(tops[one.problem]) for one in runs]
    low, high = _interval(takes)
    cells = [f"{np.median(takes):.1f} ({low:.1f}-{high:.1f})", f"{np.isfinite(takes).mean():.0%}"]
    cells.append(_faster(groups, searches.get(yardstick, {}), tops) if name != yardstick else "-")
    for checkpoint in CHECKPOINTS:
        long = {p: _shares(seeds.values(), references[p], checkpoint) for p, seeds in groups.items()}
        long = {problem: shares for problem, shares in long.items() if shares}
        score = mean_score(long) if long else None
        cells.append(f"{score.mean:.0f} ({score.low:.0f}-{score.high:.0f})" if score else "-")
    milliseconds = 1000 * sum(one.cpu_seconds for one in runs) / sum(one.proposals for one in runs)
    return f"| {name} | " + " | ".join([*cells, str(len(runs)), f"{milliseconds:.0f}"]) + " |"


def _shares(runs: Iterable[EpochRun], losses: Array, checkpoint: int) -> list[float]:
    return [share_no_worse(losses, one.after(checkpoint)) for one in runs if one.trainings >= checkpoint]


def _interval(takes: Sequence[float]) -> tuple[float, float]:
    """The 68 % bootstrap interval of a median."""
    rng = np.random.default_rng(0)
    drawn = np.median(np.asarray(takes)[rng.integers(len(takes), size=(_RESAMPLES, len(takes)))], axis=1)
    low, high = np.quantile(drawn, _QUANTILES, method="nearest")
    return float(low), float(high)


def _faster(mine: Groups, theirs: Groups, tops: Mapping[str, float]) -> str:
    """The ratio of the medians over the problems and seeds that both have."""
    pairs = [(mine[p][seed], theirs[p][seed]) for p in mine for seed in mine[p] if seed in theirs.get(p, {})]
    if not pairs:
        return "-"
    ours, others = (np.median([one.reaches(tops[one.problem]) for one in side]) for side in zip(*pairs, strict=True))
    if not np.isfinite(others):
        return "-"
    return f"{ours / others:.2f} ({len(pairs)})"


def _beside(other: str, searches: Mapping[str, Groups], references: Mapping[str, Array], checkpoint: int) -> list[str]:
    """A line for each problem, and one for all: the ratio to the other search at equal seeds, with 68 % intervals."""
    names = [name for name in sorted(searches) if name != other]
    columns = [_ratios(searches[name], searches[other], references, checkpoint) for name in names]
    rows = [*sorted(references), _ALL]
    lines = [f"| problem | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    return lines + [f"| {row} | {' | '.join(column.get(row, '-') for column in columns)} |" for row in rows]


def _ratios(mine: Groups, theirs: Groups, references: Mapping[str, Array], checkpoint: int) -> dict[str, str]:
    """The ratios of rte by problem, and that of all, in words; without those that have no seed in common."""
    ours, others = dict[str, list[float]](), dict[str, list[float]]()
    for problem in sorted(mine.keys() & theirs.keys() & references.keys()):
        one, other = mine[problem], theirs[problem]
        seeds = [
            seed
            for seed in sorted(one.keys() & other.keys())
            if min(one[seed].trainings, other[seed].trainings) >= checkpoint
        ]
        if seeds:
            ours[problem] = _shares([one[seed] for seed in seeds], references[problem], checkpoint)
            others[problem] = _shares([other[seed] for seed in seeds], references[problem], checkpoint)
    scores = {problem: ratio({problem: ours[problem]}, {problem: others[problem]}) for problem in ours}
    if scores:
        scores[_ALL] = ratio(ours, others)
    return {row: f"{score.mean:.2f} ({score.low:.2f}-{score.high:.2f})" for row, score in scores.items()}
