"""The study file, checked, and all that follows from it before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from automl.errors import RecordError, SpaceError, StudyFileError, nearest
from automl.networks import Network
from automl.networks.costs import Costs
from automl.networks.definition import MetricRule
from automl.networks.spec_formats import flatten, get_path, has_path, set_paths
from automl.problem.search_space import SearchSpace
from automl.search.algorithms import ALGORITHMS, Algorithm, NamedSampler, single_training, with_option
from automl.search.brain import Brain
from automl.search.extension import Extension, GrowsBy, Growth, extended
from automl.search.plan import Plan
from automl.search.schedules.base import Schedule
from automl.study.enqueued_values import enqueued
from automl.study.options import MOST_EPOCHS, NOT_DECISIVE, StudyFile
from automl.text.formatting import shown
from automl.text.schema_errors import first_error

SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_SET_BY_THE_STUDY = {  # fields of a train spec that it fills in itself -> what to say instead
    "seed": "every experiment gets a seed of its own, drawn from 'seed' of the study file",
    "schedule_epochs": "it follows from max_epochs",
    "resume_from": "experiments go on from their own checkpoints",
    "results": "every experiment gets a folder of its own",
    "held_out": "only the final judgement looks at held-out data",
}


M = TypeVar("M", bound=BaseModel)


def _below(dataset: str, told: Any) -> Any:
    """What a network puts into its spec for a dataset: {dataset} filled in wherever it stands."""
    if isinstance(told, Mapping):
        return {name: _below(dataset, each) for name, each in told.items()}
    if isinstance(told, list):
        return [_below(dataset, each) for each in told]
    return told.replace("{dataset}", dataset.rstrip("/")) if isinstance(told, str) else told


_ELSEWHERE = "settings of the training stand under 'train_spec', other ranges under 'parameters'"


@dataclass(frozen=True)
class Definition:
    """A study file and its network, checked together: the whole of what decides a study.

    extensions: what it was extended to since it was begun, in that order.
    """

    file: StudyFile
    network: Network
    extensions: tuple[Extension, ...] = ()

    def __post_init__(self) -> None:
        if self.network.refused:
            raise StudyFileError(f"network: {self.network.name} cannot be searched: {self.network.refused}")
        self._check_options()
        # every error is found before anything is written
        set_paths(self.placed(self.space.defaults()), dict.fromkeys(self.network.fields.paths()))
        self._check_one_of()
        _ = self.brain

    def placed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The base spec with these values of searched parameters where they belong."""
        return set_paths(self.base_spec, {self.network.place(name): value for name, value in values.items()})

    def to_json(self) -> dict[str, Any]:
        """What is stored with a study: everything that decides, with the network spelt out."""
        said = self.file.model_dump(mode="json", exclude=set(NOT_DECISIVE))
        return {
            # what is left out stays out, so that an option of a later version does not change a study that lacks it
            "study": {name: value for name, value in said.items() if value is not None},
            "network": self.network.model_dump(mode="json", exclude_defaults=True),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], settings: StudyFile | None = None) -> Definition:
        """The definition that a study was started with, carried out with the `run` and `costs` of `settings`.

        Raises RecordError for settings that this version does not know.
        """
        file = _stored(StudyFile, data, "study")
        if settings is not None:
            file = file.model_copy(update={name: getattr(settings, name) for name in NOT_DECISIVE})
        extensions = tuple(map(Extension.from_json, data.get("extensions", ())))
        return cls(file, _stored(Network, data, "network"), extensions)

    @cached_property
    def metric_rule(self) -> MetricRule:
        return self.file.metric or self.network.metric

    @cached_property
    def base_spec(self) -> dict[str, Any]:
        """The network's default train spec with the study file's own settings."""
        settings = flatten(self.file.train_spec)
        known = flatten(self.network.spec)
        for path in settings:
            self._check_setting(path, known)
        spec = set_paths(self.network.spec, settings)
        if self.file.dataset is not None:
            field, files = self.network.fields.dataset, dict(self.network.dataset.files)
            if field is not None:
                files[field] = "{dataset}"
            if not files:
                raise StudyFileError(f"dataset: {self.network.name} brings its own data", advice="leave 'dataset' out")
            if field in settings:
                raise StudyFileError(f"dataset and train_spec: {field} say the same", advice="keep one of the two")
            # a setting of one's own says better where one of several files lies
            spec = set_paths(spec, {path: _below(self.file.dataset, told) for path, told in files.items()})
            return set_paths(spec, settings)
        needed = self.network.dataset.files
        if needed and all(get_path(spec, path) is None for path in needed):
            raise StudyFileError(
                f"dataset: {self.network.name} brings no data of its own",
                allowed=f"'dataset: /data/mine', or paths of your own under 'train_spec': {', '.join(needed)}",
            )
        return spec

    @cached_property
    def space(self) -> SearchSpace:
        """The parameters that are searched, with the study file's ranges."""
        names = self._searched()
        for name in self.file.parameters:
            if name not in names:
                raise StudyFileError(
                    f"parameters: {name} is not searched",
                    allowed=", ".join(names),
                    advice=self._unsearched(name, names),
                )
        parameters = []
        for name in names:
            fixed = flatten(self.file.train_spec).get(name)
            changes = dict(self.file.parameters.get(name, {}))
            if fixed is not None:  # the user's own setting is the default that the search starts from
                changes.setdefault("default", fixed)
            try:
                parameters.append(self.network.parameter(name, changes))
            except SpaceError as error:
                where = "parameters" if name in self.file.parameters else "train_spec, where the search starts"
                if not changes:
                    where = "additional_automl_parameters"
                raise StudyFileError(f"{where}: {error.given}", allowed=error.allowed, advice=error.advice) from error
        constants = {path: value for path, value in flatten(self.base_spec).items() if path not in names}
        return SearchSpace(tuple(parameters), constants=constants)

    @cached_property
    def max_epochs(self) -> int:
        """The epochs of a full training: the study file's, by either name, or the network's."""
        field, given = self.network.fields.epochs, self.file.max_epochs
        fixed = flatten(self.file.train_spec).get(field)
        if fixed is None:
            return given or self.network.epochs
        if not isinstance(fixed, int) or isinstance(fixed, bool) or not 1 <= fixed <= MOST_EPOCHS:
            allowed = f"a whole number from 1 to {MOST_EPOCHS:,}"
            raise StudyFileError(f"train_spec: {field}: {shown(fixed)}", allowed=allowed)
        if given not in {None, fixed}:
            raise StudyFileError(
                f"max_epochs: {given} and train_spec: {field}: {fixed} contradict each other", advice="keep max_epochs"
            )
        return fixed

    @cached_property
    def schedule(self) -> Schedule:
        """How many and how long, as it was begun."""
        if not self.file.automl_enabled:
            return single_training(self.max_epochs)
        options = {name: getattr(self.file, name) for name in self.algorithm.options}
        options = {name: value for name, value in options.items() if value is not None}
        return self.algorithm.schedule({**options, "max_epochs": self.max_epochs})

    @property
    def algorithm(self) -> Algorithm:
        """The row of its algorithm."""
        return ALGORITHMS[self.file.algorithm]

    @property
    def growth(self) -> Growth | None:
        """How it can be extended when its search is over; None: not at all."""
        return self.algorithm.growth if self.file.automl_enabled else None

    @cached_property
    def brain(self) -> Brain:
        repeats = self.file.final.repeats if self.file.automl_enabled else 0
        return Brain(
            plan=extended(self.schedule, self.growth, self.extensions, repeats),
            space=self.space,
            sampler=NamedSampler(self.sampler_name),
            metric=self.metric_rule.metric(),
            seed=self.file.seed,
            held_out=self.network.held_out_metric is not None,
            enqueue=enqueued(self.space, self.file.enqueue or [], self.schedule.plan().experiments),
        )

    @property
    def is_chain(self) -> bool:
        """Whether it is a chain of full trainings, to which experiments and values can be added."""
        return self.growth is not None and self.growth.by is GrowsBy.EXPERIMENTS

    @property
    def plan(self) -> Plan:
        return self.brain.plan

    @property
    def sampler_name(self) -> str:
        return self.file.sampler or self.algorithm.sampler

    @cached_property
    def costs(self) -> Costs:
        given = self.file.costs.model_dump(exclude_none=True)
        return Costs(**{**self.network.usual.model_dump(), **given})

    def _check_options(self) -> None:
        algorithm = self.algorithm
        every = {option for each in ALGORITHMS.values() for option in each.options}
        for option in sorted(every - set(algorithm.options) - {"max_epochs"}):
            if getattr(self.file, option) is not None:
                raise StudyFileError(
                    f"{option}: {shown(getattr(self.file, option))} is no option of algorithm: {self.file.algorithm}",
                    allowed=f"{', '.join(algorithm.options)} with {self.file.algorithm}",
                    advice=f"leave it out, or choose another algorithm: {', '.join(with_option(option))}",
                )
        if self.network.checkpoints is None and algorithm.resumes:
            raise StudyFileError(
                f"algorithm: {self.file.algorithm} with {self.network.name}, whose checkpoints are not known",
                allowed="a network file with 'checkpoints', for promoted experiments go on from theirs",
                advice="add 'checkpoints: {pattern: ..., resume: ...}', or use algorithm: "
                + " or ".join(name for name, each in ALGORITHMS.items() if not each.resumes),
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

    def _check_one_of(self) -> None:
        """Raises StudyFileError when two groups that exclude each other have values."""
        spec = self.placed(self.space.defaults())
        for groups in self.network.one_of:
            given = {}
            for group in groups:
                leaves = flatten({group: get_path(spec, group)})
                given[group] = [path for path, value in leaves.items() if value is not None]
            first, *others = [group for group in groups if given[group]] or [""]
            if others:
                raise StudyFileError(
                    f"{first} and {others[0]} both have values, and the training takes one of them",
                    allowed=f"one of {', '.join(groups)}",
                    advice=f"to use {others[0]}, say 'train_spec: {{NAME: null}}' for "
                    f"{', '.join(given[first])}; the searched of them go into remove_default_automl_parameters",
                )

    def _check_setting(self, path: str, known: Mapping[str, Any]) -> None:
        """Raises StudyFileError unless a path of `train_spec` is one that a user may set."""
        fields = self.network.fields
        for field, advice in _SET_BY_THE_STUDY.items():
            if path == getattr(fields, field) and not (field == "resume_from" and path == fields.pretrained):
                raise StudyFileError(f"train_spec: {path} is set by the study itself", advice=f"leave it out: {advice}")
        inside = [each.removeprefix(f"{path}.") for each in known if each.startswith(f"{path}.")]
        if inside:
            raise StudyFileError(f"train_spec: {path} is a group of settings", allowed=f"{path}: {{{inside[0]}: ...}}")
        for group, value in known.items():
            if path.startswith(f"{group}."):
                if value == {}:  # may be filled with names that only the training program knows
                    return
                raise StudyFileError(
                    f"train_spec: {path} goes through {group}, which is no group of settings",
                    allowed=f"{group}: a value, such as its default {shown(value)}",
                )
        if path not in self.network.parameters and not has_path(self.network.spec, path):
            raise StudyFileError(
                f"train_spec: {path} is not in the train spec of {self.network.name}",
                advice=nearest(path, known) or f"'automl networks show {self.network.name}' prints the spec",
            )

    def _searched(self) -> tuple[str, ...]:
        """The names of the parameters that are searched, sorted: the order in a file decides nothing."""
        table = {name: self.network.enabled(name) for name in sorted(self.network.parameters)}
        added, removed = self.file.additional_automl_parameters, self.file.remove_default_automl_parameters
        lists: tuple[tuple[str, list[str], bool | None, dict[bool | None, str]], ...] = (
            ("additional_automl_parameters", added, None, {True: "is searched already", False: "cannot be searched"}),
            (
                "remove_default_automl_parameters",
                removed,
                True,
                {None: "is not searched by default", False: "is never searched"},
            ),
        )
        for option, listed, wanted, reasons in lists:
            for place, name in enumerate(listed):
                fitting = [each for each, enabled in table.items() if enabled is wanted]
                if name not in table:
                    reason, advice = f"is not a parameter of {self.network.name}", nearest(name, table)
                elif table[name] is not wanted:
                    reason, advice = reasons[table[name]], "take it out of the list"
                elif name in listed[:place]:
                    reason, advice = "stands twice", "take one out"
                else:
                    continue
                allowed = ", ".join(fitting) or "none of this network"
                raise StudyFileError(f"{option}: {name} {reason}", allowed=allowed, advice=advice)
        names = tuple(name for name, enabled in table.items() if name in added or (enabled and name not in removed))
        if not names and self.file.automl_enabled:
            raise StudyFileError(
                "no parameter is left to search",
                allowed="at least one",
                advice="remove fewer, add some, or set automl_enabled: false to train once",
            )
        return names

    def _unsearched(self, name: str, names: tuple[str, ...]) -> str:
        if name in self.network.parameters and self.network.enabled(name) is None:
            return f"add {name} to additional_automl_parameters"
        return nearest(name, names)


def _stored(model: type[M], data: Mapping[str, Any], part: str) -> M:
    try:
        return model.model_validate(data[part])
    except ValidationError as error:
        given, allowed, _ = first_error(error, model, data[part])
        advice = "use the version of argo-automl that began the study"
        raise RecordError(f"the study's record: {part}: {given}", allowed=allowed, advice=advice) from error
