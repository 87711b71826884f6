"""What a sampler learns from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from automl.problem.aim import Aim, Scores
from automl.problem.metric import Metric
from automl.search.history import Failure, Outcome, Recommendation
from automl.search.ranking import kept_reading


@dataclass(frozen=True)
class Trial:
    """An experiment that a sampler may learn from, at the rung that it reached.

    `score` is the kept value, turned so that larger is better; it is None where the experiment failed, and `failure`
    says how. `value` is the metric after the last of its `epochs`, as the training reported it.

    In a study with several metrics or constraints `scores` are those of all metrics, the first one's first; empty where
    one was never reported. `excesses` say by which share of its limit each constraint is broken, negative where it
    holds. `score` is None where one is broken, so that a sampler which knows nothing of constraints avoids such
    experiments as it avoids failures.
    """

    values: Mapping[str, Any]
    score: float | None
    epochs: int = 0
    rung: int = 0
    value: float | None = None
    failure: Failure | None = None
    scores: Scores = ()
    excesses: Scores = ()


def trials_of(
    recommendations: Mapping[int, Recommendation], outcomes: Iterable[Outcome], metric: Metric
) -> tuple[Trial, ...]:
    """The trials of these outcomes; of a run that was trained again the last one counts."""
    by_run = {(outcome.experiment, outcome.rung): outcome for outcome in outcomes}
    return tuple(
        _trial(recommendations[outcome.experiment].values, outcome, metric)
        for outcome in by_run.values()
        if outcome.experiment in recommendations  # not those of a search before, from which `retrains` begins
    )


def _trial(values: Mapping[str, Any], outcome: Outcome, metric: Metric) -> Trial:
    score = None if outcome.best_value is None else metric.score(outcome.best_value)
    trial = Trial(values, score, outcome.epochs, outcome.rung, outcome.value, outcome.failure)
    if not isinstance(metric, Aim) or score is None:
        return trial
    reading = kept_reading(outcome)
    return replace(
        trial,
        score=score if metric.violation(*reading) == 0 else None,
        scores=metric.scores(*reading) or (),
        excesses=metric.excesses(*reading),
    )
