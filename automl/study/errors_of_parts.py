"""All that is wrong with the names and settings of a study file, each by itself, so that they are fixed at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from automl.errors import InvalidInput, StudyFileError
from automl.networks import Network
from automl.networks.spec_formats import flatten
from automl.study.base_spec import base_spec
from automl.study.options import StudyFile
from automl.study.searched_parameters import search_space

_LISTS = ("additional_automl_parameters", "remove_default_automl_parameters")
NO_PARTS: Mapping[str, Any] = {**{name: [] for name in _LISTS}, "parameters": {}, "train_spec": {}}
_ANY_RANGE = {"low": 0.0, "high": 1.0}


def errors_of_parts(file: StudyFile, network: Network) -> Iterator[InvalidInput]:
    """The error of each name in a list, of each range, and of each setting of the training, where it has one."""
    valid: dict[str, list[str]] = {name: [] for name in _LISTS}
    bare = file.model_copy(update={**valid, "parameters": {}, "train_spec": {}})
    for option in _LISTS:
        for name in getattr(file, option):
            error = _error(bare.model_copy(update={option: [*valid[option], name]}), network)
            if error is None:
                valid[option].append(name)
            else:
                yield error
    parts = [bare.model_copy(update={**valid, "parameters": {name: given}}) for name, given in file.parameters.items()]
    parts += [bare.model_copy(update={"train_spec": {path: value}}) for path, value in flatten(file.train_spec).items()]
    for part in parts:
        error = _error(part, network)
        if error is not None:
            yield error


def names_of_parts(file: StudyFile) -> list[str]:
    """The names of all parts that `errors_of_parts` looks at."""
    return [*(name for option in _LISTS for name in getattr(file, option)), *file.parameters, *flatten(file.train_spec)]


def names_one_of(error: InvalidInput, names: Iterable[str]) -> bool:
    """Whether the message of an error has one of these names in it."""
    text = str(error)
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)


def with_right_rows(
    file: StudyFile, network_of: Callable[[StudyFile], object]
) -> tuple[StudyFile, list[StudyFileError]]:
    """A study file whose own network has another range in place of each wrong one, and the errors of those.

    So what else is wrong with the file can be judged too. Another error of the network stays in it, as does any error
    of a network that does not stand in the study file.
    """
    errors: list[StudyFileError] = []
    replaced: list[str] = []
    while (error := _raised(file, network_of)) is not None:
        if isinstance(file.network, str) or not isinstance(rows := file.network.get("parameters"), Mapping):
            break
        for name in (name for name in rows if name not in replaced):
            network = {**file.network, "parameters": {**rows, name: _ANY_RANGE}}
            other = file.model_copy(update={"network": network})
            if str(_raised(other, network_of)) != str(error):
                break
        else:
            break
        file = other
        if not names_one_of(error, replaced):
            errors.append(StudyFileError(error.given, allowed=error.allowed, advice=error.advice))
        replaced.append(name)
    return file, errors


def _raised(file: StudyFile, network_of: Callable[[StudyFile], object]) -> InvalidInput | None:
    try:
        network_of(file)
    except InvalidInput as error:
        return error
    return None


def _error(file: StudyFile, network: Network) -> InvalidInput | None:
    try:
        search_space(file, network, base_spec(file, network))
    except InvalidInput as error:
        return error
    return None


def unique(errors: Iterable[InvalidInput]) -> list[InvalidInput]:
    """The errors without those whose message another one has."""
    return list({str(error): error for error in errors}.values())
