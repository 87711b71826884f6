"""The finished trials of an earlier search, whatever tool it was: what was tried, and how good each was."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from automl.problem.metric import Metric


class Scored(NamedTuple):
    """A score of which larger is better, and the metric in the source's own units."""

    score: float
    measured: float


@dataclass(frozen=True)
class ScoredTrial:
    """Values as the source has them, a score of which larger is better, and the metric in the source's own units.

    `further` are those of the study's further metrics that the trial has, by name.
    """

    values: Mapping[str, Any]
    score: float
    measured: float
    further: Mapping[str, Scored] = field(default_factory=dict)


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


class Reading(NamedTuple):
    """What one training measured: of which trial, how many epochs long, and its values by the names of metrics."""

    trial: Hashable
    epochs: int
    values: Mapping[str, float | None]


def scored_trials(
    values: Mapping[Any, Mapping[str, Any]], readings: Sequence[Reading], metrics: Sequence[Metric]
) -> tuple[ScoredTrial, ...]:
    """The trials that have a value of the first of the metrics, with those of the others that they have.

    `values` are the configurations of all trials.
    """
    first, *others = (_column(readings, metric) for metric in metrics)
    return tuple(
        ScoredTrial(
            values[trial],
            *scored,
            further={
                metric.name: column[trial]
                for metric, column in zip(metrics[1:], others, strict=True)
                if trial in column
            },
        )
        for trial, scored in first.items()
    )


def _column(readings: Sequence[Reading], metric: Metric) -> dict[Hashable, Scored]:
    """What the trials have of one metric; of a trial with several trainings the last value is the measured one."""
    valued = [(one, value) for one in readings if (value := one.values.get(metric.name)) is not None]
    if not valued:
        return {}
    measured = {one.trial: value for one, value in valued}
    by_trial = scores([Run(one.trial, one.epochs, metric.score(value)) for one, value in valued])
    return {trial: Scored(by_trial[trial], value) for trial, value in measured.items()}


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
