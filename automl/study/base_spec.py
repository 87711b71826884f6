"""The train spec that all experiments of a study share: the network's own, with the settings of the study file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automl.errors import StudyFileError, nearest
from automl.networks import Network
from automl.networks.spec_formats import flatten, get_path, has_path, set_paths
from automl.study.options import StudyFile
from automl.text.formatting import shown

_SET_BY_THE_STUDY = {  # fields of a train spec that it fills in itself -> what to say instead
    "seed": "every experiment gets a seed of its own, drawn from 'seed' of the study file",
    "schedule_epochs": "it follows from max_epochs",
    "resume_from": "experiments resume from their own checkpoints",
    "results": "every experiment gets a folder of its own",
    "held_out": "only the final judgement looks at held-out data",
}


def base_spec(file: StudyFile, network: Network) -> dict[str, Any]:
    """The network's default train spec with the study file's own settings. Raises StudyFileError."""
    settings = flatten(file.train_spec)
    defaults = flatten(network.spec)
    for path in settings:
        _check_setting(path, defaults, network)
    filled = [
        group for group, value in defaults.items() if value is None and any(_is_in(path, group) for path in settings)
    ]
    spec = set_paths(set_paths(network.spec, {group: {} for group in filled}), settings)
    if file.dataset is None:
        _check_data(spec, network)
        return spec
    # the settings again: one of them may say better where one of several files of the dataset is
    return set_paths(set_paths(spec, _dataset_settings(file.dataset, settings, network)), settings)


def handed_over(file: StudyFile, network: Network) -> tuple[str, ...] | None:
    """The paths of the base spec that the program gets beside what a study sets; None for the whole spec."""
    if network.handed_over is None:
        return None
    files = [] if file.dataset is None else list(_dataset_settings(file.dataset, {}, network))
    return (*network.handed_over, *flatten(file.train_spec), *files)


def check_one_of(spec: Mapping[str, Any], network: Network) -> None:
    """Raises StudyFileError when two groups of the spec that exclude each other have values."""
    for groups in network.one_of:
        filled = {}
        for group in groups:
            leaves = flatten({group: get_path(spec, group)})
            filled[group] = [path for path, value in leaves.items() if value is not None]
        first, *others = [group for group in groups if filled[group]] or [""]
        if others:
            raise StudyFileError(
                f"{first} and {others[0]} both have values, and the training takes one of them",
                allowed=f"one of {', '.join(groups)}",
                advice=f"to use {others[0]}, say 'train_spec: {{NAME: null}}' for "
                f"{', '.join(filled[first])}; the searched of them go into remove_default_automl_parameters",
            )


def _dataset_settings(dataset: str, settings: Mapping[str, Any], network: Network) -> dict[str, Any]:
    """The settings that a network derives from `dataset` of the study file, by path."""
    field, files = network.fields.dataset, dict(network.dataset.files)
    if field is not None:
        files[field] = "{dataset}"
    if not files:
        raise StudyFileError(f"dataset: {network.name} brings its own data", advice="leave 'dataset' out")
    if field in settings:
        raise StudyFileError(f"dataset and train_spec: {field} say the same", advice="keep one of the two")
    return {path: _filled_in(dataset, value) for path, value in files.items()}


def _filled_in(dataset: str, value: Any) -> Any:
    """The value with the dataset in the place of {dataset}, wherever that stands."""
    if isinstance(value, Mapping):
        return {name: _filled_in(dataset, part) for name, part in value.items()}
    if isinstance(value, list):
        return [_filled_in(dataset, part) for part in value]
    return value.replace("{dataset}", dataset.rstrip("/")) if isinstance(value, str) else value


def _check_data(spec: Mapping[str, Any], network: Network) -> None:
    """Raises StudyFileError when a network that brings no data is given none."""
    needed = network.dataset.files
    if needed and all(get_path(spec, path) is None for path in needed):
        raise StudyFileError(
            f"dataset: {network.name} brings no data of its own",
            allowed=f"'dataset: /data/mine', or paths of your own under 'train_spec': {', '.join(needed)}",
        )


def _check_setting(path: str, defaults: Mapping[str, Any], network: Network) -> None:
    """Raises StudyFileError unless a path of `train_spec` is one that a user may set."""
    fields = network.fields
    for field, advice in _SET_BY_THE_STUDY.items():
        if path == getattr(fields, field) and not (field == "resume_from" and path == fields.pretrained):
            raise StudyFileError(f"train_spec: {path} is set by the study itself", advice=f"leave it out: {advice}")
    inside = [default.removeprefix(f"{path}.") for default in defaults if default.startswith(f"{path}.")]
    if inside:
        raise StudyFileError(f"train_spec: {path} is a group of settings", allowed=f"{path}: {{{inside[0]}: ...}}")
    for group, value in defaults.items():
        if _is_in(path, group):
            if value in ({}, None):  # may be filled with names that only the training program knows
                return
            raise StudyFileError(
                f"train_spec: {path} goes through {group}, which is no group of settings",
                allowed=f"{group}: a value, such as its default {shown(value)}",
            )
    if path not in network.parameters and not has_path(network.spec, path):
        raise StudyFileError(
            f"train_spec: {path} is not in the train spec of {network.name}",
            advice=nearest(path, defaults) or f"'automl networks show {network.name}' prints the spec",
        )


def _is_in(path: str, group: str) -> bool:
    return path.startswith(f"{group}.")
