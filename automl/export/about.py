"""What MLflow and Weights & Biases, where each experiment is a run, get about the study as a whole."""

from __future__ import annotations

from typing import Any

from automl.problem.aim import Aim
from automl.search.history import Experiment, History
from automl.study import summary
from automl.study.definition import Definition
from automl.study.verdict import verdict


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
    best, judged = summary.best(definition, study), verdict(definition, study)
    values: dict[str, float] = {}
    if best is not None and best.value is not None:
        values[f"best {definition.metric_rule.name}"] = best.value
        values |= {f"best {name}": value for name, value in best.training.best_measured.items()}
    if judged is not None and judged.gain is not None:
        values["gain over the defaults"] = judged.gain
    if judged is not None and judged.interval is not None:
        values["gain over the defaults, low end of 95 %"] = judged.interval.low
        values["gain over the defaults, high end of 95 %"] = judged.interval.high
    return values


def goals(definition: Definition) -> str:
    """What is searched for, for people: 'maximize val_acc, minimize latency_ms; latency_ms below 20'."""
    aim = definition.aim
    text = ", ".join(f"{rule.goal} {rule.name}" for rule in definition.metric_rules)
    bounds = ", ".join(one.words for one in aim.constraints) if isinstance(aim, Aim) else ""
    return f"{text}; {bounds}" if bounds else text


def further_points(experiment: Experiment) -> list[tuple[str, int, float]]:
    """(name, epoch, value) of the metrics of an experiment beside the first, and of its kept checkpoint."""
    last = experiment.results[-1] if experiment.results else None
    if last is None:
        return []
    points = [(name, epoch, value) for name, history in sorted(last.measured.items()) for epoch, value in history]
    best = last.outcome().best_measured
    return points + [(f"best {name}", last.epochs, value) for name, value in best.items()]
