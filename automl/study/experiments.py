"""The experiments of a study and the state of each of their runs, from decisions and results; judged only here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from automl.errors import RecordError
from automl.search.brain import QueuedValues
from automl.search.history import Decision, Experiment, History, Outcome, Recommendation, Result, Status
from automl.search.plan import Plan, Stage
from automl.study.keys import decision_key


class RunState(StrEnum):
    """The state of a run, which is one training of an experiment in one rung."""

    TRAINING = "training"  # it was asked for and has no result
    FAILED = "failed"
    FINISHED = "finished"  # in the last rung that its experiment can reach
    WAITING = "waiting"  # for the decision on the next rung
    PROMOTED = "promoted"  # that decision asks for the next run of its experiment
    STOPPED = "stopped"  # that decision does not


_STATUS = {
    RunState.TRAINING: Status.PENDING,
    RunState.FAILED: Status.FAILURE,
    RunState.FINISHED: Status.SUCCESS,
    RunState.WAITING: Status.WAITING,
    RunState.PROMOTED: Status.PENDING,
    RunState.STOPPED: Status.STOPPED,
}


def waiting(enqueued: Sequence[dict[str, Any]], decisions: Sequence[Decision]) -> list[QueuedValues]:
    """The enqueued values that no decision has taken yet, each with its number."""
    taken = {number for decision in decisions for number in decision.enqueued}
    return [QueuedValues(number, values) for number, values in enumerate(enqueued) if number not in taken]


def check_in_plan(stage: Stage, decision: Decision) -> None:
    """Raises RecordError for a decision that is not in the plan. Otherwise its index is that of its rung."""
    if decision.index >= len(stage.rungs):
        raise RecordError(
            f"{decision_key(decision.stage, decision.index)} is in no rung of the plan",
            advice="'automl verify' lists all that is wrong",
        )


def goes_on(stage: Stage, rung: int) -> bool:
    """Whether experiments of this rung can go on to the next one, which does not begin with new ones."""
    return rung + 1 < len(stage.rungs) and not stage.rungs[rung + 1].new


def run_states(history: History, stages: Iterable[Stage]) -> dict[tuple[int, int], RunState]:
    """The state of every run of these stages, by (experiment, rung)."""
    states: dict[tuple[int, int], RunState] = {}
    for stage in stages:
        decisions = {decision.index: decision for decision in history.of_stage(stage.index)}
        for rung, decision in decisions.items():
            following = decisions.get(rung + 1)
            promoted = None if following is None else {issued.number for issued in following.issued}
            for issued in decision.issued:
                run = (issued.number, rung)
                states[run] = _run_state(history.results.get(run), goes_on(stage, rung), promoted)
    return states


def _run_state(result: Result | None, may_go_on: bool, promoted: set[int] | None) -> RunState:
    """`promoted` holds the experiments that go on to the next rung; None while that is not decided."""
    if result is None:
        return RunState.TRAINING
    if result.failure is not None:
        return RunState.FAILED
    if not may_go_on:
        return RunState.FINISHED
    if promoted is None:
        return RunState.WAITING
    return RunState.PROMOTED if result.experiment in promoted else RunState.STOPPED


def experiments(history: History, plan: Plan) -> list[Experiment]:
    """Every experiment that was recommended, by number, with all that happened to it."""
    by_number: dict[int, Experiment] = {}
    for stage in plan.stages:
        states = run_states(history, (stage,))
        stopped = {stop.number: stop.reason for decision in history.of_stage(stage.index) for stop in decision.stopped}
        runs: dict[int, list[tuple[Recommendation, int]]] = {}
        for recommendation, rung in runs_of(history, (stage,)):
            runs.setdefault(recommendation.number, []).append((recommendation, rung))
        for number, of_experiment in runs.items():
            recommendations, rungs = zip(*of_experiment, strict=True)
            results = tuple(result for rung in rungs if (result := history.results.get((number, rung))))
            complete = len(results) == len(rungs)
            status = _STATUS[states[number, rungs[-1]]] if complete else Status.PENDING
            by_number[number] = Experiment(
                number=number,
                stage=stage.index,
                values=recommendations[0].values,
                recommendations=recommendations,
                results=results,
                status=status,
                reason=_reason(status, results, stopped.get(number, "")),
            )
    return [by_number[number] for number in sorted(by_number)]


def _reason(status: Status, results: Sequence[Result], stopped: str) -> str:
    """Why an experiment was stopped, or how it failed; empty for any other."""
    if status is Status.FAILURE:
        failed = results[-1]
        return f"{failed.failure}: {failed.message}" if failed.message else str(failed.failure)
    return stopped if status is Status.STOPPED else ""


def runs_of(history: History, stages: Iterable[Stage]) -> Iterator[tuple[Recommendation, int]]:
    """Every run that was requested in these stages, with the rung that it trains in."""
    for stage in stages:
        for decision in history.of_stage(stage.index):
            for recommendation in decision.issued:
                yield recommendation, decision.index


def outcomes_of(history: History, stages: Iterable[Stage]) -> tuple[Outcome, ...]:
    """The outcomes of all results in these stages."""
    runs = ((recommendation.number, rung) for recommendation, rung in runs_of(history, stages))
    return tuple(history.results[run].outcome() for run in runs if run in history.results)
