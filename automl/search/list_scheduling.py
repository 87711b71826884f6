"""When the last of many trainings ends if only a few can run at a time: the order in which a study starts them.

Pure. The chains of a search run in parallel, a rung waits for the whole rung before it, and an earlier chain and rung
has the first claim to a free slot. What comes after waits for the whole search. The local runner does the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Chain = Sequence[Sequence[float]]  # the durations of its rungs' trainings
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


def time_until_the_end(search: Sequence[Chain], after: Sequence[Chain], places: int, pause: float = 0.0) -> float:
    """The time until the last training ends. `pause` is the time between the end of a rung and the next one."""
    return _walk(after, places, pause, _walk(search, places, pause, 0.0) + (pause if any(map(len, after)) else 0.0))


def _walk(chains: Sequence[Chain], places: int, pause: float, begin: float) -> float:
    """The time at which these chains end, when they begin with all slots free."""
    last, free = begin, places
    coming = [(begin, position, 0) for position, chain in enumerate(chains) if chain]  # (from when, chain, rung)
    heapq.heapify(coming)
    waiting: list[tuple[int, int, int]] = []  # (chain, rung, training)
    running: list[tuple[float, int, int]] = []  # (end, chain, rung)
    left = {(position, rung): len(runs) for position, chain in enumerate(chains) for rung, runs in enumerate(chain)}
    at = begin
    while coming or running or waiting:
        while coming and coming[0][0] <= at:
            _, chain, rung = heapq.heappop(coming)
            for training in range(left[chain, rung]):
                heapq.heappush(waiting, (chain, rung, training))
            if not left[chain, rung] and rung + 1 < len(chains[chain]):
                heapq.heappush(coming, (at, chain, rung + 1))
        while waiting and free:
            chain, rung, training = heapq.heappop(waiting)
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
