"""How good an incumbent is, on a scale that all problems share: random-trial equivalents.

`q` is the share of uniformly random configurations that are no worse than the incumbent, and `rte = 1 / q - 1` the
number of random trials that give the same quality in expectation. Means are geometric: over the seeds of a problem,
then over problems. Intervals are 68 % bootstrap intervals, the seeds of each problem drawn again.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.problem import Array, Problem

_REFERENCES = 50_000  # random configurations that a problem's scores refer to
_SEED = 12345
_RESAMPLES = 1000
_QUANTILES = (0.16, 0.84)


@dataclass(frozen=True)
class Score:
    """A mean of random-trial equivalents, its interval and the number of runs behind it."""

    mean: float
    low: float
    high: float
    runs: int


def reference(problem: Problem, folder: Path) -> Array:
    """The true losses of random configurations, sorted; computed once and kept in `folder`."""
    path = folder / f"reference_{problem.name}.npy"
    if not path.exists():
        rng = np.random.default_rng([_SEED, zlib.crc32(problem.name.encode())])
        columns = {
            parameter.name: [parameter.domain.pick(coordinate) for coordinate in rng.random(_REFERENCES).tolist()]
            for parameter in problem.space.parameters
        }
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, np.sort(problem.true_losses(columns)))
    return np.asarray(np.load(path), dtype=float)


def share_no_worse(losses: Array, loss: float) -> float:
    """The share of random configurations that are no worse than `loss`; never 0, for a sample cannot say that."""
    better = np.searchsorted(losses, loss + 1e-6 * abs(loss) - 1e-9, side="left")
    return float((better + 0.5) / (len(losses) + 1))


def equivalents(shares: Sequence[float]) -> float:
    """The random-trial equivalents of a geometric mean of shares."""
    return 1.0 / math.exp(float(np.mean(np.log(shares)))) - 1.0


def mean_score(shares: Mapping[str, Sequence[float]]) -> Score:
    """The score over problems. `shares` holds for every problem the share of each of its runs."""
    logs = [np.log(runs) for runs in shares.values()]
    rng = np.random.default_rng(0)
    drawn = np.mean([runs[rng.integers(len(runs), size=(_RESAMPLES, len(runs)))].mean(axis=1) for runs in logs], axis=0)
    low, high = np.quantile(np.exp(-drawn) - 1.0, _QUANTILES)
    mean = math.exp(-float(np.mean([runs.mean() for runs in logs]))) - 1.0
    return Score(mean, float(low), float(high), sum(map(len, logs)))


def ratio(ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]]) -> Score:
    """The ratio of the random-trial equivalents of two optimisers, both with the same problems and seeds, in order."""
    rng = np.random.default_rng(0)
    one, other = [], []
    for name in ours:
        draws = rng.integers(len(ours[name]), size=(_RESAMPLES, len(ours[name])))
        one.append(np.log(ours[name])[draws].mean(axis=1))
        other.append(np.log(theirs[name])[draws].mean(axis=1))
    ratios = (np.exp(-np.mean(one, axis=0)) - 1) / (np.exp(-np.mean(other, axis=0)) - 1)
    low, high = np.quantile(ratios, _QUANTILES)
    mean = mean_score(ours).mean / mean_score(theirs).mean
    return Score(mean, float(low), float(high), sum(map(len, ours.values())))
