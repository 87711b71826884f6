"""Which decisions are due, given the plan and the history: the one place that decides when a stage goes on.

Whatever carries out a study asks this module and does not track rungs itself. The local runner makes the decisions that
are due after every result. In Argo the shape of the workflow sets the order, so a pod is given a decision to make, and
learns here which runs that decision still waits for. Nothing here opens a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from automl.search.history import Decision, History, Recommendation
from automl.search.plan import Plan, Stage


@dataclass(frozen=True, order=True)
class Step:
    """One decision of a plan, made or not: decision `index` of stage `stage`."""

    stage: int
    index: int


@dataclass(frozen=True)
class Run:
    """One training that a decision asks for, in a rung of its stage."""

    stage: int
    rung: int
    recommendation: Recommendation

    @property
    def key(self) -> tuple[int, int]:
        """The experiment and the rung, under which a `History` holds its result."""
        return self.recommendation.number, self.rung


@dataclass(frozen=True)
class Pending:
    """The next decision of a stage and what it still waits for: earlier decisions, and runs without a result."""

    step: Step
    decisions: tuple[Step, ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def is_due(self) -> bool:
        return not self.decisions and not self.runs


def due(plan: Plan, history: History) -> tuple[Step, ...]:
    """The decisions that can be made now, in the order of the stages.

    Making them all, adding their results to the history and asking again walks the whole plan: it is over when nothing
    is due and no run is open. A decision that was made is due no more.
    """
    return tuple(following.step for following in pending(plan, history) if following.is_due)


def pending(plan: Plan, history: History) -> tuple[Pending, ...]:
    """The next decision of every stage that is not over, in the order of the stages."""
    following = (barrier(plan, history, stage) for stage in plan.stages)
    return tuple(decision for decision in following if decision is not None)


def barrier(plan: Plan, history: History, stage: Stage) -> Pending | None:
    """The rule of a stage that goes rung by rung: its next decision waits for every result of those it builds on.

    None when all decisions of the stage are made.

    A stage without a barrier (ASHA, PBT) has a rule of the same form, and `pending` calls that one for it. Its next
    index is again the number of decisions made. It waits for no particular run: the decision is due as soon as there is
    a result that no decision of the stage has consumed, and `runs` holds the open ones while there is none. It answers
    None once the stage has issued all that the plan allows and every result is consumed. What such a decision consumed
    depends on chance and is stored in it, so that it can be replayed (state rule 11).
    """
    index = len(history.of_stage(stage.index))
    if index >= len(stage.rungs):
        return None
    undecided: list[Step] = []
    runs: list[Run] = []
    for earlier, last in plan.before(stage.index, index):
        decisions = history.of_stage(earlier.index)
        if len(decisions) > last:
            runs += open_runs(history, decisions[last])
        else:
            undecided.append(Step(earlier.index, last))
    return Pending(Step(stage.index, index), tuple(undecided), tuple(runs))


def runs_of_decision(decision: Decision) -> Iterator[Run]:
    """Every run that the decision asks for, in its order."""
    for recommendation in decision.issued:
        yield Run(decision.stage, decision.index, recommendation)


def open_runs(history: History, decision: Decision) -> tuple[Run, ...]:
    """The runs that the decision asks for and that do not have a result yet."""
    return tuple(run for run in runs_of_decision(decision) if run.key not in history.results)
