"""Short ways to make a search space and to draw from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy

from automl.problem.search_space import Parameter, SearchSpace

Definition = dict[str, Any]


def parameter(name: str, /, **definition: object) -> Parameter:
    return Parameter.from_mapping(name, definition)


def space(constants: Mapping[str, Any] | None = None, /, **definitions: Definition) -> SearchSpace:
    return SearchSpace(tuple(parameter(name, **data) for name, data in definitions.items()), constants or {})


def draw(searched: SearchSpace, count: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = numpy.random.default_rng(seed)
    return [searched.sample(rng) for _ in range(count)]
