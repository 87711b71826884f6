"""Train specs: read, change by dotted path, write back, in the format that the training program reads.

A path names what to follow: `train.lr`; in a list by its place, `stages[0].lr`, or all of it, `stages[*].lr`.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from automl.errors import AutoMLError, SpecError, nearest
from automl.networks import protobuf_text
from automl.text import strict_json, strict_yaml

PATH = r"[A-Za-z0-9_-]+(\[(\d+|\*)\])*(\.[A-Za-z0-9_-]+(\[(\d+|\*)\])*)*"
_STEP = re.compile(r"([A-Za-z0-9_-]+)|\[(\d+|\*)\]")
_ALL = "*"


@dataclass(frozen=True)
class SpecFormat:
    """One format: the ending of its files, and how a spec becomes text and text becomes a spec."""

    ending: str
    dump: Callable[[Mapping[str, Any]], str]
    load: Callable[[str], Any]


def _json(spec: Mapping[str, Any]) -> str:
    return strict_json.dump(dict(spec)).decode()


def _yaml(spec: Mapping[str, Any]) -> str:
    return strict_yaml.dump(_sorted(spec))


def _toml(spec: Mapping[str, Any]) -> str:
    """TOML has no null: what is None is left out."""
    return tomli_w.dumps(_without_none(_sorted(spec)))


def _sorted(value: Any) -> Any:
    """With the names in order: what is read back from a record has lost the order of the file that it came from."""
    return {name: _sorted(value[name]) for name in sorted(value)} if isinstance(value, Mapping) else value


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        if None in value:
            raise SpecError(f"{value!r} cannot be written as TOML", allowed="lists without null")
        return [_without_none(part) for part in value]
    return value


FORMATS: dict[str, SpecFormat] = {
    "yaml": SpecFormat("yaml", _yaml, lambda text: strict_yaml.mapping(text, "the train spec")),
    "json": SpecFormat("json", _json, lambda text: strict_json.load(text.encode(), "the train spec")),
    "toml": SpecFormat("toml", _toml, tomllib.loads),
    "protobuf": SpecFormat("protobuf", protobuf_text.dump, protobuf_text.load),
}


def load(text: str, spec_format: str, where: str) -> dict[str, Any]:
    """The train spec of a text. Raises SpecError."""
    try:
        spec = FORMATS[spec_format].load(text)
        strict_json.dump(spec)  # what a record cannot hold (dates, infinity) is refused here
    except (AutoMLError, ValueError, TypeError) as error:
        problem = error.given if isinstance(error, AutoMLError) else str(error)
        raise SpecError(f"{where}: {problem}", allowed=f"a train spec in {spec_format}") from error
    if not isinstance(spec, dict):
        raise SpecError(f"{where}: {spec!r}", allowed="a mapping of names to values")
    return spec


def get_path(spec: Mapping[str, Any], path: str) -> Any:
    """The value at a path, the first one for `[*]`; None if there is none."""
    end = next(_containers(spec, path, make=False), None)
    if end is None:
        return None
    container, last = end
    return _child(container, 0 if last == _ALL else last)


def has_path(spec: Mapping[str, Any], path: str) -> bool:
    """Whether a path leads to something in the spec, if only to null."""
    return any(_holds(container, last) for container, last in _containers(spec, path, make=False))


def set_paths(spec: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the spec with the value at every path set; missing groups are created, items of lists are not.

    Raises SpecError when a path goes through something that holds no names, or to an index that a list does not have.
    """
    result = copy.deepcopy(dict(spec))
    for path, value in values.items():
        for container, last in _containers(result, path, make=True):
            for key in range(len(container)) if last == _ALL and isinstance(container, list) else [last]:
                if not _holds(container, key) and not (isinstance(container, dict) and isinstance(key, str)):
                    raise _no_way(path, _steps(path)[:-1], container)
                container[key] = copy.deepcopy(value)
    return result


def only(spec: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """The part of a spec that the paths lead to; of a list it is the whole list, wherever in it a path ends."""
    part: dict[str, Any] = {}
    for path in sorted({path.partition("[")[0] for path in paths}):
        if has_path(spec, path):
            part = set_paths(part, {path: get_path(spec, path)})
    return part


def _containers(spec: Any, path: str, *, make: bool) -> Iterator[tuple[Any, str | int]]:
    """The containers of the path's end, each with the name or index of the end in it: several if the path has `[*]`."""
    steps = _steps(path)
    if not steps:
        return
    containers = [spec]
    for depth, step in enumerate(steps[:-1]):
        following: list[Any] = []
        for container in containers:
            if step == _ALL and isinstance(container, list):
                following += container
            elif _holds(container, step):
                following.append(container[step])
            elif make and isinstance(container, dict) and isinstance(step, str):
                following.append(container.setdefault(step, {}))
            elif make:
                raise _no_way(path, steps[:depth], container)
        containers = following
    yield from ((container, steps[-1]) for container in containers)


def _steps(path: str) -> list[str | int]:
    return [name or (_ALL if index == _ALL else int(index)) for name, index in _STEP.findall(path)]


def _holds(container: Any, step: str | int) -> bool:
    if isinstance(container, Mapping):
        return step in container
    return isinstance(container, list) and (step == _ALL or (isinstance(step, int) and step < len(container)))


def _child(container: Any, step: str | int) -> Any:
    return container[step] if _holds(container, step) else None


def _no_way(path: str, steps: Iterable[str | int], container: Any) -> SpecError:
    before = ".".join(map(str, steps))
    what = f"{container!r:.60} in the train spec, not a group of fields"
    if isinstance(container, list):
        what = f"a list of {len(container)} in the train spec; its indices are [0], [1], ..., or [*] for all"
    return SpecError(f"{path}: {before} is {what}", allowed="a path of the network's train spec")


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted paths of a nested mapping's leaves; keys may be dotted already. A list and an empty mapping are leaves.

    Raises SpecError when a path is given twice, nested and dotted.
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        path = f"{prefix}{key}"
        inner = flatten(value, f"{path}.") if isinstance(value, Mapping) and value else {path: value}
        for name in inner:
            if name in flat:
                raise SpecError(f"{name} is given twice, nested and as a dotted path", advice="keep one of the two")
        flat.update(inner)
    return flat


def of_file(path: Path, spec_format: str) -> dict[str, Any]:
    """The train spec in a file of its own. Raises InvalidInput."""
    if spec_format not in FORMATS:
        allowed = ", ".join(FORMATS)
        raise SpecError(
            f"spec_format: {spec_format!r}", allowed=allowed, advice=nearest(spec_format, allowed.split(", "))
        )
    text = strict_yaml.read_text(path, f"a train spec, in {spec_format}")
    return load(text, spec_format, str(path))
