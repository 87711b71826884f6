"""Several metrics, constraints and the choice between them: the options of a study file, and the aim that they mean."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from automl.errors import StudyFileError, nearest
from automl.networks import Network
from automl.networks.metric_rules import MetricRule, not_read
from automl.problem.aim import Aim, Constraint, Side
from automl.problem.metric import Metric
from automl.search.algorithms import SAMPLERS, Algorithm
from automl.search.early_end import Limit
from automl.search.plan import StopRule
from automl.study.cluster_options import Options

KNEE = "knee"
_OF_ONE = (Limit.TARGET, Limit.NO_IMPROVEMENT)  # the limits that compare values of one metric


class ConstraintRule(Options):
    """A bound on what is measured. The limit itself is allowed."""

    metric: str = Field(min_length=1, max_length=100, description="a metric by the name that the status lines give it")
    below: float | None = Field(None, allow_inf_nan=False, description="the most that it may be")
    above: float | None = Field(None, allow_inf_nan=False, description="the least that it may be")

    @model_validator(mode="after")
    def _has_a_limit(self) -> ConstraintRule:
        if self.below is None and self.above is None:
            raise ValueError(f"{self.metric} has no limit, and one is needed: below or above")
        if self.below is not None and self.above is not None and self.above > self.below:
            raise ValueError(f"{self.metric} above {self.above:g} and below {self.below:g} leaves no value")
        return self

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        sides = ((Side.ABOVE, self.above), (Side.BELOW, self.below))
        return tuple(Constraint(self.metric, side, limit) for side, limit in sides if limit is not None)


class Weights(Options):
    """How much each metric counts where one point of the front is chosen."""

    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        min_length=1, description="of every metric, on values scaled by the front's ranges: 0 or more"
    )


Choose = Literal["knee"] | Weights


def rules_of(metric: MetricRule | None, metrics: list[MetricRule] | None, network: Network) -> tuple[MetricRule, ...]:
    """The metrics that a study improves, the first one first: the study file's, otherwise the network's."""
    if metrics:
        return tuple(metrics)
    if metric is not None:
        return (metric,)
    return network.metrics or (network.metric,)


def aim_of(rules: tuple[MetricRule, ...], constraints: list[ConstraintRule] | None, choose: Choose | None) -> Metric:
    """What the study is for: a plain metric where there is one and no constraint. Raises StudyFileError."""
    first, *others = (rule.metric() for rule in rules)
    bounds = tuple(bound for rule in constraints or [] for bound in rule.constraints)
    _check_choice(rules, choose)
    if not others and not bounds:
        return first
    weights = tuple(choose.weights.get(rule.name, 0.0) for rule in rules) if isinstance(choose, Weights) else ()
    return Aim(first.name, first.goal, tuple(others), bounds, weights)


def _check_choice(rules: tuple[MetricRule, ...], choose: Choose | None) -> None:
    names = [rule.name for rule in rules]
    if choose is None:
        return
    if len(rules) == 1:
        raise StudyFileError(
            f"choose: it chooses among several metrics, and there is one, {names[0]}",
            advice="leave it out, or name the others under 'metrics'",
        )
    if not isinstance(choose, Weights):
        return
    unknown = next((name for name in choose.weights if name not in names), None)
    if unknown is not None:
        raise StudyFileError(
            f"choose: weights: {unknown} is no metric of this study",
            allowed=", ".join(names),
            advice=nearest(unknown, names),
        )
    if sum(choose.weights.values()) <= 0:
        raise StudyFileError("choose: weights are all 0", allowed="one above 0", advice="or choose: knee")


def check_aim(aim: Metric, network: Network, *, stop_rule: str | None, limits: tuple[Limit, ...]) -> None:
    """Raises StudyFileError for what a study with several metrics or constraints cannot have."""
    if not isinstance(aim, Aim):
        return
    names = network.status_rule.names
    for name in not_read(aim.names, names):
        raise StudyFileError(
            f"{name} is a metric of this study and found by no pattern of {network.name}",
            allowed=", ".join(sorted(names)),
            advice="add a pattern with (?P<" + name + ">...) to 'status'",
        )
    if stop_rule == StopRule.MEDIAN:
        raise StudyFileError(
            "stop_rule: median compares one metric, and this study has several or constraints",
            allowed=f"stop_rule: {StopRule.ASHA.value}, which compares fronts",
            advice="leave stop_rule out",
        )
    of_one = [limit for limit in limits if limit in _OF_ONE]
    if of_one and aim.is_several:
        raise StudyFileError(
            f"until: {of_one[0].value} is of one metric, and this study has {len(aim.objectives)}",
            allowed=", ".join(limit.value for limit in Limit if limit not in _OF_ONE),
            advice="or keep one metric, and make constraints of the others",
        )


def check_sampler(aim: Metric, sampler: str, algorithm: Algorithm) -> None:
    """Raises StudyFileError for a sampler that learns from one number, in a study of several metrics."""
    if aim.is_several and SAMPLERS[sampler].learns and not SAMPLERS[sampler].several:
        able = [name for name in algorithm.samplers if SAMPLERS[name].several or not SAMPLERS[name].learns]
        others = [name for name, row in SAMPLERS.items() if not row.learns]
        raise StudyFileError(
            f"sampler: {sampler} learns from one metric, and this study has {len(aim.objectives)}",
            allowed=", ".join(able) or f"another algorithm with {', '.join(others)}",
        )
