"""Studies whose record is real and whose trainings are not: the brain decides, a formula says what came of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from automl.execution.steps.propose import propose
from automl.search.agenda import due
from automl.search.history import Failure, History, Recommendation, Result
from automl.stores import Store
from automl.study.definition import Definition
from automl.study.experiments import runs_of
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.reporting.page.made_records import opened
from tests.simulation.studies import study

MIXED: dict[str, Any] = {  # one parameter of every kind
    "train.lr": {"type": "float", "low": 0.001, "high": 0.4, "log": True, "default": 0.02, "automl_enabled": True},
    "train.momentum": {
        "type": "float",
        "low": 0.1,
        "high": 0.95,
        "default": 0.9,
        "active_when": {"parameter": "train.optimizer", "values": ["sgd"]},
        "automl_enabled": True,
    },
    "train.decay": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.3, "default": 0.3, "automl_enabled": True},
    "train.width": {"type": "int", "low": 8, "high": 64, "step": 8, "default": 16, "automl_enabled": True},
    "train.depth": {"type": "int", "low": 1, "high": 100, "log": True, "default": 4, "automl_enabled": True},
    "train.optimizer": {
        "type": "categorical",
        "options": ["adamw", "sgd", None],
        "default": "adamw",
        "automl_enabled": True,
    },
    "train.batch": {"type": "ordered", "options": [16, 32, 64], "default": 32, "automl_enabled": True},
    "train.flip": {"type": "bool", "default": True, "automl_enabled": True},
    "train.betas": {
        "type": "list",
        "low": 0.5,
        "high": 1.0,
        "length": 2,
        "default": [0.9, 0.99],
        "automl_enabled": True,
    },
}
Loss = Callable[[Recommendation, int], float]
Further = Callable[[Recommendation], Mapping[str, float]]  # the further metrics of a training


def mixed(settings: Mapping[str, Any], **more: Any) -> Definition:
    """A study of one parameter of every kind."""
    return study(settings, network={"parameters": MIXED}, **more)


def loss_by_rate(asked: Recommendation, epoch: int) -> float:
    """Least at a learning rate of 0.1; falls with the epochs."""
    rate: float = asked.values["train.lr"]
    return abs(rate - 0.1) + 1 / (epoch + 1)


def recorded(
    store: Store,
    definition: Definition,
    *,
    loss: Loss = loss_by_rate,
    failing: Collection[int] = (),
    decisions: int | None = None,
    further: Further | None = None,
) -> tuple[Record, History]:
    """The record of a study in this store, walked to its end or for so many decisions, and what it holds."""
    record = Record(store)
    begin(record, definition, "name: line\nnetwork: least_squares\n")
    walk(record, definition, loss=loss, failing=failing, decisions=decisions, further=further)
    return record, record.history(definition)


def walk(
    record: Record,
    definition: Definition,
    *,
    loss: Loss = loss_by_rate,
    failing: Collection[int] = (),
    decisions: int | None = None,
    further: Further | None = None,
) -> None:
    """Makes the decisions of the plan that are not made yet, and says what came of what they ask."""
    for _ in itertools.count() if decisions is None else range(decisions):
        steps = due(definition.plan, record.history(definition))
        if not steps:
            return
        decision = propose(record, definition, steps[0].stage, steps[0].index)
        for asked, rung in decision.runs():
            result = _result(asked, rung, loss, failed=asked.number in failing)
            measured = {} if further is None or result.failure else further(asked)
            record.store_result(replace(result, measured={name: ((1, value),) for name, value in measured.items()}))


def _result(asked: Recommendation, rung: int, loss: Loss, *, failed: bool) -> Result:
    if failed:
        return Result(asked.number, rung, ("a1",), 0, 1.5, failure=Failure.KILLED, message="=it was killed, -9")
    history = tuple((epoch, loss(asked, epoch)) for epoch in range(1, asked.epochs + 1))
    return Result(asked.number, rung, ("a1",), asked.epochs, 2.5, history, best_value=min(y for _, y in history))


def runs(definition: Definition, study: History) -> list[tuple[int, int]]:
    """Every run of a study, by experiment and rung."""
    return sorted((asked.number, rung) for asked, rung in runs_of(study, definition.plan.stages))


def holds(record: Record) -> History:
    """What the record of a study holds."""
    definition = opened(record)
    return record.history(definition)
