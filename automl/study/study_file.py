"""The study file as it lies on disk: read, checked against its network, turned into a `Definition`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from automl.errors import InvalidInput, StudyFileError, StudyFileErrors
from automl.networks import Network, load_network
from automl.networks.completion import completed
from automl.networks.definition import of_mapping
from automl.study import budget
from automl.study.definition import Definition
from automl.study.errors_of_parts import (
    NO_PARTS,
    errors_of_parts,
    names_of_parts,
    names_one_of,
    unique,
    with_right_rows,
)
from automl.study.options import AUTO, IN_THE_STUDY_FILE, MAY_FOLLOW, TAO_NAMES, StudyFile
from automl.text import strict_yaml
from automl.text.schema_errors import all_errors

_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_BASIS = {  # without one of these the rest is another study
    *("network", "metric", "metrics", "parameters", "train_spec", "automl_enabled"),
    *("additional_automl_parameters", "remove_default_automl_parameters"),
}
_ELSEWHERE = "settings of the training stand under 'train_spec', other ranges under 'parameters'"


def parse(text: str, where: str, base: Path, options: Mapping[str, Any] | None = None) -> Definition:
    """The study of a file's text; a network file and the store are looked up from `base`. Raises InvalidInput.

    `options` use our names, not TAO's, and override the text.
    """
    return _parsed({**options_in(text, where), **(options or {})}, where, base)


def _parsed(data: Mapping[str, Any], where: str, base: Path) -> Definition:
    try:
        file = StudyFile.model_validate(data)
    except ValidationError as error:
        raise _error([*_of_schema(error, where, data), *_of_the_rest(error, where, data, base)]) from error
    file, errors = with_right_rows(file, lambda each: _network(each, where, base))
    try:
        network, home = _network(file, where, base)
    except InvalidInput:
        if errors:
            raise _error(errors) from None
        raise
    try:
        definition = _definition(file, network, home)
    except InvalidInput as error:
        errors += _all(error, file, network, home, where)
        raise _error(errors) from error
    if errors:
        raise _error(errors)
    return definition


def _definition(file: StudyFile, network: Network, home: Path | None) -> Definition:
    def of(file: StudyFile) -> Definition:
        return Definition(file, network, unsaid=unsaid, home=home)

    unsaid = tuple(name for name in MAY_FOLLOW if name not in file.model_fields_set)
    name = file.network if isinstance(file.network, str) else IN_THE_STUDY_FILE
    file = file.model_copy(update={"network": name})
    if file.budget is not None and "algorithm" not in file.model_fields_set:
        file = file.model_copy(update={"algorithm": AUTO})
    budget.check_given(file)
    return budget.chosen(file, of) if file.algorithm == AUTO else of(file)


def _all(first: InvalidInput, file: StudyFile, network: Network, home: Path | None, where: str) -> list[StudyFileError]:
    """What is wrong with a file whose keys and values are right, each taken by itself."""
    errors = [first, *errors_of_parts(file, network)]
    if str(first) in map(str, errors[1:]):  # it may hide a contradiction of the other options
        try:
            _definition(file.model_copy(update=NO_PARTS), network, home)
        except InvalidInput as contradiction:
            if not names_one_of(contradiction, names_of_parts(file)):  # it would, where it comes from their absence
                errors.append(contradiction)
    return [StudyFileError(f"{where}: {one.given}", allowed=one.allowed, advice=one.advice) for one in unique(errors)]


def _of_schema(error: ValidationError, where: str, data: Mapping[str, Any]) -> list[StudyFileError]:
    """What is wrong with keys and values, each taken by itself."""
    errors = []
    for problem, allowed, advice in all_errors(error, StudyFile, data, TAO_NAMES):
        more = advice or (_ELSEWHERE if problem.removesuffix(" is not known") in data else "")
        errors.append(StudyFileError(f"{where}: {problem}", allowed=allowed, advice=more))
    return errors


def _of_the_rest(error: ValidationError, where: str, data: Mapping[str, Any], base: Path) -> list[StudyFileError]:
    """What contradicts itself among the keys that are right, as far as that can be judged without the wrong ones.

    An error that names a wrong key is left out, because it may come from that key's default.
    """
    wrong = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
    rest = {key: value for key, value in data.items() if key not in wrong}
    if len(rest) == len(data) or wrong & _BASIS:
        return []
    try:
        _parsed(rest, where, base)
    except StudyFileError as contradiction:
        errors = contradiction.errors if isinstance(contradiction, StudyFileErrors) else (contradiction,)
        return [one for one in errors if isinstance(one, StudyFileError) and not names_one_of(one, wrong)]
    except InvalidInput:  # its network, which is reported once the keys are right
        return []
    return []


def _error(errors: Sequence[StudyFileError]) -> StudyFileError:
    return errors[0] if len(errors) == 1 else StudyFileErrors(errors)


def _network(file: StudyFile, where: str, base: Path) -> tuple[Network, Path | None]:
    """The network of a study, and the folder of the file that describes it; None for one of the catalogue."""
    if isinstance(file.network, str):
        is_file = file.network.endswith((".yaml", ".yml"))
        return load_network(file.network, base), (base / file.network).parent if is_file else None
    said: dict[str, Any] = {"name": file.name.replace("-", "_")}  # by the study, in whose file the network stands
    if file.metric is not None:
        said["metric"] = file.metric.model_dump()
    elif file.metrics and "metrics" not in file.network:
        said["metric"] = file.metrics[0].model_dump()
    if file.max_epochs is not None:
        said["epochs"] = file.max_epochs
    return of_mapping(completed({**said, **file.network}), f"{where}: network", base), base


def options_in(text: str, where: str) -> dict[str, Any]:
    """The options that a file's text sets, by our names where it uses TAO's; unchecked. Raises InvalidInput."""
    data = strict_yaml.mapping(text, where)
    for theirs, ours in TAO_NAMES.items():
        if theirs in data:
            if ours in data:
                raise StudyFileError(f"{where}: {theirs} and {ours} mean the same", advice=f"keep one, best {ours}")
            data[ours] = data.pop(theirs)
    return data


def read_text(path: Path) -> str:
    """The text of a study file. Raises InvalidInput."""
    if not path.exists():
        raise StudyFileError(f"file {path} does not exist", advice="'automl init' writes one to start from")
    return strict_yaml.read_text(path, "a study file, in YAML")


def read(path: Path) -> Definition:
    """The study of a file. Raises InvalidInput."""
    return parse(read_text(path), str(path), path.parent)


def study_name(text: str) -> str:
    """The name that a study gets from a text such as its file's name: letters a-z, digits and '-', at most 40."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "study"


def store_uri(definition: Definition, path: Path) -> str:
    """Where the study of the file `path` is stored: its `run: store`, or a folder of its name beside the file."""
    uri = definition.file.run.store or f"./{definition.file.name}"
    return uri if "://" in uri or uri.startswith("memory:") else str(path.parent / uri)


def schema() -> dict[str, Any]:
    """The JSON Schema of a study file, for editors. TAO's names are described beside ours."""
    described = StudyFile.model_json_schema()
    pairs: list[dict[str, Any]] = []
    for theirs, ours in TAO_NAMES.items():
        described["properties"][theirs] = {**described["properties"][ours], "description": f"TAO's name of {ours}"}
        if ours in described["required"]:
            pairs.append({"oneOf": [{"required": [ours]}, {"required": [theirs]}]})
        else:
            pairs.append({"not": {"required": [ours, theirs]}})
    described["required"] = [name for name in described["required"] if name not in TAO_NAMES.values()]
    return {**described, "$schema": _SCHEMA, "title": "argo-automl study file", "allOf": pairs}
