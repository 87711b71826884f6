"""What a study will do and what that takes, before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automl.analysis.beginning import beginning_in_words
from automl.analysis.frozen_layers import frozen_at_random
from automl.problem.aim import Aim
from automl.problem.parameter import Parameter
from automl.problem.parameter_mapping import thawed
from automl.search.earlier_search import EarlierSearch
from automl.search.early_end import Limit, Then, to_come_in_words
from automl.search.plan import Resume, Stage, StageKind, StopRule, trained_by, with_before
from automl.search.stopping import likely_epochs
from automl.study.definition import Definition
from automl.study.estimate import Estimate, estimate
from automl.text.formatting import counted

NOTHING_KEPT = "no model is kept; 'keep: [model.pt]' of the network says which files of a training are"


@dataclass(frozen=True)
class PlannedRung:
    """A number of experiments that train from one epoch to another."""

    rung: int
    experiments: int
    epochs: int
    from_epoch: int

    def to_json(self) -> dict[str, Any]:
        return {
            "rung": self.rung,
            "experiments": self.experiments,
            "epochs": self.epochs,
            "from_epoch": self.from_epoch,
        }


@dataclass(frozen=True)
class PlannedParameter:
    """A parameter that is searched, with its range; of one with options these alone are given."""

    name: str
    kind: str
    low: float | None
    high: float | None
    log: bool
    step: float | None
    options: tuple[Any, ...]
    default: Any
    only_if: str  # the condition under which it exists; empty for always

    @classmethod
    def of(cls, parameter: Parameter, default: Any) -> PlannedParameter:
        options = (False, True) if parameter.kind == "bool" else tuple(map(thawed, parameter.options))
        numbers = (parameter.low, parameter.high, parameter.log, parameter.step)
        switch = parameter.active_when
        only_if = "" if switch is None else f"{switch.parameter} is {' or '.join(map(str, switch.values))}"
        return cls(parameter.name, parameter.kind, *numbers, options, default, only_if)

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "options": list(self.options), "only_if": self.only_if or None}


@dataclass(frozen=True)
class PlannedStage:
    """A stage with its rungs."""

    stage: str
    kind: StageKind
    experiments: int
    rungs: tuple[PlannedRung, ...]

    @classmethod
    def of(cls, stage: Stage) -> PlannedStage:
        rungs = tuple(
            PlannedRung(rung.index, rung.size, rung.epochs, before) for rung, before in with_before(stage, "epochs")
        )
        return cls(stage.name, stage.kind, stage.experiments, rungs)

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "kind": self.kind.value,
            "experiments": self.experiments,
            "rungs": [rung.to_json() for rung in self.rungs],
        }


@dataclass(frozen=True)
class WorkflowSize:
    """About how many bytes a study's workflow takes on Argo at its end, and how many Kubernetes accepts."""

    bytes: int
    most_bytes: int

    def to_json(self) -> dict[str, Any]:
        return {"bytes": self.bytes, "most_bytes": self.most_bytes}


@dataclass(frozen=True)
class Totals:
    """The sums of a plan. Search epochs are counted both resumed and from scratch; other sums include the judgement."""

    experiments: int
    runs: int
    search_epochs: float
    search_epochs_from_scratch: float
    final_epochs: int
    estimate: Estimate  # rounded to hundredths

    def to_json(self) -> dict[str, Any]:
        return {
            "experiments": self.experiments,
            "runs": self.runs,
            "search_epochs": self.search_epochs,
            "search_epochs_from_scratch": self.search_epochs_from_scratch,
            "final_epochs": self.final_epochs,
            "training_minutes": self.estimate.minutes,
            "training_minutes_from_scratch": self.estimate.minutes_from_scratch,
            "gpu_hours": self.estimate.gpu_hours,
            "price": self.estimate.price,
            "wall_minutes": {str(jobs): minutes for jobs, minutes in self.estimate.wall_minutes.items()},
            "storage_megabytes": self.estimate.storage_megabytes,
        }


@dataclass(frozen=True)
class PlannedStudy:
    """All that `automl plan` shows. `workflow` is None where the caller did not ask for it."""

    study: str
    network: str
    algorithm: str
    sampler: str
    parameters: tuple[str, ...]
    configurations: int | None  # that the search space has; None where they are infinitely many
    notes: tuple[str, ...]
    stages: tuple[PlannedStage, ...]
    totals: Totals
    workflow: WorkflowSize | None = None
    until: Mapping[Limit, float] = field(default_factory=dict)
    chosen: str = ""  # what `algorithm: auto` chose, and why
    ranges: tuple[PlannedParameter, ...] = ()
    warm_start: tuple[EarlierSearch, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "network": self.network,
            "algorithm": self.algorithm,
            "sampler": self.sampler,
            "parameters": list(self.parameters),
            "ranges": [parameter.to_json() for parameter in self.ranges],
            "configurations": self.configurations,
            "chosen": self.chosen or None,
            "notes": list(self.notes),
            "until": {limit.value: most for limit, most in self.until.items()},
            "warm_start": [search.summary() for search in self.warm_start],
            "stages": [stage.to_json() for stage in self.stages],
            "totals": self.totals.to_json(),
            **({} if self.workflow is None else {"workflow": self.workflow.to_json()}),
        }


def planned(
    definition: Definition, jobs: tuple[int, ...], workflow: WorkflowSize | None = None, notes: tuple[str, ...] = ()
) -> PlannedStudy:
    """The plan of a study, with the wall-clock time for each of these numbers of experiments at a time.

    `notes` are what the caller has to say beside the plan.
    Raises StudyFileError for settings that no study may begin with.
    """
    definition.check_new()
    plan = definition.plan
    return PlannedStudy(
        study=definition.file.name,
        network=definition.network.name,
        algorithm=definition.file.algorithm,
        sampler=definition.sampler_name,
        parameters=tuple(p.name for p in definition.space.parameters if p not in _switched_off(definition)),
        configurations=None if math.isinf(definition.configurations) else int(definition.configurations),
        notes=(
            *([definition.why_chosen] if definition.why_chosen else []),
            *_trade_off(definition),
            *plan.notes,
            *filter(None, [beginning_in_words(definition)]),
            *_without_barrier(definition),
            *_early_end(definition),
            *_earlier_searches(definition),
            *_small_space(definition),
            *_how_rungs_are_reached(definition),
            *_what_changes(definition),
            *(f"{p.name} is not searched: it exists only while {p.active_when}" for p in _switched_off(definition)),
            *frozen_at_random(definition),
            *notes,
            *(() if definition.network.keeps_a_model else (NOTHING_KEPT,)),
        ),
        stages=tuple(PlannedStage.of(stage) for stage in plan.stages),
        totals=Totals(
            experiments=plan.experiments,
            runs=plan.runs,
            search_epochs=plan.epochs(resume=True),
            search_epochs_from_scratch=plan.epochs(resume=False),
            final_epochs=plan.final_epochs,
            estimate=_rounded(estimate(plan, definition.costs, jobs)),
        ),
        workflow=workflow,
        until=definition.limits,
        chosen=definition.why_chosen,
        ranges=_ranges(definition) if definition.file.automl_enabled else (),
        warm_start=definition.earlier,
    )


def _ranges(definition: Definition) -> tuple[PlannedParameter, ...]:
    """The searched parameters, each with the value at which the search begins."""
    space = definition.space
    defaults = space.defaults()
    return tuple(PlannedParameter.of(each, defaults.get(each.name, thawed(each.default))) for each in space.parameters)


def _switched_off(definition: Definition) -> list[Parameter]:
    """The parameters that no experiment has, because a value that is not searched switches them off."""
    space = definition.space
    return [
        parameter
        for parameter in space.parameters
        if parameter.active_when is not None
        and parameter.active_when.parameter in space.constants
        and not space.exists(parameter, {})
    ]


def _trade_off(definition: Definition) -> list[str]:
    """What several metrics and constraints mean for who goes on, who is judged, and what is kept."""
    aim, notes = definition.aim, list[str]()
    if not isinstance(aim, Aim) or not definition.file.automl_enabled:
        return notes
    if aim.is_several:
        why = "'choose: {weights: ...}' sets another" if definition.file.choose is None else "as 'choose' sets it"
        notes.append(
            f"{1 + len(aim.others)} metrics: rungs are compared by fronts and crowding; the judgement trains, and "
            f"best_model holds, {aim.in_words} ({why}); checkpoints are kept by {aim.name}"
        )
    if aim.constraints:
        words = ", ".join(one.words for one in aim.constraints)
        notes.append(f"constraints: {words}: an experiment that breaks one, or never reports it, is not the best")
    return notes


def _early_end(definition: Definition) -> list[str]:
    """When the search ends before its plan does, and a limit that it cannot reach."""
    until, limits = definition.file.until, definition.limits
    if until is None or not limits:
        return []
    notes = [to_come_in_words(limits, Then(until.then), definition.brain.metric)]
    planned, most = definition.plan.epochs(resume=True), limits.get(Limit.EPOCHS)
    if most is not None and most > planned:
        notes.append(f"until: epochs: {most:g} is more than the search has, which is {planned:g}")
    return notes


def _earlier_searches(definition: Definition) -> list[str]:
    """How much of which earlier searches is used, and what of them is not."""
    return [
        f"warm_start: {search.words}; they are no results of this study"
        + "".join(f"; {sentence}" for sentence in search.left_out)
        for search in definition.earlier
    ]


def _small_space(definition: Definition) -> list[str]:
    """A warning where more experiments are wanted than there are configurations."""
    if not definition.file.automl_enabled:
        return []
    wanted, searched = definition.schedule.plan().searched, definition.plan.search
    planned = sum(stage.experiments for stage in searched if stage.continues is None and stage.retrains is None)
    seeds = definition.network.takes_seed
    there_are = f"the search space has {counted(int(min(definition.configurations, wanted)), 'configuration')}"
    if wanted > definition.most_experiments:
        return [
            f"{there_are} and {wanted} experiments were asked for: each is tried once, in {planned}; "
            f"'repeat_configurations: true' trains them again{', with other seeds' if seeds else ''}"
        ]
    if wanted > definition.configurations:
        again = "with another seed" if seeds else "once more"
        return [f"{there_are} and the search {wanted} experiments: some train the same, {again}"]
    return []


def _how_rungs_are_reached(definition: Definition) -> list[str]:
    """What it takes that no experiment goes on from a checkpoint, and why none does."""
    plan = definition.plan
    if not definition.file.automl_enabled or not any(stage.goes_on(0) for stage in plan.search):
        return []
    if definition.resume is Resume.NONE:
        network = definition.network
        said = definition.file.resume or network.resume
        why = "" if said else f" because {network.name} has no 'checkpoints' rule to resume by"
        resumed = trained_by(plan, Resume.CHECKPOINT).epochs(resume=True)
        return [
            f"resume: none{why}: each rung is trained anew from epoch 0, "
            f"{plan.epochs(resume=True):,g} epochs where {resumed:,g} would do from checkpoints"
        ]
    return []


def _what_changes(definition: Definition) -> list[str]:
    """Which values a population changes while its members train, and which stay."""
    if not definition.changeable:
        return []
    stay = [name for name in (one.name for one in definition.space.parameters) if name not in definition.changeable]
    kept = f"; {', '.join(stay)} {'stays' if len(stay) == 1 else 'stay'} until a member takes over" if stay else ""
    return [f"changed on the way: {', '.join(definition.changeable)}{kept}; 'perturbed' says otherwise"]


def _without_barrier(definition: Definition) -> list[str]:
    """Who goes on where no rung waits for all of its results, and when that is decided."""
    overlap = definition.plan.search[0].overlap
    if overlap is None or overlap.nu is None:
        return []
    if overlap.whole:
        return [
            "each experiment is proposed when a worker is free, from the results so far; "
            "the best of a whole rung are promoted"
        ]
    if overlap.stops is not None:
        return [_who_is_stopped(definition, overlap.nu)]
    return [
        f"no barrier: whoever is among the best 1/{overlap.nu} of a rung's results so far is promoted at once; "
        "the numbers are the most that can be trained"
    ]


def _who_is_stopped(definition: Definition, nu: int) -> str:
    """What it means that each experiment is started once, and how many epochs that can be expected to take."""
    plan, who = definition.plan, f"is not among the best 1/{nu} of the rung's results so far"
    if definition.file.stop_rule == StopRule.MEDIAN:
        who = "has been worse than the median of what the others were on average"
    likely = likely_epochs(plan.search)
    return (
        f"resume: stop: each experiment is started once, for all its epochs, and stopped at the end of a rung when it "
        f"{who}; about {likely:,.0f} epochs where results come in an order of chance, "
        f"{plan.epochs(resume=True):,g} at most"
    )


def _rounded(exact: Estimate) -> Estimate:
    def hundredths(value: float | None) -> float | None:
        return None if value is None else round(value, 2)

    return Estimate(
        minutes=hundredths(exact.minutes),
        minutes_from_scratch=hundredths(exact.minutes_from_scratch),
        gpu_hours=hundredths(exact.gpu_hours),
        price=hundredths(exact.price),
        wall_minutes={jobs: round(minutes, 2) for jobs, minutes in exact.wall_minutes.items()},
        storage_megabytes=hundredths(exact.storage_megabytes),
    )
