"""What is optimised in a benchmark: a search space, and a loss for every configuration in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from automl.problem.search_space import SearchSpace

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Training:
    """What a training gives. `observed` is the loss that an optimiser sees; `true` the mean over recorded seeds."""

    observed: float
    true: float


class Problem(Protocol):
    """A recorded table or a function; lower losses are better."""

    @property
    def name(self) -> str: ...

    @property
    def space(self) -> SearchSpace: ...

    def train(self, values: Values, rng: np.random.Generator) -> Training:
        """One training of these values; `rng` chooses among recorded seeds."""
        ...

    def true_losses(self, columns: Mapping[str, Sequence[Any]]) -> Array:
        """The true losses of many configurations, given as a column of values for every parameter."""
        ...
