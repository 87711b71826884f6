"""What a network usually costs: minutes for an epoch and for a start, gigabytes of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """What one experiment costs. minutes_per_epoch None: not known, and then neither is the estimate.

    start_minutes: from a free place to the first epoch, once a run. checkpoint_megabytes: one checkpoint.
    """

    minutes_per_epoch: float | None = None
    start_minutes: float = 0.0
    gpus: int = 0
    price_per_gpu_hour: float | None = None
    checkpoint_megabytes: float | None = None
