"""The brain's step: reads what came of the rung before, decides on the next, stores the decision once."""

from __future__ import annotations

from automl.errors import NotReady
from automl.record import Record, outcomes_of, rung_of
from automl.study import Decision
from automl.study_file import Definition


def propose(record: Record, definition: Definition, stage: int, index: int) -> Decision:
    """The stored decision for rung `index` of `stage`, made now unless it stands already.

    Raises NotReady when a decision or result that it builds on is missing.
    """
    made = record.decision(stage, index)
    if made is not None:
        return made[0]
    if definition.plan.stages[stage].kind == "final":
        decision = _final(record, definition, stage)
    else:
        decision = _next_rung(record, definition, stage, index)
    return record.commit(decision)


def _next_rung(record: Record, definition: Definition, stage: int, index: int) -> Decision:
    where = definition.plan.stages[stage]
    before = record.decisions(stage)[:index]  # another walker may have made ours in the meantime, and later ones
    if len(before) < index:
        raise NotReady(f"decision {index} of stage {where.name} was asked for, and only {len(before)} are made")
    outcomes = []
    for last, _ in before[-1:]:
        rung = rung_of(where, last)
        for recommendation in last.issued:
            result = record.result(recommendation.number, rung)
            if result is None:
                raise NotReady(f"experiment {recommendation.number} has no result at rung {rung} yet")
            outcomes.append(result.outcome())
    earlier = [decision for decision, _ in before]
    return definition.brain.decide(stage, index, earlier, outcomes, [digest for _, digest in before[-1:]])


def _final(record: Record, definition: Definition, stage: int) -> Decision:
    search = definition.plan.search
    study = record.study(definition.brain.metric, search)
    for where in search:
        decisions = study.of_stage(where.index)
        if len(decisions) < len(where.rungs):
            raise NotReady(
                f"stage {where.name} is not finished: {len(decisions)} of {len(where.rungs)} decisions are made"
            )
        for decision in decisions:
            for recommendation in decision.issued:
                if (recommendation.number, rung_of(where, decision)) not in study.results:
                    raise NotReady(f"experiment {recommendation.number} of stage {where.name} has no result yet")
    previous = [record.decisions(where.index)[-1][1] for where in search]
    return definition.brain.decide(stage, 0, study.decisions, outcomes_of(study, search), previous)
