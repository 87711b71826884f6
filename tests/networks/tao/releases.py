"""Facts about releases of NVIDIA's TAO clients, read from their wheels by scripts/read_tao_release.py."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from automl.networks import Network

MANDATORY = "???"
_NUMBERS = {"int": int, "float": float, "bool": bool, "str": str}


@dataclass(frozen=True)
class Program:
    """What `NAME train` of a release takes and writes."""

    settings: Mapping[str, Any]  # a tree; a leaf is [type, default]
    checkpoints: tuple[str, ...]
    status: tuple[str, ...]

    def refusals(self, spec: Mapping[str, Any]) -> list[str]:
        """What omegaconf would say when the spec is merged with the settings; empty when it is taken."""
        return list(_refusals(spec, self.settings, ""))

    def default(self, path: str) -> Any:
        """The default of a setting; KeyError where there is none."""
        place: Any = self.settings
        inside = False  # of a mapping that is one setting
        for name in path.split("."):
            if isinstance(place, list) and not inside:
                place, inside = place[1], True
            place = place[name]
        return place if inside else place[1]

    def writes(self, metric: str) -> bool:
        """Whether a value of that name stands in its status lines, as far as its source says."""
        return any(re.fullmatch(re.escape(name).replace(r"\*", ".+"), metric) for name in self.status)


@cache
def programs(release: str) -> dict[str, Program]:
    """name -> the program, of a release such as pytorch-6.26.3."""
    data = json.loads((Path(__file__).parent / f"{release}.json").read_text())["programs"]
    return {
        name: Program(row["settings"], tuple(row["checkpoints"]), tuple(row["status"])) for name, row in data.items()
    }


def of_network(network: Network) -> Iterator[tuple[str, Program]]:
    """The releases that have the program of a network, that of its image first, or the nearest to it."""
    for release in ("tf2-6.0.0",) if "tf2" in (network.image or "") else ("pytorch-6.26.3", "pytorch-7.3.0"):
        if network.command[0] in programs(release):
            yield release, programs(release)[network.command[0]]


def _refusals(spec: Mapping[str, Any], settings: Mapping[str, Any], before: str) -> Iterator[str]:
    for name, value in spec.items():
        path = f"{before}{name}"
        if name not in settings:
            yield f"Key '{path}' not in the settings"
        elif isinstance(settings[name], Mapping):
            if isinstance(value, Mapping):
                yield from _refusals(value, settings[name], f"{path}.")
            else:
                yield f"'{path}' is a group, not {value!r}"
        elif not _fits(value, settings[name][0]):
            yield f"'{path}' is of type {settings[name][0]}, not {value!r}"


def _fits(value: Any, kind: str) -> bool:
    """Whether omegaconf takes a value for a type, without the conversions that it makes of text."""
    if kind.endswith("?"):
        return value is None or _fits(value, kind[:-1])
    if kind == "any":
        return True
    if "|" in kind:
        return any(_fits(value, option) for option in kind.split("|"))
    if kind == "dict":
        return isinstance(value, Mapping)
    if kind.startswith("list["):
        return isinstance(value, list) and all(_fits(part, kind[5:-1]) for part in value)
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, _NUMBERS[kind])
