"""What a search that is over goes on to: more experiments in its chain, or the brackets of a larger R."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from automl.errors import RecordError
from automl.search.plan import Plan, Rung, Stage
from automl.search.schedules.base import Schedule
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.sequential import Sequential
from automl.search.schedules.successive_halving import SuccessiveHalving
from automl.text.formatting import shown


@dataclass(frozen=True)
class Extension:
    """One of the two. max_recommendations: experiments of the search in all. R: the largest resource from then on."""

    max_recommendations: int | None = None
    R: int | None = None

    def __post_init__(self) -> None:
        if (self.max_recommendations is None) is (self.R is None):
            raise RecordError("the study's record: an extension has either max_recommendations or R")
        for name, value in self.to_json().items():
            if type(value) is not int:
                raise RecordError(f"the study's record: it was extended to {name}: {shown(value)}")

    def to_json(self) -> dict[str, int]:
        """What is stored of it."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Extension:
        """Raises RecordError for what is no extension, or one that this version does not know."""
        return cls(data.get("max_recommendations"), data.get("R"))


def resource(schedule: Schedule, extensions: Sequence[Extension]) -> int | None:
    """The R of a search as it was extended; None for an algorithm that has none."""
    if not isinstance(schedule, Hyperband | SuccessiveHalving):
        return None
    return extensions[-1].R if extensions else schedule.resource


def extended(schedule: Schedule, extensions: Sequence[Extension], repeats: int) -> Plan:
    """The plan of a schedule with those of its extensions behind it, each with its final judgement of `repeats`.

    Raises RecordError for an extension that the schedule cannot have, InvalidInput for one that is too large.
    """
    plan = with_final(schedule.plan(), repeats)
    for each in extensions:
        if each.R is not None and isinstance(schedule, Hyperband | SuccessiveHalving):
            schedule = schedule.larger(each.R)
            plan = with_larger(plan, schedule.plan(), each.R)
        elif each.max_recommendations is not None and isinstance(schedule, Sequential):
            total = plan.searched
            if each.max_recommendations <= total:
                to = each.max_recommendations
                raise RecordError(f"the study's record: it was extended from {total} to {to} experiments")
            more = replace(schedule, experiments=each.max_recommendations - total)
            plan = with_extension(plan, more.plan())
        else:
            raise RecordError(f"the study's record: it was extended to {each.to_json()}, which its algorithm has not")
        plan = with_final(plan, repeats)
    return plan


def with_final(plan: Plan, repeats: int) -> Plan:
    """The plan with the final judgement: the best values and the defaults, `repeats` fresh trainings of each."""
    if repeats == 0:
        return plan
    rung = Rung(0, 2 * repeats, plan.longest, plan.longest, new=True)
    earlier = sum(stage.kind == "final" for stage in plan.stages)
    name = f"final {earlier + 1}" if earlier else "final"
    stage = Stage(len(plan.stages), name, "final", plan.experiments, (rung,))
    return replace(plan, stages=(*plan.stages, stage))


def with_extension(plan: Plan, more: Plan) -> Plan:
    """The plan of a chain that goes on with the stage of `more`, after all that was planned before.

    Nothing that was planned changes its place or its number: decisions that were made stay those of the plan.
    """
    last, (stage,) = plan.search[-1], more.stages
    name = f"{plan.search[0].name} {len(plan.search) + 1}"
    stage = replace(stage, index=len(plan.stages), name=name, first=plan.experiments, continues=last.index)
    return replace(plan, stages=(*plan.stages, stage))


def with_larger(plan: Plan, more: Plan, R: int) -> Plan:  # noqa: N803
    """The plan with the stages of `more`, which is that of a larger R, after all that was planned before.

    The outer loop of infinite-horizon Hyperband (Li et al., JMLR 18, 2018, the section on the infinite horizon): the
    largest resource grows and the brackets start anew. Not from nothing here: the last of them, which stops the fewest,
    begins with the best values of the search before, so that longer trainings judge those too.
    """
    begin, last = len(plan.stages), len(more.stages) - 1
    stages = [
        replace(
            stage,
            index=begin + stage.index,
            name=f"{stage.name} R={R}",
            first=plan.experiments + stage.first,
            retrains=begin if stage.index == last else None,
        )
        for stage in more.stages
    ]
    return replace(plan, stages=(*plan.stages, *stages))
