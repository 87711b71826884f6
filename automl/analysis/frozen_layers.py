"""What of a study freezes layers that have no pretrained weights: they keep the random values that they began with.

Such settings are known by their names: as NVIDIA's networks write them, and most programs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from automl.networks import Network
from automl.networks.spec_formats import flatten
from automl.problem.domains import Points
from automl.problem.parameter import Parameter
from automl.study.definition import Definition
from automl.text.formatting import shown

_FREEZES = re.compile(r"(^|_)(freeze|frozen)(_|$)")
_FOR_A_TIME = re.compile(r"_(steps|epochs|iters|iterations)$")  # what is frozen at first learns later
_FROM_ZERO = re.compile(r"(blocks|stages)$")  # 0 is the number of the first, and -1 of none
_PRETRAINED = re.compile(r"pretrain")
_NOTHING = frozenset({"", "[]", "false", "none", "null"})


def frozen_at_random(definition: Definition) -> list[str]:
    """The warning of a plan where layers are frozen, or may be, and no pretrained weights are set or searched.

    It is empty for a program of one's own whose train spec has no place for weights: it may bring its own.
    """
    network = definition.network
    searched = definition.space.parameters if definition.file.automl_enabled else ()
    spec = flatten(definition.base_spec if searched else definition.spec_with(definition.space.defaults()))
    paths = {network.spec_path(parameter.name): parameter for parameter in searched}
    places = _places_of_weights(network, spec)
    if not (places or network.is_of_tao) or any(path in paths or _is_said(spec.get(path)) for path in places):
        return []
    freezing = [f"{p.name} is searched" for path, p in paths.items() if _may_freeze(path, p)]
    freezing += [
        f"{path} is {shown(value)}" for path, value in spec.items() if path not in paths and freezes(path, value)
    ]
    if not freezing:
        return []
    weights = f"name them by 'train_spec: {{{places[0]}: PATH}}', or freeze nothing" if places else "freeze nothing"
    return [
        f"layers may be frozen at random values, which learn nothing: {', '.join(freezing)}, "
        f"and no pretrained weights are set; {weights}"
    ]


def freezes(path: str, value: Any) -> bool:
    """Whether a setting of a train spec freezes layers: a switch, how many of them, or which."""
    name = path.rpartition(".")[2].lower()
    if not _FREEZES.search(name) or _FOR_A_TIME.search(name):
        return False
    if isinstance(value, list | tuple):
        return any(freezes(path, part) for part in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value >= 0 if _FROM_ZERO.search(name) else value > 0
    return _is_said(value)


def _may_freeze(path: str, parameter: Parameter) -> bool:
    """Whether a value that can be drawn freezes anything: of a range the largest does, if any."""
    domain = parameter.domain
    if isinstance(domain, Points) and parameter.kind in {"bool", "categorical", "ordered"}:
        return any(freezes(path, value) for value in domain.values)
    return freezes(path, domain.high)


def _places_of_weights(network: Network, spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths at which pretrained weights are named or asked for, that of the network file first."""
    by_name = [
        path for path, value in spec.items() if _PRETRAINED.search(path.rpartition(".")[2].lower()) and _is_place(value)
    ]
    known = network.fields.pretrained
    return tuple(dict.fromkeys([*([known] if known else []), *by_name]))


def _is_place(value: Any) -> bool:
    """Not a number, as the number of classes that something pretrained has."""
    return value is None or isinstance(value, bool | str)


def _is_said(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return isinstance(value, str) and value.strip().lower() not in _NOTHING
