"""What a plan will cost before anything is trained: GPU hours, hours on the wall, gigabytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from automl.networks.costs import Costs
from automl.search.list_scheduling import Left, Order, Waiting, claims_of, time_until_the_end, without_barrier
from automl.search.plan import Plan, Stage, with_before


@dataclass(frozen=True)
class Estimate:
    """What the plan takes: training minutes both resumed and from scratch, all other figures as resumed.

    `wall_minutes` is keyed by how many experiments run at the same time; `storage_megabytes` is the most stored.
    """

    minutes: float | None
    minutes_from_scratch: float | None
    gpu_hours: float | None
    price: float | None
    wall_minutes: dict[int, float]
    storage_megabytes: float | None


def estimate(plan: Plan, costs: Costs, places: tuple[int, ...]) -> Estimate:
    """The estimate of a plan, search and final judgement, with `places` experiments at the same time."""
    storage = None
    if costs.checkpoint_megabytes is not None:
        storage = 2 * plan.runs * costs.checkpoint_megabytes  # a run leaves its last checkpoint and its best
    minutes_per_epoch = costs.minutes_per_epoch
    if minutes_per_epoch is None:
        return Estimate(None, None, None, None, {}, storage)
    starts = plan.starts * costs.start_minutes
    minutes = (plan.epochs(resume=True) + plan.final_epochs) * minutes_per_epoch + starts
    scratch = (plan.epochs(resume=False) + plan.final_epochs) * minutes_per_epoch + starts
    hours = minutes / 60 * costs.gpus
    return Estimate(
        minutes=minutes,
        minutes_from_scratch=scratch,
        gpu_hours=hours,
        price=None if costs.price_per_gpu_hour is None else hours * costs.price_per_gpu_hour,
        wall_minutes={k: wall_minutes(plan, minutes_per_epoch, costs.start_minutes, k) for k in places},
        storage_megabytes=storage,
    )


def wall_minutes(plan: Plan, minutes_per_epoch: float, start_minutes: float, places: int) -> float:
    """Minutes until the last experiment ends, with `places` at the same time, all equally fast.

    Search stages run at the same time, and the final stage waits for all of them.
    """

    claims = claims_of(plan, places)

    def chains(stage: Stage) -> list[list[list[Waiting[_Task]]]]:
        rungs = []
        for rung, before in with_before(stage, "epochs"):
            start = 0.0 if stage.stops and not rung.new else start_minutes
            task = _Task((rung.epochs - before) * minutes_per_epoch + start, claims[stage.index, rung.index])
            rungs.append(Left(rung.new, (), [task] * rung.size))
        if stage.overlap is not None:
            return without_barrier(rungs, stage.overlap)
        return [[[Waiting(task, None) for task in rung.to_come] for rung in rungs]]

    search, finals = ([chain for stage in stages for chain in chains(stage)] for stages in (plan.search, plan.finals))
    orders = [[[Order(one.task.claim, one.needs) for one in rung] for rung in chain] for chain in search]
    minutes = [[[[one.task.minutes for one in rung] for rung in chain] for chain in part] for part in (search, finals)]
    return time_until_the_end(minutes[0], minutes[1], places, orders=orders)


class _Task(NamedTuple):
    """A training: its minutes, and its claim to a free place."""

    minutes: float
    claim: float
