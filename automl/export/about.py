"""What MLflow and Weights & Biases, where each experiment is a run, get about the study as a whole."""

from __future__ import annotations

from typing import Any

from automl.search.history import History
from automl.study import summary
from automl.study.definition import Definition


def settings(definition: Definition, metric: Any) -> dict[str, Any]:
    """The settings of the study. `metric` has the form that the tool takes."""
    return {
        "network": definition.network.name,
        "algorithm": definition.file.algorithm,
        "sampler": definition.sampler_name,
        "metric": metric,
        "seed": definition.file.seed,
        "experiments": definition.plan.experiments,
    }


def found(definition: Definition, study: History) -> dict[str, float]:
    """The best value so far and the gain of the final judgement, where they exist."""
    best, verdict = summary.best_of_search(definition, study), summary.verdict(definition, study)
    values: dict[str, float] = {}
    if best is not None and best.best_value is not None:
        values[f"best {definition.metric_rule.name}"] = best.best_value
    if verdict is not None and verdict.gain is not None:
        values["gain over the defaults"] = verdict.gain
    return values
