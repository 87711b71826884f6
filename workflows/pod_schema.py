"""Checks parts of a PodSpec in a study file against Kubernetes' own description of one, which its client brings along.

A name that Kubernetes does not know would be dropped without a word when Argo merges the patch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hera.workflows import models as m
from kubernetes import client
from pydantic import ValidationError

from automl.errors import StudyFileError, nearest
from automl.study.cluster_options import ClusterSettings, holds_a_secret
from automl.text.formatting import shown
from automl.text.schema_errors import written

_CONTAINERS = {  # those that a pod has before the patch, by the list that holds them
    "containers": {"training": ("main", "observe", "wait"), "every": ("main", "wait")},
    "initContainers": {"training": ("init", "stage-in"), "every": ("init",)},
}
_OURS = ("main", "observe", "stage-in")
_DIRECTIVES = {"$patch": ("delete", "merge", "replace")}  # of a strategic merge patch
_LIST, _MAPPING = re.compile(r"[Ll]ist\[(.+)\]"), re.compile(r"[Dd]ict[\[(]str, (.+)[\])]")
_QUANTITIES = ("limits", "requests", "overhead")  # whose values may be numbers
_PLAIN = {"str": (str, "text"), "int": (int, "a whole number"), "bool": (bool, "true or false"), "float": (float, "")}

Keys = tuple[int | str, ...]


def check(cluster: ClusterSettings) -> None:
    """Raises StudyFileError for what is no part of a PodSpec in `affinity` and `pod_patch`."""
    affinity = ("cluster", "affinity")
    _check(cluster.affinity, "V1Affinity", affinity)
    try:
        m.Affinity.model_validate(cluster.affinity)
    except ValidationError as error:  # what is left is missing
        missing = next(iter(error.errors()))["loc"]
        raise StudyFileError(
            f"{written((*affinity, *missing))} is missing", advice=f"add '{missing[-1]}: ...'"
        ) from error
    _check_patch(cluster.pod_patch, ("cluster", "pod_patch"), "training")
    _check_patch(cluster.every_pod.pod_patch, ("cluster", "every_pod", "pod_patch"), "every")


def _check_patch(patch: Mapping[str, Any], at: Keys, pods: str) -> None:
    _check(patch, "V1PodSpec", at)
    for name, there in _CONTAINERS.items():
        for number, container in enumerate(patch.get(name) or ()):
            _check_container(container, (*at, name, number), there[pods])


def _check_container(container: Mapping[str, Any], at: Keys, there: tuple[str, ...]) -> None:
    """A container is one that the pod has, or a new one, with an image."""
    name = container.get("name")
    if name is None and "$patch" in container:
        return
    if name not in there and "image" not in container:
        raise StudyFileError(
            f"{written(at)}: there is no container {shown(name)} to change, and a new one needs an image",
            allowed=", ".join(there),
            advice=nearest(str(name), there),
        )
    if name in _OURS and (taken := sorted({"args", "command"} & set(container))):
        raise StudyFileError(
            f"{written((*at, taken[0]))}: {name} runs the steps that make a study",
            advice="leave it out; the words of the training's command stand in the network file",
        )
    for number, variable in enumerate(container.get("env") or ()):
        if "value" in variable and holds_a_secret(str(variable.get("name")), str(variable["value"])):
            raise StudyFileError(
                f"{written((*at, 'env', number))}: {variable['name']} looks like a secret, and this file is stored "
                "beside the study",
                advice="valueFrom: {secretKeyRef: {name: SECRET, key: KEY}}",
            )


def _check(value: Any, kind: str, at: Keys) -> None:
    """Raises StudyFileError when a value is not of this kind, by the client's word for it."""
    if value is None or kind == "object":
        return
    if found := _LIST.fullmatch(kind):
        _expect(isinstance(value, list), value, at, "a list")
        for number, item in enumerate(value):
            _check(item, found[1], (*at, number))
    elif found := _MAPPING.fullmatch(kind):
        _expect(isinstance(value, Mapping), value, at, "a mapping of names to values")
        number_fits = at[-1] in _QUANTITIES
        for key, item in value.items():
            if not (number_fits and isinstance(item, int | float) and not isinstance(item, bool)):
                _check(item, found[1], (*at, key))
    elif kind in _PLAIN:
        expected, words = _PLAIN[kind]
        fits = isinstance(value, expected) and (expected is bool or not isinstance(value, bool))
        _expect(fits or (expected is float and isinstance(value, int)), value, at, words)
    elif (model := getattr(client, kind, None)) is not None:
        _check_fields(value, model, at)


def _check_fields(value: Any, model: Any, at: Keys) -> None:
    names = {model.attribute_map[field]: kind for field, kind in model.openapi_types.items()}
    _expect(isinstance(value, Mapping), value, at, f"a mapping with the keys {', '.join(sorted(names))}")
    for key, item in value.items():
        if key in _DIRECTIVES:
            _expect(item in _DIRECTIVES[key], item, (*at, key), ", ".join(_DIRECTIVES[key]))
        elif key not in names:
            raise StudyFileError(
                f"{written((*at, key))} is not known", allowed=", ".join(sorted(names)), advice=nearest(str(key), names)
            )
        else:
            _check(item, names[key], (*at, key))


def _expect(fits: bool, value: Any, at: Keys, allowed: str) -> None:
    if not fits:
        raise StudyFileError(f"{written(at)}: {shown(value)}", allowed=allowed)
