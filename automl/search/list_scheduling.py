"""In which order trainings start if only a few can run at a time, and when the last of them ends.

Pure. The stages of a search run in parallel, a rung waits for the whole rung before it, and what comes after waits for
the whole search. A free place goes to the training behind which the most is left (`claims`): the rule of Hu (Parallel
Sequencing and Assembly Line Problems, Operations Research 9, 1961), with as many turns for a rung as it takes on these
places. The local runner and all that says how long a study takes follow it.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from automl.search.plan import Plan, with_before

Chain = Sequence[Sequence[float]]  # the durations of its rungs' trainings, or their claims to a free place
T = TypeVar("T")


@dataclass(frozen=True)
class Left(Generic[T]):
    """The trainings that are left of a rung: those that were asked for, and those that are still to be.

    `new`: its experiments begin here; otherwise they come from the rung before.
    """

    new: bool
    begun: Sequence[T]
    to_come: Sequence[T]


def without_barrier(rungs: Sequence[Left[T]], most: int | None) -> list[list[list[T]]]:
    """The chains of a stage without a barrier: each training follows one of the rung before, and waits for no other.

    The longest chain comes first. With `most` trainings at a time there are as many chains, one for each worker.
    """
    if most is not None:
        tasks = [task for rung in rungs for task in (*rung.begun, *rung.to_come)]
        return [[[task] for task in tasks[worker::most]] for worker in range(min(most, len(tasks)))]
    chains: list[list[list[T]]] = []
    ends: list[list[list[T]]] = []  # the chains that end in the rung before
    for rung in rungs:
        before, ends = [] if rung.new else ends, []
        for task in rung.begun:
            ends.append([[task]])
            chains.append(ends[-1])
        for task in rung.to_come:
            if before:
                chain = before.pop(0)
            else:
                chain = []
                chains.append(chain)
            chain.append([task])
            ends.append(chain)
    return sorted(chains, key=lambda chain: -len(chain))


def claims(stages: Sequence[Sequence[tuple[int, float]]], places: int) -> list[list[float]]:
    """Of each rung of stages that run side by side, its claim to a free place: the largest one starts first.

    A stage is its rungs, a rung its trainings and their duration. The claims are how long a rung and those behind it
    take at least, and all the same, which leaves stages in their order, where that ends sooner.
    """
    by_what_is_left = [_left(rungs, places) for rungs in stages]
    chains = [[[duration] * size for size, duration in rungs] for rungs in stages]
    claimed = [
        [[claim] * size for claim, (size, _) in zip(left, rungs, strict=True)]
        for left, rungs in zip(by_what_is_left, stages, strict=True)
    ]
    if time_until_the_end(chains, (), places, claims=claimed) < time_until_the_end(chains, (), places):
        return by_what_is_left
    return [[0.0] * len(rungs) for rungs in stages]


def _left(rungs: Sequence[tuple[int, float]], places: int) -> list[float]:
    left, later = [], 0.0
    for size, duration in reversed(rungs):
        later += -(-size // places) * duration
        left.append(later)
    return left[::-1]


def claims_of(plan: Plan, places: int) -> Mapping[tuple[int, int], float]:
    """The claim of every rung of a plan, by stage and rung; all rungs without a barrier have the same."""
    side_by_side = [stage for stage in plan.search if stage.overlap is None]
    rungs = [
        [(rung.size, float(rung.epochs - before)) for rung, before in with_before(stage, "epochs")]
        for stage in side_by_side
    ]
    claimed = dict.fromkeys(((stage.index, rung.index) for stage in plan.stages for rung in stage.rungs), 0.0)
    for stage, of_stage in zip(side_by_side, claims(rungs, places), strict=True):
        claimed |= {(stage.index, rung): claim for rung, claim in enumerate(of_stage)}
    return claimed


def time_until_the_end(
    search: Sequence[Chain],
    after: Sequence[Chain],
    places: int,
    pause: float = 0.0,
    claims: Sequence[Chain] | None = None,
) -> float:
    """The time until the last training ends. `pause` is the time between the end of a rung and the next one.

    `claims` are those of every training of the search; without them chains start in their order.
    """
    searched = _walk(search, claims or _none(search), places, pause, 0.0)
    return _walk(after, _none(after), places, pause, searched + (pause if any(map(len, after)) else 0.0))


def _none(chains: Sequence[Chain]) -> list[list[list[float]]]:
    return [[[0.0] * len(rung) for rung in chain] for chain in chains]


def _walk(chains: Sequence[Chain], claims: Sequence[Chain], places: int, pause: float, begin: float) -> float:
    """The time at which these chains end, when they begin with all slots free."""
    last, free = begin, places
    coming = [(begin, position, 0) for position, chain in enumerate(chains) if chain]  # (from when, chain, rung)
    heapq.heapify(coming)
    waiting: list[tuple[float, int, int, int]] = []  # (claim, the largest first; chain, rung, training)
    running: list[tuple[float, int, int]] = []  # (end, chain, rung)
    left = {(position, rung): len(runs) for position, chain in enumerate(chains) for rung, runs in enumerate(chain)}
    at = begin
    while coming or running or waiting:
        while coming and coming[0][0] <= at:
            _, chain, rung = heapq.heappop(coming)
            for training in range(left[chain, rung]):
                heapq.heappush(waiting, (-claims[chain][rung][training], chain, rung, training))
            if not left[chain, rung] and rung + 1 < len(chains[chain]):
                heapq.heappush(coming, (at, chain, rung + 1))
        while waiting and free:
            _, chain, rung, training = heapq.heappop(waiting)
            heapq.heappush(running, (at + chains[chain][rung][training], chain, rung))
            free -= 1
        if running and not (coming and free and coming[0][0] < running[0][0]):
            at, chain, rung = heapq.heappop(running)
            last, free = max(last, at), free + 1
            left[chain, rung] -= 1
            if not left[chain, rung] and rung + 1 < len(chains[chain]):
                heapq.heappush(coming, (at + pause, chain, rung + 1))
        elif coming:
            at = max(at, coming[0][0])
    return last
