"""Runs as Markdown tables: the scores over all problems, the ratio to a yardstick, and every problem by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.problem import Array
from benchmarks.running import Run
from benchmarks.scores import Score, equivalents, mean_score, ratio, share_no_worse

CHECKPOINTS = (10, 20, 50)
Shares = dict[str, dict[int, float]]  # problem -> seed -> the share of the incumbent


def tables(runs: Iterable[Run], references: Mapping[str, Array], parallel: int, yardstick: str) -> str:
    """The report on the runs with `parallel` trainings at once."""
    chosen = [one for one in runs if one.parallel == parallel and one.problem in references]
    names = sorted({one.optimiser for one in chosen})
    lines = [f"## {parallel} at once" if parallel > 1 else "## One at a time", ""]
    shares = {
        (name, checkpoint): _shares(chosen, name, checkpoint, references)
        for name in names
        for checkpoint in CHECKPOINTS
    }
    lines += _summary(chosen, names, shares, yardstick)
    for checkpoint in CHECKPOINTS:
        if any(shares[name, checkpoint] for name in names):
            lines += _per_problem(names, shares, checkpoint)
    return "\n".join(lines) + "\n"


def _shares(runs: Sequence[Run], name: str, checkpoint: int, references: Mapping[str, Array]) -> Shares:
    shares: Shares = {}
    for one in runs:
        if one.optimiser == name and len(one.incumbents) >= checkpoint:
            share = share_no_worse(references[one.problem], one.incumbents[checkpoint - 1])
            shares.setdefault(one.problem, {})[one.seed] = share
    return shares


def _summary(
    runs: Sequence[Run], names: Sequence[str], shares: Mapping[tuple[str, int], Shares], yardstick: str
) -> list[str]:
    head = "".join(f" rte@{checkpoint} | ratio to {yardstick} |" for checkpoint in CHECKPOINTS)
    lines = [f"| optimiser |{head} problems | CPU s a search |", "|---" * (2 * len(CHECKPOINTS) + 3) + "|"]
    for name in names:
        own = [one for one in runs if one.optimiser == name]
        cells = []
        for checkpoint in CHECKPOINTS:
            mine, theirs = shares[name, checkpoint], shares.get((yardstick, checkpoint), {})
            cells.append(_words(mean_score({p: list(s.values()) for p, s in mine.items()})) if mine else "-")
            cells.append(_paired(mine, theirs) if name != yardstick else "-")
        seconds = sum(one.cpu_seconds for one in own) / len(own)
        cells += [str(len({one.problem for one in own})), f"{seconds:.2f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _paired(mine: Shares, theirs: Shares) -> str:
    """The ratio at equal seeds: over the problems and seeds that both have."""
    pairs = {p: sorted(mine[p].keys() & theirs[p].keys()) for p in mine if p in theirs}
    pairs = {p: seeds for p, seeds in pairs.items() if seeds}
    if not pairs:
        return "-"
    ours = {p: [mine[p][seed] for seed in seeds] for p, seeds in pairs.items()}
    others = {p: [theirs[p][seed] for seed in seeds] for p, seeds in pairs.items()}
    score = ratio(ours, others)
    return f"{score.mean:.2f} ({score.low:.2f}-{score.high:.2f}; {score.runs})"


def _per_problem(names: Sequence[str], shares: Mapping[tuple[str, int], Shares], checkpoint: int) -> list[str]:
    present = [name for name in names if shares[name, checkpoint]]
    problems = sorted({problem for name in present for problem in shares[name, checkpoint]})
    lines = [f"### rte@{checkpoint} of every problem", "", f"| problem | {' | '.join(present)} |"]
    lines.append("|---" * (len(present) + 1) + "|")
    for problem in problems:
        cells = []
        for name in present:
            runs = list(shares[name, checkpoint].get(problem, {}).values())
            cells.append(f"{equivalents(runs):.0f} ({len(runs)})" if runs else "-")
        lines.append(f"| {problem} | {' | '.join(cells)} |")
    return [*lines, ""]


def _words(score: Score) -> str:
    return f"{score.mean:.0f} ({score.low:.0f}-{score.high:.0f}; {score.runs})"
