"""Which decisions are due, given the plan and the history: the one place that decides when a stage goes on.

Whatever carries out a study asks this module and does not track rungs itself. The local runner makes the decisions that
are due after every result. In Argo the shape of the workflow sets the order, so a pod is given a decision to make, and
learns here which runs that decision still waits for. A stage without a barrier asks for one training at a time, so its
decisions are due on demand: made when a worker is free. Where experiments train on until they are stopped, the answer
to each of their results is due at once. Nothing here opens a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from automl.search.asynchronous import Standing
from automl.search.history import Decision, History, Recommendation
from automl.search.list_scheduling import claims_of
from automl.search.plan import Plan, Stage


@dataclass(frozen=True, order=True)
class Step:
    """One decision of a plan, made or not: decision `index` of stage `stage`."""

    stage: int
    index: int


@dataclass(frozen=True)
class Run:
    """One training that a decision asks for, in a rung of its stage. `decision` is the index of that decision."""

    stage: int
    rung: int
    recommendation: Recommendation
    decision: int

    @property
    def key(self) -> tuple[int, int]:
        """The experiment and the rung, under which a `History` holds its result."""
        return self.recommendation.number, self.rung


@dataclass(frozen=True)
class Pending:
    """The next decision of a stage and what it still waits for: earlier decisions, and runs without a result.

    `on_demand`: it asks for one training, and is to be made when a worker is free. What it waits for is then any of
    `runs`, not all of them.
    """

    step: Step
    decisions: tuple[Step, ...] = ()
    runs: tuple[Run, ...] = ()
    on_demand: bool = False

    @property
    def is_due(self) -> bool:
        return not self.decisions and not self.runs


def due(plan: Plan, history: History, *, on_demand: bool = True) -> tuple[Step, ...]:
    """The decisions that can be made now, in the order of the stages.

    Making them all, adding their results to the history and asking again walks the whole plan: it is over when nothing
    is due and no run is open. A decision that was made is due no more. `on_demand`: a worker is free.
    """
    following = (decision for decision in pending(plan, history) if decision.is_due)
    return tuple(decision.step for decision in following if on_demand or not decision.on_demand)


def pending(plan: Plan, history: History) -> tuple[Pending, ...]:
    """The next decision of every stage that is not over, in the order of the stages."""
    following = (
        barrier(plan, history, stage) if stage.overlap is None else overlapping(plan, history, stage)
        for stage in plan.stages
    )
    return tuple(decision for decision in following if decision is not None)


def barrier(plan: Plan, history: History, stage: Stage) -> Pending | None:
    """The rule of a stage that goes rung by rung: its next decision waits for every result of those it builds on.

    None when all decisions of the stage are made.
    """
    index = len(history.of_stage(stage.index))
    if index >= stage.most_decisions:
        return None
    return _after(plan, history, Step(stage.index, index))


def overlapping(plan: Plan, history: History, stage: Stage) -> Pending | None:
    """The rule of a stage without a barrier: its next decision is due as soon as there is something to ask for.

    None when it will ask for nothing more. Its next index is the number of decisions made. What such a decision
    consumes depends on chance and is stored in it, so that it can be replayed (state rule 11).
    """
    standing = standing_in(history, stage)
    if standing.is_decided:
        return None
    step = Step(stage.index, len(standing.decisions))
    if not standing.decisions:
        return replace(_after(plan, history, step), on_demand=True)
    following = standing.next()
    runs = () if following is not None else open_runs(history, *standing.decisions)
    is_answer = stage.stops and following is not None and not following.begins  # for it no worker has to be free
    return Pending(step, (), runs, on_demand=not is_answer)


def standing_in(history: History, stage: Stage) -> Standing:
    """Where a stage without a barrier stands."""
    decisions = history.of_stage(stage.index)
    runs = [(issued.number, rung) for decision in decisions for issued, rung in decision.runs()]
    outcomes = {run: history.results[run].outcome() for run in runs if run in history.results}
    return Standing(stage, decisions, outcomes, history.metric)


def _after(plan: Plan, history: History, step: Step) -> Pending:
    """A decision that waits for all that it builds on."""
    undecided: list[Step] = []
    runs: list[Run] = []
    for earlier, last in plan.before(step.stage, step.index):
        decisions = history.of_stage(earlier.index)
        if last is None:
            if not standing_in(history, earlier).is_decided:
                undecided.append(Step(earlier.index, len(decisions)))
            runs += open_runs(history, *decisions)
        elif len(decisions) > last:
            # of those before the last one only what is trained again can be open
            runs += open_runs(history, *decisions[: last + 1])
        else:
            undecided.append(Step(earlier.index, last))
    return Pending(step, tuple(undecided), tuple(runs))


def runs_of_decision(decision: Decision) -> Iterator[Run]:
    """Every run that the decision asks for, in its order."""
    for recommendation, rung in decision.runs():
        yield Run(decision.stage, rung, recommendation, decision.index)


def open_runs(history: History, *decisions: Decision) -> tuple[Run, ...]:
    """The runs that these decisions ask for and that do not have a result yet."""
    runs = (run for decision in decisions for run in runs_of_decision(decision))
    return tuple(run for run in runs if run.key not in history.results)


def begins(stage: Stage, decision: Decision) -> bool:
    """Whether a decision asks for an experiment that has not been trained yet."""
    return any(stage.rungs[rung].new for _, rung in decision.runs())


def order_of_starts(plan: Plan, places: int) -> Callable[[Run], tuple[float, int, int, int]]:
    """A key to sort runs by, of which `places` can train at a time: first what the most of the plan waits for.

    No decision depends on it. Of equal ones the order is that of the plan.
    """
    claims = claims_of(plan, places)
    return lambda run: (-claims[run.stage, run.rung], run.stage, run.rung, run.recommendation.number)
