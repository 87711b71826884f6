"""The experiments of a study and the state of each of their runs, from decisions and results; judged only here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from automl.errors import RecordError
from automl.search.agenda import standing_in
from automl.search.brain import QueuedValues
from automl.search.history import Decision, Experiment, Failure, History, Outcome, Recommendation, Result, Status
from automl.search.plan import Plan, Rung, Stage
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
    """Raises RecordError for a decision that is not in the plan, or that asks for a training in a rung of no plan."""
    beyond = any(not 0 <= rung < len(stage.rungs) for _, rung in decision.runs())
    if decision.index >= stage.most_decisions or beyond:
        raise RecordError(
            f"{decision_key(decision.stage, decision.index)} is in no rung of the plan",
            advice="'automl verify' lists all that is wrong",
        )


def run_states(history: History, stages: Iterable[Stage]) -> dict[tuple[int, int], RunState]:
    """The state of every run of these stages, by (experiment, rung)."""
    states: dict[tuple[int, int], RunState] = {}
    for stage in stages:
        if stage.overlap is not None:
            states |= _states_without_barrier(history, stage)
            continue
        decisions = {decision.index: decision for decision in history.of_stage(stage.index)}
        for rung, decision in decisions.items():
            following = decisions.get(rung + 1)
            promoted = None if following is None else {issued.number for issued in following.issued}
            if following is None and stage.ended is not None:  # the search ended before that was decided
                promoted = set()
            for issued in decision.issued:
                run = (issued.number, rung)
                states[run] = _run_state(history.results.get(run), stage.goes_on(rung), promoted)
    return states


def _states_without_barrier(history: History, stage: Stage) -> dict[tuple[int, int], RunState]:
    """The same for a stage without a barrier, where who does not go on may still do so while there is room."""
    standing = standing_in(history, stage)
    states: dict[tuple[int, int], RunState] = {}
    for rung, numbers in enumerate(standing.rungs):
        gone = set(standing.rungs[rung + 1]) if stage.goes_on(rung) else set()
        for number in numbers:
            is_open = number not in standing.stopped if stage.stops else standing.may_go_on(rung)
            promoted = None if is_open and stage.ended is None and number not in gone else gone
            result = history.results.get((number, rung))
            states[number, rung] = _run_state(result, stage.goes_on(rung), promoted)
    return states


def _run_state(result: Result | None, may_go_on: bool, promoted: set[int] | None) -> RunState:
    """`promoted` holds the experiments that go on to the next rung; None while that is not decided."""
    if result is None:
        return RunState.TRAINING
    if result.failure is Failure.ENDED:
        return RunState.STOPPED
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
        stopped = _stopped(history, stage)
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
                values=recommendations[-1].values,  # they change only in a population
                recommendations=recommendations,
                results=results,
                status=status,
                reason=_reason(status, results, stopped.get(number, "")),
            )
    return [by_number[number] for number in sorted(by_number)]


def _stopped(history: History, stage: Stage) -> dict[int, str]:
    """Why experiments do not go on, by number: what decisions say of it, or without a barrier their rank in the end.

    Where the search ended early that is why the others, about which nothing was decided, do not.
    """
    if stage.overlap is None:
        decisions = history.of_stage(stage.index)
        ended = {} if stage.ended is None else _numbers(decisions[-1:], stage.ended.why)
        return ended | {stop.number: stop.reason for decision in decisions for stop in decision.stopped}
    standing = standing_in(history, stage)
    if stage.stops:
        if stage.ended is None:
            return dict(standing.stopped)
        unanswered = dict.fromkeys((one.experiment for one in standing.unanswered), stage.ended.why)
        return {**unanswered, **standing.stopped}
    outcomes = (outcome for outcome in standing.outcomes.values() if outcome.value is not None)
    return {outcome.experiment: standing.standing(outcome) for outcome in sorted(outcomes, key=lambda one: one.rung)}


def _numbers(decisions: Iterable[Decision], why: str) -> dict[int, str]:
    return {issued.number: why for decision in decisions for issued in decision.issued}


def to_ask_for(history: History, stage: Stage) -> Iterator[tuple[Rung, int]]:
    """The rungs of a stage for which trainings are still to be asked for, and how many at most.

    Of the rungs behind one that was decided these are no more than were asked for there.
    """
    decisions = history.of_stage(stage.index)
    if stage.overlap is not None:
        standing = standing_in(history, stage)
        if stage.stops:
            coming = [0] * len(stage.rungs) if stage.ended is not None else standing.still_coming()
            yield from ((rung, count) for rung, count in zip(stage.rungs, coming, strict=True) if count)
        elif not standing.is_decided:
            for rung, numbers in zip(stage.rungs, standing.rungs, strict=True):
                if rung.size > len(numbers):
                    yield rung, rung.size - len(numbers)
        return
    for rung in stage.rungs[len(decisions) : stage.most_decisions]:
        yield rung, rung.size if rung.new or not decisions else min(rung.size, len(decisions[-1].issued))


def _reason(status: Status, results: Sequence[Result], stopped: str) -> str:
    """Why an experiment was stopped, why its values left a race, or how it failed; empty for any other."""
    if status is Status.FAILURE:
        failed = results[-1]
        return f"{failed.failure}: {failed.message}" if failed.message else str(failed.failure)
    if results and results[-1].failure is Failure.ENDED:
        return results[-1].message
    return stopped if status in {Status.STOPPED, Status.SUCCESS} else ""


def runs_of(history: History, stages: Iterable[Stage]) -> Iterator[tuple[Recommendation, int]]:
    """Every run that was requested in these stages, with the rung that it trains in."""
    for stage in stages:
        for decision in history.of_stage(stage.index):
            yield from decision.runs()


def outcomes_of(history: History, stages: Iterable[Stage]) -> tuple[Outcome, ...]:
    """The outcomes of all results in these stages."""
    runs = ((recommendation.number, rung) for recommendation, rung in runs_of(history, stages))
    return tuple(history.results[run].outcome() for run in runs if run in history.results)
