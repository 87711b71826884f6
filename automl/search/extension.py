"""How a search that is over is extended: by more experiments in its chain, or by the brackets of a larger R."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from automl.errors import RecordError
from automl.search.early_end import Limit
from automl.search.plan import Ended, Plan, Resume, Rung, Stage, StageKind, StopRule, capped, trained_by
from automl.search.race import Judgement, fitted, heats, in_words, most_heats
from automl.search.schedules.base import Schedule
from automl.search.stopping import likely_epochs
from automl.text.formatting import shown


class GrowsBy(StrEnum):
    """The option of the study file that grows when a search that is over is extended."""

    EXPERIMENTS = "max_recommendations"  # its chain goes on with more experiments
    RESOURCE = "R"  # brackets of a larger R follow


@dataclass(frozen=True)
class Growth:
    """How an algorithm's search is extended.

    `further` returns the schedule of what is added, from the schedule so far and a number: how many experiments are
    added, or the new R.
    """

    by: GrowsBy
    further: Callable[[Any, int], Schedule]


@dataclass(frozen=True)
class Extension:
    """Either `max_recommendations`, the total experiments of the search, or `R`, the new largest resource.

    `lifted` are the limits of an early end that were reached by then, and that limit the search no more.
    """

    max_recommendations: int | None = None
    R: int | None = None
    lifted: tuple[Limit, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if (self.max_recommendations is None) is (self.R is None):
            raise RecordError("the study's record: an extension has either max_recommendations or R")
        for name, value in self._size.items():
            if type(value) is not int:
                raise RecordError(f"the study's record: it was extended to {name}: {shown(value)}")

    @property
    def by(self) -> GrowsBy:
        """Which option grows."""
        return GrowsBy.EXPERIMENTS if self.R is None else GrowsBy.RESOURCE

    @property
    def to(self) -> int:
        """The number to which the option grows."""
        (number,) = self._size.values()
        return number

    @property
    def _size(self) -> dict[str, int]:
        sizes = {"max_recommendations": self.max_recommendations, "R": self.R}
        return {name: value for name, value in sizes.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """The stored form."""
        return {**self._size, **({"lifted": [limit.value for limit in self.lifted]} if self.lifted else {})}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Extension:
        """Raises RecordError when `data` is not an extension, or one that this version does not support."""
        try:
            lifted = tuple(map(Limit, data.get("lifted", ())))
        except (TypeError, ValueError) as error:
            raise RecordError(f"the study's record: an extension lifts {shown(data.get('lifted'))}") from error
        return cls(data.get("max_recommendations"), data.get("R"), lifted)


def extended(
    schedule: Schedule,
    growth: Growth | None,
    extensions: Sequence[Extension],
    judgement: Judgement,
    most: float = math.inf,
    *,
    resume: Resume = Resume.CHECKPOINT,
    rule: StopRule = StopRule.ASHA,
    ends: Sequence[Sequence[Ended]] = (),
) -> Plan:
    """The plan of a schedule followed by those of its extensions, each with its final judgement.

    `most` is how many configurations there are to try; the search has no more experiments than that. `resume` says how
    its experiments come to their next rung, and `rule` who is stopped there, where any are. `ends` holds, of the search
    and then of each extension, how far its stages came where it ended early, and nothing where it did not.

    Raises RecordError for an extension that the algorithm does not support, InvalidInput for one that is too large.
    """
    plan = with_final(_as_ended(capped(trained_by(schedule.plan(), resume, rule), most), 0, ends[:1]), judgement)
    for number, extension in enumerate(extensions, 1):
        begin = len(plan.stages)
        if growth is None or extension.by is not growth.by:
            raise RecordError(
                f"the study's record: it was extended to {extension.to_json()}, which its algorithm does not support"
            )
        if growth.by is GrowsBy.RESOURCE:
            schedule = growth.further(schedule, extension.to)
            carried_over = sum(stage.retrains is not None for stage in plan.search)
            left = most - (plan.searched - carried_over)
            more = trained_by(schedule.plan(), resume, rule)
            plan = with_larger(plan, capped(more, left, repeated=1), extension.to)
        else:
            added = int(min(extension.to, most)) - plan.searched
            if added <= 0:
                raise RecordError(
                    f"the study's record: it was extended from {plan.searched} to {extension.to} experiments"
                )
            plan = with_extension(plan, growth.further(schedule, added).plan())
        plan = with_final(_as_ended(plan, begin, ends[number : number + 1]), judgement)
    return plan


def _as_ended(plan: Plan, begin: int, ends: Sequence[Sequence[Ended]]) -> Plan:
    """The plan whose stages from `begin` on came as far as `ends` says, if it does."""
    if not ends or not ends[0]:
        return plan
    if len(plan.stages) - begin != len(ends[0]):
        raise RecordError("the study's record: the end of its search is that of another plan")
    ended = (replace(stage, ended=end) for stage, end in zip(plan.stages[begin:], ends[0], strict=True))
    return replace(plan, stages=(*plan.stages[:begin], *ended))


def with_final(plan: Plan, judgement: Judgement) -> Plan:
    """The plan with the final judgement of the search before it, whose trainings are as long as its longest."""
    if judgement.repeats == 0:
        return plan
    longest, earlier = plan.longest, len(plan.finals)
    name = f"final {earlier + 1}" if earlier else "final"
    population = plan.search[-1].population
    if judgement.candidates is None and population:  # who goes through a schedule says whose it is
        rungs = heats(1, judgement.repeats)
        sizes, entrants, notes = [heat.size for heat in rungs], tuple(heat.entrants for heat in rungs), plan.notes
    elif judgement.candidates is None:
        sizes, entrants, notes = [2 * judgement.repeats], tuple[int, ...](), plan.notes
    else:
        epochs = round(likely_epochs(plan.search))  # which are those of the plan, where none is stopped by chance
        wanted = max(1, min(judgement.candidates, plan.searched - 1))  # no more than there are beside the defaults
        chosen = fitted(judgement, wanted, epochs, longest)
        rungs = heats(*chosen)
        sizes, entrants = [heat.size for heat in rungs], tuple(heat.entrants for heat in rungs)
        notes = (*plan.notes, in_words(judgement, wanted, chosen, epochs, longest))
    stage = Stage(
        index=len(plan.stages),
        name=name,
        kind=StageKind.FINAL,
        first=plan.experiments,
        rungs=tuple(Rung(index, size, longest, longest, new=True) for index, size in enumerate(sizes)),
        entrants=entrants,
    )
    if population:
        stage = _cut(stage, [rung.epochs for rung in plan.search[-1].rungs])
    return replace(plan, stages=(*plan.stages, stage), notes=notes)


def most_judging_rungs(judgement: Judgement, plan: Plan) -> int:
    """The most rungs that the judgement of a plan can have, however short its search is."""
    last = plan.search[-1]
    return most_heats(judgement) * (len(last.rungs) if last.population else 1)


def _cut(stage: Stage, ends: Sequence[int]) -> Stage:
    """The stage with each rung cut at these epochs, where the values of its trainings may change."""
    rungs: list[Rung] = []
    entrants: list[int] = []
    for whole, racing in zip(stage.rungs, stage.entrants, strict=True):
        for epochs in (*(end for end in ends if end < whole.epochs), whole.epochs):
            new = len(rungs) == 0 or rungs[-1].epochs == whole.epochs
            rungs.append(Rung(len(rungs), whole.size, epochs, epochs, new=new))
            entrants.append(racing)
    return replace(stage, rungs=tuple(rungs), entrants=tuple(entrants))


def with_extension(plan: Plan, more: Plan) -> Plan:
    """The plan of a chain that goes on with the stage of `more`, after all that was planned before.

    Nothing that was planned changes its position or its number: decisions that were made still belong to the plan.
    """
    last, (stage,) = plan.search[-1], more.stages
    name = f"{plan.search[0].name} {len(plan.search) + 1}"
    stage = replace(stage, index=len(plan.stages), name=name, first=plan.experiments, continues=last.index)
    return replace(plan, stages=(*plan.stages, stage))


def with_larger(plan: Plan, more: Plan, R: int) -> Plan:  # noqa: N803
    """The plan with the stages of `more`, which is that of a larger R, after all that was planned before.

    The outer loop of infinite-horizon Hyperband (Li et al., JMLR 18, 2018, the section on the infinite horizon): the
    largest resource grows and the brackets start anew. Here they do not start from nothing: the last of them, which
    stops the fewest, begins with the best values of the search before, so that longer trainings judge those too.
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
    return replace(plan, stages=(*plan.stages, *stages), resource=R)
