"""The decision of a rung, computed from what a record holds; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from automl.errors import NotReady
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
) -> Decision:
    """The decision for rung `index` of `stage`, computed anew and stored nowhere. Raises NotReady as `propose` does."""
    if definition.plan.sees_all(stage, index):
        return _after_all(definition, stage, decisions, result)
    return _next_rung(definition, stage, index, decisions, result, queue=queue)


def _next_rung(
    definition: Definition,
    stage: int,
    index: int,
    decisions: Decisions,
    result: Results,
    *,
    queue: Sequence[QueuedValues],
) -> Decision:
    plan = definition.plan
    where = plan.stages[stage]
    before = list(decisions(stage)[:index])  # another walker may have made ours in the meantime, and later ones
    if len(before) < index:
        raise NotReady(f"decision {index} of stage {where.name} was asked for, and only {len(before)} are made")
    chain = [decision for link in plan.chain(where)[:-1] for decision in _whole(link, decisions)]
    decided = [*chain, *before]
    outcomes = [
        outcome
        for (earlier_stage, _), (decision, _) in zip(plan.before(stage, index), decided[-1:], strict=True)
        for outcome in _outcomes(earlier_stage, decision, result)
    ]
    earlier = [decision for decision, _ in decided]
    return definition.brain.decide(stage, index, earlier, outcomes, [digest for _, digest in decided[-1:]], queue=queue)


def _whole(stage: Stage, decisions: Decisions) -> Sequence[tuple[Decision, str]]:
    """All decisions of a stage. Raises NotReady when one is missing."""
    decided = decisions(stage.index)
    if len(decided) < len(stage.rungs):
        raise NotReady(f"stage {stage.name} is not finished: {len(decided)} of {len(stage.rungs)} decisions are made")
    return decided


def _after_all(definition: Definition, stage: int, decisions: Decisions, result: Results) -> Decision:
    """The first decision of a stage that looks at the whole search before it."""
    earlier: list[Decision] = []
    outcomes: list[Outcome] = []
    previous: list[str] = []
    for where, _ in definition.plan.before(stage, 0):
        decided = _whole(where, decisions)
        for decision, _ in decided:
            earlier.append(decision)
            outcomes += _outcomes(where, decision, result)
        previous.append(decided[-1][1])
    return definition.brain.decide(stage, 0, earlier, outcomes, previous)


def _outcomes(stage: Stage, decision: Decision, result: Results) -> Iterator[Outcome]:
    """The outcomes of everything that the decision requested."""
    check_in_plan(stage, decision)
    for issued in decision.issued:
        reached = result(issued.number, decision.index)
        if reached is None:
            missing = f"experiment {issued.number} of stage {stage.name}"
            raise NotReady(f"{missing} has no result at rung {decision.index} yet")
        yield reached.outcome()
