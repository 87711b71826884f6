"""The brain's step: reads what came of the rung before, decides on the next, stores the decision once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from automl.errors import NotReady
from automl.plan import Stage
from automl.record import Record, rung_of
from automl.study import Decision, Outcome, Result
from automl.study_file import Definition

# What a decision is computed from: the decisions of a stage, each with its sha256; the result of a run.
Decisions: TypeAlias = Callable[[int], Sequence[tuple[Decision, str]]]
Results: TypeAlias = Callable[[int, int], Result | None]


def propose(record: Record, definition: Definition, stage: int, index: int) -> Decision:
    """The stored decision for rung `index` of `stage`, made now unless it stands already.

    Raises NotReady when a decision or result that it builds on is missing.
    """
    made = record.decision(stage, index)
    if made is not None:
        return made[0]
    return record.commit(decide(definition, stage, index, record.decisions, record.result))


def decide(definition: Definition, stage: int, index: int, decisions: Decisions, result: Results) -> Decision:
    """The decision for rung `index` of `stage`, computed anew and stored nowhere. Raises NotReady as `propose` does."""
    if definition.plan.stages[stage].kind == "final":
        return _final(definition, stage, decisions, result)
    return _next_rung(definition, stage, index, decisions, result)


def _next_rung(definition: Definition, stage: int, index: int, decisions: Decisions, result: Results) -> Decision:
    where = definition.plan.stages[stage]
    before = decisions(stage)[:index]  # another walker may have made ours in the meantime, and later ones
    if len(before) < index:
        raise NotReady(f"decision {index} of stage {where.name} was asked for, and only {len(before)} are made")
    outcomes = [outcome for last, _ in before[-1:] for outcome in _outcomes(where, last, result)]
    earlier = [decision for decision, _ in before]
    return definition.brain.decide(stage, index, earlier, outcomes, [digest for _, digest in before[-1:]])


def _final(definition: Definition, stage: int, decisions: Decisions, result: Results) -> Decision:
    earlier: list[Decision] = []
    outcomes: list[Outcome] = []
    previous: list[str] = []
    for where in definition.plan.search:
        made = decisions(where.index)
        if len(made) < len(where.rungs):
            raise NotReady(f"stage {where.name} is not finished: {len(made)} of {len(where.rungs)} decisions are made")
        for decision, _ in made:
            earlier.append(decision)
            outcomes += _outcomes(where, decision, result)
        previous.append(made[-1][1])
    return definition.brain.decide(stage, 0, earlier, outcomes, previous)


def _outcomes(stage: Stage, decision: Decision, result: Results) -> Iterator[Outcome]:
    """What came of everything that the decision asked."""
    rung = rung_of(stage, decision)
    for asked in decision.issued:
        found = result(asked.number, rung)
        if found is None:
            raise NotReady(f"experiment {asked.number} of stage {stage.name} has no result at rung {rung} yet")
        yield found.outcome()
