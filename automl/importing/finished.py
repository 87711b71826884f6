"""The finished trials of an earlier search, whatever tool it was: what was tried, and how good each was."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class ScoredTrial:
    """Values as the source has them, a score of which larger is better, and the metric in the source's own units."""

    values: Mapping[str, Any]
    score: float
    measured: float


@dataclass(frozen=True)
class Finished:
    """What a source holds. `kind` is what it is, in words, and `total` counts the trials without a value too.

    `settings` are what its trainings had that it did not search. `notes` say in a sentence each what was supposed.
    """

    kind: str
    trials: tuple[ScoredTrial, ...]
    total: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Run(NamedTuple):
    """One training: of which trial, how many epochs long, and its score."""

    trial: Hashable
    epochs: int
    score: float


def scores(runs: Sequence[Run]) -> dict[Hashable, float]:
    """A score for each trial, in the order in which they come first.

    Where all trainings are equally long, or their lengths are not known, it is the best of the trial's own. Otherwise
    every two trials are compared by the longest trainings that both have (search/surrogates/comparisons.py).
    """
    from automl.search.surrogates.comparisons import strengths  # noqa: PLC0415 - scipy takes a while

    trials = list(dict.fromkeys(run.trial for run in runs))
    lengths = sorted({run.epochs for run in runs})
    losses = np.full((len(lengths), len(trials)), np.nan)
    for run in runs:
        row, column = lengths.index(run.epochs), trials.index(run.trial)
        losses[row, column] = np.fmin(losses[row, column], -run.score)
    found = -losses[0] if len(lengths) == 1 else strengths(losses)
    return {trial: float(score) for trial, score in zip(trials, found, strict=True)}
