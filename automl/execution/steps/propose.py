"""The brain's step: reads what came of the decisions before, makes the next one, stores it once."""

from __future__ import annotations

from automl.search.brain import QueuedValues
from automl.search.history import Decision
from automl.study.deciding import next_decision
from automl.study.definition import Definition
from automl.study.experiments import waiting
from automl.study.record import Record


def propose(record: Record, definition: Definition, stage: int, index: int) -> Decision:
    """The stored decision `index` of `stage`, made now unless it already exists.

    Raises NotReady when a decision or result that it builds on is missing, or when there is nothing to ask for now.
    """
    stored = record.decision(stage, index)
    if stored is not None:
        return stored[0]
    where = definition.plan.stages[stage]
    queue: list[QueuedValues] = []
    if definition.has_steps(where):
        chain = definition.plan.chain(where)
        decisions = [decision for earlier in chain for decision, _ in record.decisions(earlier.index)]
        queue = waiting(record.enqueued(), decisions)
    decided = next_decision(
        definition, stage, index, record.decisions, record.result, queue=queue, again=record.retried
    )
    return record.commit(decided)
