"""When the last of many trainings ends that share a few places: the order in which a study starts them.

Pure. The chains of a search go side by side, a rung waits for the whole rung before it, and an earlier chain and rung
has the first claim to a free place. What comes after waits for all of the search. So does the local runner.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

Chain = Sequence[Sequence[float]]  # the durations of its rungs' trainings


def time_until_the_end(search: Sequence[Chain], after: Sequence[Chain], places: int, pause: float = 0.0) -> float:
    """The time until the last training ends. pause: from the end of a rung to the start of the next one."""
    return _walk(after, places, pause, _walk(search, places, pause, 0.0) + (pause if any(map(len, after)) else 0.0))


def _walk(chains: Sequence[Chain], places: int, pause: float, begin: float) -> float:
    """The end of these chains, which begin at a time when all places are free."""
    last, free = begin, places
    coming = [(begin, place, 0) for place, chain in enumerate(chains) if chain]  # (from when, chain, rung)
    heapq.heapify(coming)
    waiting: list[tuple[int, int, int]] = []  # (chain, rung, place in it)
    running: list[tuple[float, int, int]] = []  # (end, chain, rung)
    left = {(place, rung): len(runs) for place, chain in enumerate(chains) for rung, runs in enumerate(chain)}
    at = begin
    while coming or running or waiting:
        while coming and coming[0][0] <= at:
            _, chain, rung = heapq.heappop(coming)
            for place in range(left[chain, rung]):
                heapq.heappush(waiting, (chain, rung, place))
            if not left[chain, rung] and rung + 1 < len(chains[chain]):
                heapq.heappush(coming, (at, chain, rung + 1))
        while waiting and free:
            chain, rung, place = heapq.heappop(waiting)
            heapq.heappush(running, (at + chains[chain][rung][place], chain, rung))
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
