"""The finished trials of a study in a storage of Optuna."""

from __future__ import annotations

from pathlib import Path

from automl.errors import InvalidInput
from automl.importing.finished import Finished, Run, ScoredTrial, scores
from automl.importing.optuna_study import imported

_UNNAMED = "value"  # what Optuna calls a metric without a name


def finished_in_storage(path: Path, name: str | None, metric: str) -> Finished:
    """The trials that have a value, by the direction of their own study. Raises InvalidInput."""
    found = imported(str(path), name)
    theirs = found.draft.network["metric"]
    if theirs["name"] not in {metric, _UNNAMED}:
        raise InvalidInput(
            f"its metric is {theirs['name']}",
            allowed=f"a study whose metric is {metric}, or has no name",
            advice="leave it out, or name the metric as it is named here",
        )
    sign = 1.0 if theirs["goal"] == "maximize" else -1.0
    valued = [(number, trial) for number, trial in enumerate(found.trials) if trial.value is not None]
    runs = [Run(number, trial.epochs or 0, sign * float(trial.value or 0.0)) for number, trial in valued]
    by_number = scores(runs) if runs else {}
    notes = (f"its metric has no name: it is taken for {metric}, to {theirs['goal']}",)
    return Finished(
        kind="a study of Optuna",
        trials=tuple(ScoredTrial(t.values, by_number[number], float(t.value or 0.0)) for number, t in valued),
        total=len(found.trials),
        notes=notes if theirs["name"] == _UNNAMED else (),
    )
