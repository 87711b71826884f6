"""The experiments of a study with several metrics or constraints: its front, what is dominated, what is infeasible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from automl.errors import InvalidInput, nearest
from automl.problem.aim import Aim, Scores, Side
from automl.problem.metric import Metric
from automl.search import pareto
from automl.search.history import Experiment, History, Outcome, Result
from automl.search.measurements import value_at
from automl.search.ranking import Among, best_outcome, kept_reading, with_a_front, with_spans
from automl.study.definition import Definition
from automl.study.experiments import outcomes_of


class Place(StrEnum):
    """Where an experiment stands among the others."""

    CHOSEN = "chosen"  # the point of the front that `choose` names
    FRONT = "front"  # nothing is better in every metric
    DOMINATED = "dominated"
    INFEASIBLE = "infeasible"  # it breaks a constraint, or never reported a metric
    SHORTER = "shorter"  # trained for fewer epochs than those that are compared


@dataclass(frozen=True)
class TradePoint:
    """An experiment with the values of its kept checkpoint, by metric; of an infeasible one, `why` and by how much."""

    experiment: int
    epochs: int
    values: Mapping[str, float]
    place: Place
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        why = {"why": self.why} if self.why else {}
        return {"experiment": self.experiment, "values": dict(self.values), "place": self.place.value, **why}


@dataclass(frozen=True)
class TradeOff:
    """The points of a study by number, and the share of the box that the front dominates.

    The box lies between the best and the worst value of every metric that a compared, feasible experiment has; a front
    in its best corner has a `hypervolume` of 1. It is None where there is no such box.
    """

    aim: Aim
    points: tuple[TradePoint, ...]
    hypervolume: float | None

    @property
    def front(self) -> tuple[TradePoint, ...]:
        """The points of the front, the chosen one among them, the best of the first metric first."""
        points = [one for one in self.points if one.place in {Place.CHOSEN, Place.FRONT}]
        return tuple(sorted(points, key=lambda one: -self.aim.score(one.values[self.aim.name])))

    @property
    def infeasible(self) -> tuple[TradePoint, ...]:
        return tuple(one for one in self.points if one.place is Place.INFEASIBLE)

    def point(self, experiment: int) -> TradePoint | None:
        """The point of an experiment of the search; None where it has none."""
        return next((one for one in self.points if one.experiment == experiment), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "metrics": [{"name": metric.name, "goal": metric.goal} for metric in self.aim.objectives],
            "constraints": [one.words for one in self.aim.constraints],
            "chosen_by": self.aim.in_words if self.aim.is_several else None,
            "hypervolume": self.hypervolume,
            "experiments": [point.to_json() for point in self.points],
        }


def trade_off(definition: Definition, study: History) -> TradeOff | None:
    """The points of a search so far; None for a study of one metric without constraints."""
    aim, brain = definition.aim, definition.brain
    if not isinstance(aim, Aim):
        return None
    return of_outcomes(outcomes_of(study, definition.plan.search), aim, brain.best_among)


def of_outcomes(outcomes: Sequence[Outcome], aim: Aim, among: Among) -> TradeOff:
    """The points that these outcomes make."""
    spanned, groups = with_spans(outcomes, aim, among)
    chosen = best_outcome(outcomes, aim, among)
    leading = with_a_front(groups)
    compared = [one.scores for one in leading if one.front is not None]
    points: dict[int, TradePoint] = {}
    for group in groups:
        for one in group:
            outcome, place, why = one.item, Place.DOMINATED, ""
            if one.front is None:
                place, why = Place.INFEASIBLE, aim.why_infeasible(*kept_reading(outcome))
            elif group is not leading:
                place = Place.SHORTER
            elif one.front == 0:
                place = Place.CHOSEN if outcome == chosen else Place.FRONT
            points.setdefault(outcome.experiment, _point(aim, outcome, place, why))
    in_order = tuple(points[number] for number in sorted(points))
    return TradeOff(spanned, in_order, share_dominated(compared) if aim.is_several else None)


def _point(aim: Aim, outcome: Outcome, place: Place, why: str) -> TradePoint:
    values = {name: aim.value_of(name, *kept_reading(outcome)) for name in aim.names}
    measured = {name: value for name, value in values.items() if value is not None}
    return TradePoint(outcome.experiment, outcome.epochs, measured, place, why)


def metrics_of(aim: Metric) -> Mapping[str, Metric]:
    """What a study measures, by name: the metrics that it improves, and those that are only constrained."""
    if not isinstance(aim, Aim):
        return {aim.name: aim}
    bounds = {one.metric: one for one in aim.constraints}
    constrained = {
        name: Metric(name, "minimize" if bound.side is Side.BELOW else "maximize") for name, bound in bounds.items()
    }
    return constrained | {metric.name: Metric(metric.name, metric.goal) for metric in aim.objectives}


def check_names(aim: Metric, names: Iterable[str], where: str = "") -> None:
    """Raises InvalidInput for the first name that is no metric of the study; `where` begins the message."""
    for name in names:
        if name not in aim.names:
            raise InvalidInput(
                f"{where}{name} is no metric of this study",
                allowed=", ".join(aim.names),
                advice=nearest(name, aim.names),
            )


def as_only_metric(experiment: Experiment, name: str) -> Experiment:
    """An experiment as if this further metric were its only one: the value that counts at each epoch, and at the end.

    Both are None or empty where it was never reported.
    """
    return replace(experiment, results=tuple(_as_only_metric(result, name) for result in experiment.results))


def _as_only_metric(result: Result, name: str) -> Result:
    points = result.measured.get(name, ())
    course = tuple((epoch, value_at(points, epoch)) for epoch, _ in result.history) if points else ()
    kept = None if result.best_value is None else result.best_measured.get(name)
    return replace(result, history=course, best_value=kept)


def share_dominated(scores: Sequence[Scores], within: Sequence[Scores] | None = None) -> float | None:
    """The share of the box around `within` (None: these) that the scores dominate; None where the box has no volume."""
    box = list(zip(*(scores if within is None else within), strict=True))
    if not box or any(max(column) <= min(column) for column in box):
        return None
    losses = [
        tuple((max(column) - score) / (max(column) - min(column)) for score, column in zip(point, box, strict=True))
        for point in scores
    ]
    return pareto.hypervolume(losses, (1.0,) * len(box))
