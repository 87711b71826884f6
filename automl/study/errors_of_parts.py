"""All that is wrong with the names and settings of a study file, each by itself, so that they are fixed at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from automl.errors import InvalidInput
from automl.networks import Network
from automl.networks.spec_formats import flatten
from automl.study.base_spec import base_spec
from automl.study.options import StudyFile
from automl.study.searched_parameters import search_space

_LISTS = ("additional_automl_parameters", "remove_default_automl_parameters")


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


def _error(file: StudyFile, network: Network) -> InvalidInput | None:
    try:
        search_space(file, network, base_spec(file, network))
    except InvalidInput as error:
        return error
    return None


def unique(errors: Iterable[InvalidInput]) -> list[InvalidInput]:
    """The errors without those whose message another one has."""
    return list({str(error): error for error in errors}.values())
