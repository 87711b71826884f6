"""The experiments of a study: what became of every recommendation, out of decisions and results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from automl.errors import RecordError
from automl.search.history import Decision, Experiment, History, Outcome, Recommendation, Status
from automl.search.plan import Plan, Stage
from automl.study.keys import decision_key


def waiting(enqueued: Sequence[dict[str, Any]], decisions: Sequence[Decision]) -> list[tuple[int, dict[str, Any]]]:
    """The enqueued values that no decision has taken yet, each with its number."""
    taken = {number for decision in decisions for number in decision.enqueued}
    return [(number, values) for number, values in enumerate(enqueued) if number not in taken]


def rung_of(stage: Stage, decision: Decision) -> int:
    """The rung that a decision's experiments train in. Raises RecordError for a decision that the plan has not."""
    if decision.index >= len(stage.rungs):
        raise RecordError(
            f"{decision_key(decision.stage, decision.index)} is in no rung of the plan",
            advice="'automl verify' lists all that is wrong",
        )
    return stage.rungs[decision.index].index


def experiments(study: History, plan: Plan) -> list[Experiment]:
    """Every experiment that was recommended, by number, with all that happened to it."""
    found: dict[int, Experiment] = {}
    for stage in plan.stages:
        decisions = study.of_stage(stage.index)
        stopped = {each.number: each.reason for decision in decisions for each in decision.stopped}
        issued: dict[int, list[tuple[int, Recommendation]]] = {}
        for recommendation, rung in runs_of(study, (stage,)):
            issued.setdefault(recommendation.number, []).append((rung, recommendation))
        for number, asked in issued.items():
            results = tuple(result for rung, _ in asked if (result := study.results.get((number, rung))))
            last = results[-1] if len(results) == len(asked) else None
            goes_on = asked[-1][0] + 1 < len(stage.rungs) and not stage.rungs[asked[-1][0] + 1].new
            if last is None:
                status, reason = Status.PENDING, ""
            elif last.failure is not None:
                status, reason = (
                    Status.FAILURE,
                    f"{last.failure}: {last.message}" if last.message else str(last.failure),
                )
            elif number in stopped:
                status, reason = Status.STOPPED, stopped[number]
            else:
                status, reason = (Status.WAITING if goes_on else Status.SUCCESS), ""
            found[number] = Experiment(
                number=number,
                stage=stage.index,
                values=asked[0][1].values,
                recommendations=tuple(recommendation for _, recommendation in asked),
                results=results,
                status=status,
                reason=reason,
            )
    return [found[number] for number in sorted(found)]


def runs_of(study: History, stages: Iterable[Stage]) -> Iterator[tuple[Recommendation, int]]:
    """Every run that was asked for in these stages, with the rung that it trains in."""
    for stage in stages:
        for decision in study.of_stage(stage.index):
            for recommendation in decision.issued:
                yield recommendation, rung_of(stage, decision)


def outcomes_of(study: History, stages: Iterable[Stage]) -> tuple[Outcome, ...]:
    """The outcomes of all results in these stages."""
    runs = ((asked.number, rung) for asked, rung in runs_of(study, stages))
    return tuple(study.results[run].outcome() for run in runs if run in study.results)
