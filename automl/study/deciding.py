"""The next decision of a stage, computed from what a record holds; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from automl.errors import NotReady
from automl.search.asynchronous import standing_of
from automl.search.brain import QueuedValues
from automl.search.history import Decision, Outcome, Result
from automl.search.plan import Stage
from automl.study.definition import Definition
from automl.study.experiments import check_in_plan

# What a decision is computed from: the decisions of a stage, each with its sha256; the result of a run.
Decisions: TypeAlias = Callable[[int], Sequence[tuple[Decision, str]]]
Results: TypeAlias = Callable[[int, int], Result | None]


def next_decision(
    definition: Definition,
    stage: int,
    index: int,
    decisions: Decisions,
    result: Results,
    *,
    queue: Sequence[QueuedValues] = (),
    consumed: Collection[tuple[int, int]] | None = None,
    again: Collection[tuple[int, int]] = (),
) -> Decision:
    """Decision `index` of `stage`, computed anew and stored nowhere. Raises NotReady as `propose` does.

    Without a barrier it consumes all results that are there, or those of the runs `consumed`, to be computed again.
    `again` are the runs that were trained again: a chain learns of what has changed since a decision saw their failure.
    """
    if definition.plan.sees_all(stage, index):
        return _after_all(definition, stage, decisions, result)
    if definition.plan.stages[stage].overlap is not None:
        return _next_training(definition, stage, index, decisions, result, queue=queue, consumed=consumed, again=again)
    return _next_rung(definition, stage, index, decisions, result, queue=queue, again=again)


def _next_rung(
    definition: Definition,
    stage: int,
    index: int,
    decisions: Decisions,
    result: Results,
    *,
    queue: Sequence[QueuedValues],
    again: Collection[tuple[int, int]],
) -> Decision:
    plan = definition.plan
    decided = _decided(definition, stage, index, decisions, result)
    outcomes = [
        outcome
        for (earlier_stage, _), (decision, _) in zip(plan.before(stage, index), decided[-1:], strict=True)
        for outcome in _outcomes(earlier_stage, decision, result)
    ]
    earlier = [decision for decision, _ in decided]
    if plan.stages[stage].rungs[index].new:
        outcomes += _changed(earlier, result, again)
    return definition.brain.decide(stage, index, earlier, outcomes, [digest for _, digest in decided[-1:]], queue=queue)


def _next_training(
    definition: Definition,
    stage: int,
    index: int,
    decisions: Decisions,
    result: Results,
    *,
    queue: Sequence[QueuedValues],
    consumed: Collection[tuple[int, int]] | None,
    again: Collection[tuple[int, int]],
) -> Decision:
    """The decision of a stage without a barrier: on one training, from the results that have come in."""
    decided = _decided(definition, stage, index, decisions, result)
    earlier = [decision for decision, _ in decided]
    seen = {(outcome.experiment, outcome.rung) for decision in earlier for outcome in decision.consumed}
    runs = [(issued.number, rung) for decision in earlier for issued, rung in decision.runs()]
    wanted = [run for run in runs if run not in seen and (consumed is None or run in consumed)]
    outcomes = [reached.outcome() for run in wanted if (reached := result(*run)) is not None]
    outcomes += _changed(earlier, result, again)
    return definition.brain.decide(stage, index, earlier, outcomes, [digest for _, digest in decided[-1:]], queue=queue)


def _decided(
    definition: Definition, stage: int, index: int, decisions: Decisions, result: Results
) -> list[tuple[Decision, str]]:
    """The decisions of a chain before decision `index` of `stage`. Raises NotReady when one is missing."""
    where = definition.plan.stages[stage]
    before = list(decisions(stage)[:index])  # another walker may have made ours in the meantime, and later ones
    if len(before) < index:
        raise NotReady(f"decision {index} of stage {where.name} was asked for, and only {len(before)} are made")
    links = definition.plan.learned_from(where, learns=definition.brain.learns)
    return [*(decision for link in links for decision in _whole(definition, link, decisions, result)), *before]


def _changed(earlier: Sequence[Decision], result: Results, again: Collection[tuple[int, int]]) -> Iterator[Outcome]:
    """The outcomes of runs that were trained again, where they are not those that the decisions so far have seen."""
    seen = {(outcome.experiment, outcome.rung): outcome for decision in earlier for outcome in decision.consumed}
    for run in sorted(set(again) & set(seen)):
        reached = result(*run)
        if reached is not None and reached.outcome() != seen[run]:
            yield reached.outcome()


def _whole(
    definition: Definition, stage: Stage, decisions: Decisions, result: Results
) -> Sequence[tuple[Decision, str]]:
    """All decisions of a stage. Raises NotReady when one is missing."""
    decided = decisions(stage.index)
    if stage.ended is not None:  # what was decided at the very moment of the end is no part of it
        decided = decided[: stage.most_decisions]
    if stage.overlap is not None:
        made = [decision for decision, _ in decided]
        outcomes = [outcome for decision in made for outcome in _outcomes(stage, decision, result)]
        if not standing_of(stage, made, outcomes, definition.brain.metric).is_over:
            raise NotReady(f"stage {stage.name} is not finished: {len(decided)} decisions are made")
        return decided
    if len(decided) < (most := stage.most_decisions):
        raise NotReady(f"stage {stage.name} is not finished: {len(decided)} of {most} decisions are made")
    return decided


def _after_all(definition: Definition, stage: int, decisions: Decisions, result: Results) -> Decision:
    """The first decision of a stage that looks at the whole search before it."""
    earlier: list[Decision] = []
    outcomes: list[Outcome] = []
    previous: list[str] = []
    for where, _ in definition.plan.before(stage, 0):
        decided = _whole(definition, where, decisions, result)
        for decision, _ in decided:
            earlier.append(decision)
            outcomes += _outcomes(where, decision, result)
        previous.append(decided[-1][1])
    return definition.brain.decide(stage, 0, earlier, outcomes, previous)


def _outcomes(stage: Stage, decision: Decision, result: Results) -> Iterator[Outcome]:
    """The outcomes of everything that the decision requested."""
    check_in_plan(stage, decision)
    for issued, rung in decision.runs():
        reached = result(issued.number, rung)
        if reached is None:
            missing = f"experiment {issued.number} of stage {stage.name}"
            raise NotReady(f"{missing} has no result at rung {rung} yet")
        yield reached.outcome()
