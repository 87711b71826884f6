"""What a study file and its network mean together: all that is known before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from automl.errors import RecordError, StudyFileError
from automl.networks import Network, catalogue
from automl.networks.costs import Costs
from automl.networks.keep_rule import check_collected
from automl.networks.metric_rules import MetricRule
from automl.networks.spec_formats import flatten, set_paths
from automl.problem.configurations import count, identity, is_drawn
from automl.problem.metric import Metric
from automl.problem.search_space import SearchSpace
from automl.search.algorithms import (
    ALGORITHMS,
    SAMPLERS,
    Algorithm,
    NamedSampler,
    single_training,
    with_option,
)
from automl.search.brain import Brain
from automl.search.earlier_search import EarlierSearch
from automl.search.early_end import End, Limit, Then
from automl.search.extension import Extension, GrowsBy, Growth, extended
from automl.search.plan import Plan, Resume, Stage, StageKind, StopRule
from automl.search.race import Judgement
from automl.search.ranking import Among
from automl.search.rules import NAMED_SAMPLERS, NO_REPEATS, NULL_IS_A_DEFAULT, RULES
from automl.search.schedules.base import Schedule
from automl.search.untried import Repeats
from automl.study import warm_start
from automl.study.base_spec import base_spec, check_one_of, handed_over
from automl.study.enqueued_values import check_room, enqueued
from automl.study.limits import check_limits, with_costs
from automl.study.objectives import aim_of, check_aim, check_sampler
from automl.study.objectives import rules_of as rules_of_metrics
from automl.study.options import AUTO, MOST_EPOCHS, NOT_DECISIVE, UNSAID, StudyFile
from automl.study.resuming import changeable, check_resume, resume_of, without_rungs
from automl.study.rules import rules_of
from automl.study.searched_parameters import check_told_apart, search_space
from automl.text.formatting import shown
from automl.text.schema_errors import first_error

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Definition:
    """A study file and its network, checked together: the whole of what decides a study.

    `extensions` are those since the study was begun, in their order. `ends` say how the search ended and then each
    extension of it; a study without limits has none. `rules` are those by which it decides: a study keeps the ones that
    it was begun with. `unsaid` are the options of MAY_FOLLOW that the study file leaves out.

    `earlier` are the searches of `warm_start`, copied when the study begins; empty before they are read.

    `home` is the folder of the file that describes the network, where its program lies; None for one of the catalogue,
    and where only the record is read. `why_chosen` says what `algorithm: auto` chose and why (budget.py); it is empty
    elsewhere.
    """

    file: StudyFile
    network: Network
    extensions: tuple[Extension, ...] = ()
    ends: tuple[End, ...] = ()
    rules: int = RULES
    earlier: tuple[EarlierSearch, ...] = ()
    unsaid: tuple[str, ...] = field(default=(), compare=False)
    home: Path | None = field(default=None, compare=False)
    why_chosen: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.network.refused:
            raise StudyFileError(f"network: {self.network.name} cannot be searched: {self.network.refused}")
        self._check_options()
        check_limits(self.file, self.costs)
        # every error is found before anything is written
        spec = self.spec_with(self.space.defaults())
        set_paths(spec, dict.fromkeys(self.network.fields.paths()))
        check_one_of(spec, self.network)
        if self.file.automl_enabled:
            NamedSampler(self.sampler_name).check(self.space, self.plan.searched)

    def check_new(self) -> None:
        """Raises StudyFileError for what no study may begin with any more, although some that were begun have it."""
        check_told_apart(self.space, self.network)
        check_collected(self.network)
        experiments = self.schedule.plan().experiments
        if self.file.parallel is not None and self.file.parallel > experiments:
            raise StudyFileError(
                f"parallel: {self.file.parallel} experiments in one step, but the search has only {experiments}",
                allowed=f"up to max_recommendations: {experiments}",
                advice="raise max_recommendations, or lower parallel: each step learns from those before it",
            )

    def spec_with(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The base spec with these values of searched parameters where they belong."""
        return set_paths(self.base_spec, {self.network.spec_path(name): value for name, value in values.items()})

    def following(self, stored: Mapping[str, Any]) -> Definition:
        """The definition with what a stored study says where this file says nothing, whose defaults have changed.

        The file says nothing of a network of the catalogue but its name.
        """
        try:
            file = _stored(StudyFile, {**stored, "study": {**UNSAID, **stored["study"]}}, "study")
            is_theirs = self.file.network in catalogue() and stored["network"]["name"] == self.network.name
            network = _stored(Network, stored, "network") if is_theirs else self.network
        except (RecordError, KeyError, TypeError):  # another study, or a damaged one: whoever compares them says so
            return self
        followed = {name: getattr(file, name) for name in self.unsaid}
        if self.file.until is not None and file.until is not None:  # it is measured by the costs that it began with
            kept = {name: getattr(file.until, name) for name in ("gpus", "price_per_gpu_hour")}
            said = self.file.until.model_fields_set
            update = {name: value for name, value in kept.items() if name not in said}
            followed["until"] = self.file.until.model_copy(update=update)
        return replace(self, file=self.file.model_copy(update=followed), network=network)

    def to_json(self) -> dict[str, Any]:
        """What is stored with a study: everything that decides, with the network spelt out."""
        options = self.file.model_dump(mode="json", exclude=set(NOT_DECISIVE))
        if self.rules >= NAMED_SAMPLERS and self.sampler_name != self.algorithm.unnamed_sampler:
            options["sampler"] = self.sampler_name
        options["final"] = _set(options["final"])
        options["budget"] = options["budget"] and _set(options["budget"])
        if self.file.until is not None:
            options["until"] = _set(with_costs(self.file.until, self.costs).model_dump(mode="json"))
        return {
            # an option that is not set is left out: an option of a later version must not change a study that lacks it
            "study": {name: value for name, value in _set(options).items() if UNSAID.get(name) != value},
            "network": self.network.model_dump(mode="json", exclude_defaults=True),
            **({"rules": self.rules} if self.rules > 1 else {}),  # what was begun under the first rules names none
            **warm_start.to_json(self.earlier),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], settings: StudyFile | None = None) -> Definition:
        """The definition that a study was started with, carried out with the `run` and `costs` of `settings`.

        Raises RecordError for settings that this version does not know.
        """
        file = _stored(StudyFile, {**data, "study": {**UNSAID, **data["study"]}}, "study")
        if file.algorithm == AUTO:
            raise RecordError(f"the study's record: algorithm: {AUTO}", allowed="the algorithm that was chosen")
        if settings is not None:
            file = file.model_copy(update={name: getattr(settings, name) for name in NOT_DECISIVE})
        extensions = tuple(map(Extension.from_json, data.get("extensions", ())))
        ends = tuple(End.from_json(end, f"ends/{number}.json") for number, end in enumerate(data.get("ends", ())))
        unsaid = tuple(map(str, data.get("unsaid", ())))
        network, earlier = _stored(Network, data, "network"), warm_start.stored(data)
        return cls(file, network, extensions, ends, rules_of(data), earlier, unsaid)

    @cached_property
    def metric_rules(self) -> tuple[MetricRule, ...]:
        """The metrics that it improves, the first one first."""
        return rules_of_metrics(self.file.metric, self.file.metrics, self.network)

    @property
    def metric_rule(self) -> MetricRule:
        """The first metric, of which histories and kept checkpoints are."""
        return self.metric_rules[0]

    @cached_property
    def aim(self) -> Metric:
        """What it searches for: a plain metric, or an `Aim` of several or with constraints."""
        return aim_of(self.metric_rules, self.file.constraints, self.file.choose)

    @cached_property
    def base_spec(self) -> dict[str, Any]:
        """The network's default train spec with the study file's own settings."""
        return base_spec(self.file, self.network)

    @cached_property
    def handed_over(self) -> tuple[str, ...] | None:
        """The paths of the base spec that a training gets; None for all of it."""
        return handed_over(self.file, self.network)

    @cached_property
    def space(self) -> SearchSpace:
        """The parameters that are searched, with the study file's ranges."""
        of_before = self.rules < NULL_IS_A_DEFAULT
        return search_space(self.file, self.network, self.base_spec, no_null_defaults=of_before)

    @cached_property
    def max_epochs(self) -> int:
        """The epochs of a full training: the study file's, by either name, or the network's."""
        field, own_epochs = self.network.fields.epochs, self.file.max_epochs
        fixed = flatten(self.file.train_spec).get(field or "")
        if fixed is None:
            return own_epochs or self.network.epochs
        if not isinstance(fixed, int) or isinstance(fixed, bool) or not 1 <= fixed <= MOST_EPOCHS:
            allowed = f"a whole number from 1 to {MOST_EPOCHS:,}"
            raise StudyFileError(f"train_spec: {field}: {shown(fixed)}", allowed=allowed)
        if own_epochs not in {None, fixed}:
            raise StudyFileError(
                f"max_epochs: {own_epochs} and train_spec: {field}: {fixed} contradict each other",
                advice="keep max_epochs",
            )
        return fixed

    @cached_property
    def schedule(self) -> Schedule:
        """How many and how long, as it was begun."""
        if not self.file.automl_enabled:
            return single_training(self.max_epochs)
        options = {name: getattr(self.file, name) for name in self.algorithm.options}
        options = {name: value for name, value in options.items() if value is not None}
        return self.algorithm.schedule_with(self.sampler_name, {**options, "max_epochs": self.max_epochs})

    @property
    def algorithm(self) -> Algorithm:
        """The row of its algorithm."""
        return ALGORITHMS[self.file.algorithm]

    @property
    def growth(self) -> Growth | None:
        """How the search can be extended when it is over; None if it cannot."""
        return self.algorithm.growth if self.file.automl_enabled else None

    @cached_property
    def brain(self) -> Brain:
        judgement = self.file.final.judgement if self.file.automl_enabled else Judgement(0)
        return Brain(
            plan=extended(
                self.schedule,
                self.growth,
                self.extensions,
                judgement,
                self.most_experiments,
                resume=self.resume,
                rule=StopRule(self.file.stop_rule or StopRule.ASHA),
                ends=[end.stages for end in self.ends],
            ),
            space=self.space,
            sampler=NamedSampler(self.sampler_name, self.rules),
            learns=SAMPLERS[self.sampler_name].learns,
            metric=self.aim,
            seed=self.file.seed,
            held_out=self.network.held_out_metric is not None,
            enqueue=self.enqueued,
            repeats=self.repeats,
            best_among=Among(self.file.best_among),
            warm_start=self.earlier,
            seeded=self.network.takes_seed,
            changeable=self.changeable,
        )

    @cached_property
    def changeable(self) -> tuple[str, ...]:
        """The parameters whose values a population may change while a training goes on, by name; none elsewhere."""
        changes = self.algorithm.changes and self.file.automl_enabled
        return changeable(self.file, self.network, self.space) if changes else ()

    @property
    def resume(self) -> Resume:
        """How an experiment comes to its next rung, where its algorithm has rungs."""
        return resume_of(self.file, self.network)

    @cached_property
    def enqueued(self) -> tuple[dict[str, Any], ...]:
        """The completed values of `enqueue`. Raises StudyFileError where the search has no experiment for each."""
        values = enqueued(self.space, self.file.enqueue or [])
        planned = self.schedule.plan().experiments
        check_room(values, int(min(planned, self._most_with(values))), planned)
        return values

    @property
    def repeats(self) -> Repeats:
        """Whether a configuration may be trained again."""
        if self.rules < NO_REPEATS:
            return Repeats.AS_PROPOSED
        return Repeats.WHEN_ALL_WERE_TRIED if self.file.repeat_configurations else Repeats.NEVER

    @cached_property
    def configurations(self) -> float:
        """How many configurations the search space has: a whole number, or infinity."""
        return count(self.space)

    @property
    def most_experiments(self) -> float:
        """The most experiments that the search can have, all of different configurations unless repeats are allowed."""
        return self._most_with(self.enqueued)

    def _most_with(self, values: Sequence[Mapping[str, Any]]) -> float:
        if self.repeats is not Repeats.NEVER:
            return math.inf
        chosen = {identity(each): each for each in (self.space.defaults(), *values)}
        return self.configurations + sum(not is_drawn(self.space, each) for each in chosen.values())

    @property
    def end(self) -> End | None:
        """How the search ended, or its newest extension; None while it has not, and always without limits."""
        return self.ends[len(self.extensions)] if len(self.ends) > len(self.extensions) else None

    @property
    def limits(self) -> dict[Limit, float]:
        """What ends the search early, without the limits that extensions have lifted."""
        lifted = {limit for extension in self.extensions for limit in extension.lifted}
        given = self.file.until.limits if self.file.until is not None and self.file.automl_enabled else {}
        return {limit: most for limit, most in given.items() if limit not in lifted}

    @property
    def stops_what_trains(self) -> bool:
        """Whether trainings under way are stopped where the search ends early, and it has not ended."""
        return self.end is None and self.file.until is not None and Then(self.file.until.then) is Then.STOP

    @property
    def is_chain(self) -> bool:
        """Whether it is a chain of full trainings, to which experiments and values can be added."""
        return self.growth is not None and self.growth.by is GrowsBy.EXPERIMENTS

    def has_steps(self, stage: Stage) -> bool:
        """Whether a stage of its plan consists of the steps of a chain and not of rungs."""
        return self.is_chain and stage.kind is StageKind.SEARCH

    @property
    def plan(self) -> Plan:
        return self.brain.plan

    @property
    def sampler_name(self) -> str:
        before = self.rules < self.algorithm.named_from
        return self.file.sampler or (self.algorithm.unnamed_sampler if before else self.algorithm.sampler)

    @cached_property
    def costs(self) -> Costs:
        own_costs = self.file.costs.model_dump(exclude_none=True)
        return Costs(**{**self.network.usual.model_dump(), **own_costs})

    def _check_options(self) -> None:
        algorithm = self.algorithm
        every = {option for row in ALGORITHMS.values() for option in row.options}
        for option in sorted(every - set(algorithm.options) - {"max_epochs"}):
            if getattr(self.file, option) is not None:
                raise StudyFileError(
                    f"{option}: {shown(getattr(self.file, option))} is no option of algorithm: {self.file.algorithm}",
                    allowed=f"{', '.join(algorithm.options)} with {self.file.algorithm}",
                    advice=f"leave it out, or choose another algorithm: {', '.join(with_option(option))}",
                )
        check_resume(self.file, self.network)
        check_aim(self.aim, self.network, stop_rule=self.file.stop_rule, limits=tuple(self.limits))
        ends_at_rungs = algorithm.resumes and self.resume is not Resume.STOP
        longest = self.schedule.plan().longest if self.resume is Resume.STOP else self.max_epochs
        if self.network.fixed_epochs and (ends_at_rungs or longest != self.network.epochs):
            stopped = (f"{name} with resume: stop" for name, row in ALGORITHMS.items() if row.overlaps)
            raise StudyFileError(
                f"algorithm: {self.file.algorithm} to {self.max_epochs} epochs with {self.network.name}, which always "
                f"trains {self.network.epochs} (fixed_epochs)",
                allowed=f"{', '.join((*without_rungs(), *stopped))}; with max_epochs: {self.network.epochs}",
            )
        for option in ("floor_multiplier", "lower_R"):
            if getattr(self.file, option) is not None and self.file.epoch_multiplier != "auto":
                raise StudyFileError(
                    f"{option}: {shown(getattr(self.file, option))} without epoch_multiplier: auto",
                    allowed="with epoch_multiplier: auto, whose rule it changes",
                    advice=f"leave {option} out",
                )
        if self.file.sampler is not None and self.file.sampler not in algorithm.samplers:
            raise StudyFileError(
                f"sampler: {self.file.sampler} does not go with algorithm: {self.file.algorithm}",
                allowed=", ".join(algorithm.samplers),
            )
        if self.file.automl_enabled:
            check_sampler(self.aim, self.sampler_name, algorithm)
        warm_start.check(self.file, self.sampler_name, algorithm)


def _set(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that have a value."""
    return {name: value for name, value in options.items() if value is not None}


def _stored(model: type[M], data: Mapping[str, Any], part: str) -> M:
    try:
        return model.model_validate(data[part])
    except ValidationError as error:
        problem, allowed, _ = first_error(error, model, data[part])
        advice = "use the version of argo-automl that began the study"
        raise RecordError(f"the study's record: {part}: {problem}", allowed=allowed, advice=advice) from error
