"""Which parameters of a network a study searches, and within which ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from automl.errors import SpaceError, StudyFileError, nearest
from automl.networks import Network
from automl.networks.braces import SPEC
from automl.networks.spec_formats import FORMATS, flatten
from automl.problem.conditions import Value
from automl.problem.parameter import Parameter
from automl.problem.parameter_mapping import thawed
from automl.problem.search_space import SearchSpace
from automl.study.options import StudyFile


class Eligibility(Enum):
    """Whether a parameter is searched; the values are those of the column automl_enabled."""

    BY_DEFAULT = True
    ON_REQUEST = None
    NEVER = False


@dataclass(frozen=True)
class _NameList:
    """An option of the study file that lists parameters, all of which must be eligible in the way that it `takes`."""

    option: str
    names: Sequence[str]
    takes: Eligibility
    refusals: Mapping[Eligibility, str]  # by eligibility, what is wrong with a name that has another one

    def check(self, table: Mapping[str, Eligibility], network: str) -> None:
        """Raises StudyFileError for the first name that may not be in the list."""
        for index, name in enumerate(self.names):
            if name not in table:
                reason, advice = f"is not a parameter of {network}", nearest(name, table)
            elif table[name] is not self.takes:
                reason, advice = self.refusals[table[name]], "take it out of the list"
            elif name in self.names[:index]:
                reason, advice = "is given twice", "take one out"
            else:
                continue
            fitting = [candidate for candidate, eligibility in table.items() if eligibility is self.takes]
            allowed = ", ".join(fitting) or "none of this network"
            raise StudyFileError(f"{self.option}: {name} {reason}", allowed=allowed, advice=advice)


def search_space(
    file: StudyFile, network: Network, base_spec: Mapping[str, Any], *, no_null_defaults: bool = False
) -> SearchSpace:
    """The parameters that are searched, with the study file's ranges. Raises StudyFileError.

    With `no_null_defaults`, as studies of before have it, a parameter whose default is null starts from the middle.
    """
    names = _searched(file, network)
    for name in file.parameters:
        if name not in names:
            advice = _how_to_search(name, names, network)
            raise StudyFileError(f"parameters: {name} is not searched", allowed=", ".join(names), advice=advice)
    parameters = tuple(_parameter(name, file, network) for name in names)
    if no_null_defaults:
        parameters = tuple(map(_without_null_default, parameters))
    else:
        unset = {name for name, setting in flatten(file.train_spec).items() if setting is None}
        parameters = tuple(_with_null_default(each) if each.name in unset else each for each in parameters)
    constants = {path: value for path, value in flatten(base_spec).items() if path not in names}
    return SearchSpace(parameters, constants=constants)


def check_told_apart(space: SearchSpace, network: Network) -> None:
    """Raises StudyFileError for two options that are one to the program: as a word, the number 1 is the text "1".

    A study that searched both would train the same thing twice, and ask its model for a difference. Raises SpecError
    for an option that cannot be written.
    """
    for parameter in space.parameters:
        seen: dict[tuple[str, ...], Value] = {}
        for option in map(thawed, parameter.options):
            written = _written(parameter.name, option, network)
            if written in seen:
                got = f"{' '.join(written).strip()} for both" if any(written) else "nothing for either"
                raise StudyFileError(
                    f"parameters: {parameter.name}: the options {seen[written]!r} and {option!r} are one to the program"
                    f" of {network.name}, which gets {got}",
                    advice="keep one of the two",
                )
            seen[written] = option


def _written(name: str, option: Value, network: Network) -> tuple[str, ...]:
    """The texts in which a program gets a value: in its train spec, as words, or both."""
    words = network.words
    in_spec = FORMATS[network.spec_format].dump({"value": option}) if SPEC in words.names else ""
    return (in_spec, *words.written(network.spec_path(name), option))


def _searched(file: StudyFile, network: Network) -> tuple[str, ...]:
    """The names of the parameters that are searched, sorted: the order in a file decides nothing."""
    table = {name: Eligibility(network.enabled(name)) for name in sorted(network.parameters)}
    added = _NameList(
        "additional_automl_parameters",
        file.additional_automl_parameters,
        Eligibility.ON_REQUEST,
        {Eligibility.BY_DEFAULT: "is searched already", Eligibility.NEVER: "cannot be searched"},
    )
    removed = _NameList(
        "remove_default_automl_parameters",
        file.remove_default_automl_parameters,
        Eligibility.BY_DEFAULT,
        {Eligibility.ON_REQUEST: "is not searched by default", Eligibility.NEVER: "is never searched"},
    )
    for listed in (added, removed):
        listed.check(table, network.name)
    by_default = {name for name, eligibility in table.items() if eligibility is Eligibility.BY_DEFAULT}
    names = tuple(sorted(by_default.difference(removed.names).union(added.names)))
    if not names and file.automl_enabled:
        raise StudyFileError(
            "no parameter is left to search",
            allowed="at least one",
            advice="remove fewer, add some, or set automl_enabled: false to train once",
        )
    return names


def _parameter(name: str, file: StudyFile, network: Network) -> Parameter:
    """A searched parameter with the study file's range; its own setting is the default that the search starts from."""
    setting = flatten(file.train_spec).get(name)
    changes = dict(file.parameters.get(name, {}))
    if setting is not None:
        changes.setdefault("default", setting)
    try:
        return network.parameter(name, changes)
    except SpaceError as error:
        where = "parameters" if name in file.parameters else "train_spec, where the search starts"
        if not changes:
            where = "additional_automl_parameters"
        raise StudyFileError(f"{where}: {error.given}", allowed=error.allowed, advice=error.advice) from error


def _with_null_default(parameter: Parameter) -> Parameter:
    """The parameter, whose setting in the study file is null, with that as its default if it is an option."""
    return replace(parameter, default=None) if None in parameter.options else parameter


def _without_null_default(parameter: Parameter) -> Parameter:
    """The parameter with the middle of its options as its default in place of null."""
    if parameter.default is None and parameter.has_default:
        return replace(parameter, default=parameter.domain.pick(0.5))
    return parameter


def _how_to_search(name: str, names: Sequence[str], network: Network) -> str:
    if name in network.parameters and Eligibility(network.enabled(name)) is Eligibility.ON_REQUEST:
        return f"add {name} to additional_automl_parameters"
    return nearest(name, names)
