"""Train specs: read, change by dotted path, write back, in the format that the training program reads."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from automl import strict_json, strict_yaml
from automl.errors import SpecError


@dataclass(frozen=True)
class SpecFormat:
    """One format: how a spec becomes text, and the ending of its file."""

    ending: str
    dump: Callable[[Mapping[str, Any]], str]


def _json(spec: Mapping[str, Any]) -> str:
    return strict_json.dump(dict(spec)).decode()


def _yaml(spec: Mapping[str, Any]) -> str:
    return strict_yaml.dump(_sorted(spec))


def _sorted(value: Any) -> Any:
    """With the names in order: what is read back from a record has lost the order of the file that it came from."""
    return {name: _sorted(value[name]) for name in sorted(value)} if isinstance(value, Mapping) else value


FORMATS: dict[str, SpecFormat] = {"yaml": SpecFormat("yaml", _yaml), "json": SpecFormat("json", _json)}


def get_path(spec: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None when nothing is there."""
    value: Any = spec
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def set_paths(spec: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the spec with the value at every dotted path set; folders on the way are made.

    Raises SpecError when a path goes through something that holds no names.
    """
    result = copy.deepcopy(dict(spec))
    for path, value in values.items():
        place: Any = result
        *folders, last = path.split(".")
        for depth, part in enumerate(folders):
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise SpecError(
                    f"{path}: {'.'.join(folders[: depth + 1])} is {place!r} in the train spec, not a group of fields",
                    allowed="a path of the network's train spec",
                )
        place[last] = copy.deepcopy(value)
    return result


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted paths of a nested mapping's leaves; keys may be dotted already. An empty mapping is a leaf.

    Raises SpecError when a path stands twice, nested and dotted.
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        inner = flatten(value, f"{path}.") if isinstance(value, Mapping) and value else {path: value}
        for each in inner:
            if each in flat:
                raise SpecError(f"{each} stands twice, nested and as a dotted path", advice="keep one of the two")
        flat.update(inner)
    return flat
