"""What a network usually costs: minutes for an epoch and for a start, gigabytes of a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """What one experiment costs. Without `minutes_per_epoch` there is no estimate.

    `start_minutes` is the time from a free place to the first epoch, once for each run; `checkpoint_megabytes` is the
    size of one checkpoint.
    """

    minutes_per_epoch: float | None = None
    start_minutes: float = 0.0
    gpus: int = 0
    price_per_gpu_hour: float | None = None
    checkpoint_megabytes: float | None = None
