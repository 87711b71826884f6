"""The finished trials of a study in a storage of Optuna."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from automl.errors import InvalidInput
from automl.importing.finished import Finished, Reading, scored_trials
from automl.importing.optuna_study import imported
from automl.problem.metric import Metric

_UNNAMED = "value"  # what Optuna calls a metric without a name


def finished_in_storage(path: Path, name: str | None, metrics: Sequence[Metric]) -> Finished:
    """The trials that have a value, by the directions of their own study. Raises InvalidInput."""
    metric = metrics[0].name
    found = imported(str(path), name)
    theirs = found.draft.network["metric"]
    if theirs["name"] not in {metric, _UNNAMED}:
        raise InvalidInput(
            f"its metric is {theirs['name']}",
            allowed=f"a study whose metric is {metric}, or has no name",
            advice="leave it out, or name the metric as it is named here",
        )
    goals = {rule["name"]: rule["goal"] for rule in found.draft.options.get("metrics", ())} | {metric: theirs["goal"]}
    readings = [
        Reading(number, trial.epochs or 0, {**trial.further, metric: trial.value})
        for number, trial in enumerate(found.trials)
    ]
    notes = (f"its metric has no name: it is taken for {metric}, to {theirs['goal']}",)
    return Finished(
        kind="a study of Optuna",
        trials=scored_trials(
            {number: trial.values for number, trial in enumerate(found.trials)},
            readings,
            [Metric(one.name, goals.get(one.name, one.goal)) for one in metrics],
        ),
        total=len(found.trials),
        notes=notes if theirs["name"] == _UNNAMED else (),
    )
