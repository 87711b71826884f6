"""The metrics of a network or a study file, by the names that the status lines give them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from automl.problem.metric import Metric


class MetricRule(BaseModel):
    """The metric that is searched for, by the name that the status lines give it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1, max_length=100)
    goal: Literal["minimize", "maximize"]

    def metric(self) -> Metric:
        return Metric(self.name, self.goal)


MOST_METRICS = 8  # beyond a handful nearly every experiment lies on the front
METRICS = (
    "several metrics, for a front of trade-offs; of the first are histories and kept checkpoints; in place of 'metric'"
)


def first_as_metric(data: Any) -> Any:
    """The data of a network whose `metric` is the first of its `metrics`, where it names only these."""
    metrics = data.get("metrics") if isinstance(data, dict) else None
    if isinstance(metrics, list | tuple) and metrics and data.get("metric") is None:
        return {**data, "metric": metrics[0]}
    return data


def check_metrics(metric: MetricRule | None, metrics: Sequence[MetricRule]) -> None:
    """Raises ValueError for a name that is given twice, and for a `metric` that is not the first of `metrics`."""
    names = [rule.name for rule in metrics]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"metrics: {twice} is named twice; keep one of them")
    if metrics and metric not in {None, metrics[0]}:
        raise ValueError("metric and metrics say the same: keep metrics, whose first is the metric")


def not_read(names: Iterable[str], patterns: frozenset[str]) -> list[str]:
    """The names of metrics that no pattern of a status rule finds; none where it has no patterns."""
    return [name for name in names if patterns and name not in patterns]
