"""Where experiments train on until they are stopped: the answer at the end of a rung, and the run that one is at.

Whoever follows a training asks for its answer, and makes the decisions before it that nobody has made yet: what decides
is what stands in the record, and not who is the first to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from automl.errors import NotReady
from automl.execution.steps.propose import propose
from automl.search.agenda import Run, begins, runs_of_decision
from automl.search.history import Decision
from automl.search.plan import Stage
from automl.study import ending
from automl.study.definition import Definition
from automl.study.record import Record


def decision_of_turn(record: Record, stage: Stage, turn: int) -> Decision | None:
    """The decision by which a turn of a stage without a barrier trains; None while it is not made.

    It has the index of the turn, but where experiments are stopped: there it is the one that begins experiment `turn`.
    """
    if not stage.stops:
        stored = record.decision(stage.index, turn)
        return None if stored is None else stored[0]
    beginning = [decision for decision in _decisions(record, stage) if begins(stage, decision)]
    return beginning[turn] if turn < len(beginning) else None


def newest_run(record: Record, definition: Definition, stage: int, experiment: int) -> Run | None:
    """The run that an experiment is at, by the answers that it has and those that it gets now.

    It has a result where nothing is left to train.
    """
    runs = [run for decision in _decisions(record, definition.plan.stages[stage]) for run in runs_of_decision(decision)]
    own = [run for run in runs if run.recommendation.number == experiment]
    if not own:
        return None
    run = own[-1]
    while (result := record.result(*run.key)) is not None and result.failure is None:
        behind = answered(record, definition, stage, run.key)
        if behind is None:
            break
        run = behind
    return run


def answered(record: Record, definition: Definition, stage: int, run: tuple[int, int]) -> Run | None:
    """The run with which an experiment trains on after the result of `run`, an experiment and a rung.

    None where it is stopped, or the search has ended, or the rung is the last one.
    """
    (experiment, rung), index = run, 0
    if not definition.plan.stages[stage].goes_on(rung):
        return None
    while True:
        definition = ending.refreshed(record, definition)
        planned = definition.plan.stages[stage]
        decisions = _decisions(record, planned)
        for decision in decisions[index:]:
            if any(stopped.number == experiment for stopped in decision.stopped):
                return None
            for following in runs_of_decision(decision):
                if following.key == (experiment, rung + 1):
                    return following
        if planned.ended is not None:
            return None
        index = len(decisions)
        with suppress(NotReady):  # somebody else was quicker
            propose(record, definition, stage, index)


def _decisions(record: Record, stage: Stage) -> Sequence[Decision]:
    return [decision for decision, _ in record.decisions_in(stage)]
