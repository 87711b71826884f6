"""What a sampler learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl.search.history import Failure


@dataclass(frozen=True)
class Trial:
    """An experiment that a sampler may learn from, at the rung that it reached.

    `score` is the kept value, turned so that larger is better; it is None where the experiment failed, and `failure`
    says how. `value` is the metric after the last of its `epochs`, as the training reported it.
    """

    values: Mapping[str, Any]
    score: float | None
    epochs: int = 0
    rung: int = 0
    value: float | None = None
    failure: Failure | None = None
