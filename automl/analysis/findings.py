"""What a study has found so far: the best, the verdict about it, and the front of several metrics. All show this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automl.analysis.trade_off import TradeOff, trade_off
from automl.search.history import History
from automl.search.race import DEFAULTS
from automl.study import summary
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.verdict import Standing, Verdict, verdict


@dataclass(frozen=True)
class BestSoFar:
    """The best so far: the experiment of the search with the best values, what it tried and why.

    `value` and `epoch` are those of the checkpoint that is kept, which is of experiment `training` after `rung`: the
    same, or one of the final judgement. `standing` and `why` say what is known about it.
    """

    experiment: int
    value: float | None
    epoch: int
    values: Mapping[str, Any]
    reason: str
    training: int
    rung: int
    standing: Standing
    why: str
    measured: Mapping[str, float] = field(default_factory=dict)  # further metrics of that checkpoint

    @property
    def is_defaults(self) -> bool:
        return self.experiment == DEFAULTS

    def to_json(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment,
            "value": self.value,
            "epoch": self.epoch,
            "defaults": self.is_defaults,
            "values": dict(self.values),
            "reason": self.reason,
            "training": self.training,
            "standing": self.standing.value,
            "why": self.why,
            **({"measured": dict(self.measured)} if self.measured else {}),
        }


@dataclass(frozen=True)
class Findings:
    """What a study has found so far: each is None before there is any, `trade_off` in a study of one metric."""

    best: BestSoFar | None
    verdict: Verdict | None
    trade_off: TradeOff | None


def findings(definition: Definition, study: History) -> Findings:
    """What a study has found so far."""
    return Findings(best_so_far(definition, study), verdict(definition, study), trade_off(definition, study))


def best_so_far(definition: Definition, study: History) -> BestSoFar | None:
    """The best so far; None when no experiment has succeeded."""
    found = summary.best(definition, study)
    if found is None:
        return None
    experiment = next(
        candidate for candidate in experiments(study, definition.plan) if candidate.number == found.experiment
    )
    result = study.results[found.training.experiment, found.training.rung]
    return BestSoFar(
        experiment=found.experiment,
        value=found.value,
        epoch=result.best.epoch if result.best else result.epochs,
        values=experiment.values,
        reason=experiment.recommendations[0].reason,
        training=found.training.experiment,
        rung=found.training.rung,
        standing=found.standing,
        why=found.why,
        measured=result.best_measured,
    )
