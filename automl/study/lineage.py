"""With which values a checkpoint was trained, by epochs, and in which experiments: they change only in a population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from automl.search.formats import FORMAT
from automl.search.history import Experiment, History, Recommendation, Result
from automl.search.plan import Plan, StageKind
from automl.search.population import lineage
from automl.text.formatting import setting


@dataclass(frozen=True)
class Part:
    """The epochs from `first` to `last`, which `experiment` trained with `values`."""

    experiment: int
    first: int
    last: int
    values: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"epochs": [self.first, self.last], "experiment": self.experiment, "values": self.values}


def parts(plan: Plan, study: History, experiment: int, rung: int) -> tuple[Part, ...]:
    """The parts of the training whose checkpoint an experiment has left at a rung, in the order of epochs.

    It is empty where the values of a training never change on the way.
    """
    for stage in plan.stages:
        decisions = [decision for decision in study.of_stage(stage.index) if decision.index <= rung]
        own = [issued for decision in decisions for issued in decision.issued if issued.number == experiment]
        if own and stage.population:
            return _joined(lineage(decisions, experiment, rung))
        if own and stage.kind is StageKind.FINAL and own[0].schedule is not None:
            return _joined(own)
    return ()


def results_behind(plan: Plan, study: History, experiment: Experiment, rung: int) -> tuple[Result, ...]:
    """The results whose work is in what an experiment has reached at a rung: its own, or those of its lineage."""
    if plan.stages[experiment.stage].population:
        trained = enumerate(lineage(study.of_stage(experiment.stage), experiment.number, rung))
        return tuple(study.results[issued.number, at] for at, issued in trained)
    return experiment.results


def schedule_json(trained: Sequence[Part]) -> dict[str, Any]:
    """The parts of a training, as best_model/ holds them."""
    return {"format": FORMAT, "parts": [part.to_json() for part in trained]}


def in_words(trained: Sequence[Part]) -> str:
    """The parts of a training, for people: 'epochs 1 to 3 of experiment 2 with lr 0.01; epochs 4 to 9 ...'."""
    return "; ".join(
        f"{_span(part)} of experiment {part.experiment} with "
        + ", ".join(f"{name} {setting(value)}" for name, value in part.values.items())
        for part in trained
    )


def _span(part: Part) -> str:
    return f"epoch {part.last}" if part.first == part.last else f"epochs {part.first} to {part.last}"


def _joined(trained: Sequence[Recommendation]) -> tuple[Part, ...]:
    """A part for each training; those of one experiment with the same values are one."""
    joined: list[Part] = []
    for issued in trained:
        values, first = dict(issued.values), issued.resume_epoch + 1
        if joined and joined[-1].experiment == issued.number and joined[-1].values == values:
            first = joined.pop().first
        joined.append(Part(issued.number, first, issued.epochs, values))
    return tuple(joined)
