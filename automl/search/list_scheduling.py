"""In which order trainings start if only a few can run at a time, and when the last of them ends.

Pure. The stages of a search run in parallel, a rung waits for the whole rung before it, or without a barrier each of
its trainings for nu results of it, and what comes after waits for the whole search. A free place goes to the training
behind which the most is left (`claims`): the rule of Hu (Parallel Sequencing and Assembly Line Problems, Operations
Research 9, 1961), with as many turns for a rung as it takes on these places. The local runner and all that says how
long a study takes follow it.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from automl.search.plan import Overlap, Plan, Stage, with_before

Chain = Sequence[Sequence[float]]  # the durations of its rungs' trainings
T = TypeVar("T")


class Order(NamedTuple):
    """When a training of a chain starts: its claim to a free place, and what it waits for.

    `needs` is how many trainings of the rung before have to end first, of those that are left of it; None: all.
    """

    claim: float = 0.0
    needs: int | None = None


@dataclass(frozen=True)
class Left(Generic[T]):
    """The trainings that are left of a rung: those that were asked for, and those that are still to be.

    `new`: its experiments begin here; otherwise they come from the rung before. `results` are those that the rung has
    so far, and `asked` counts its trainings that were asked for, the ones with a result among them.
    """

    new: bool
    begun: Sequence[T]
    to_come: Sequence[T]
    results: int = 0
    asked: int = 0


class Waiting(NamedTuple, Generic[T]):
    """A training that is left, and what it `needs`, as in `Order`."""

    task: T
    needs: int | None


def without_barrier(rungs: Sequence[Left[T]], overlap: Overlap) -> list[list[list[Waiting[T]]]]:
    """The chains of a stage without a barrier: of nu results of a rung one goes on, as soon as there are so many.

    A chain is a bracket. Where whole rungs are compared a training waits for all of the rung before it. With `most`
    trainings at a time there are as many chains, one for each worker. Where trainings are not interrupted at the end of
    a rung each waits for its own one alone, and is a chain; the longest comes first.
    """
    if overlap.most is not None:
        tasks = [task for rung in rungs for task in (*rung.begun, *rung.to_come)]
        return [
            [[Waiting(task, None)] for task in tasks[worker :: overlap.most]]
            for worker in range(min(overlap.most, len(tasks)))
        ]
    if overlap.stops is not None:
        return _uninterrupted(rungs)
    chains: list[list[list[Waiting[T]]]] = []
    for place, rung in enumerate(rungs):
        if rung.new:
            chains.append([])
        needs: list[int | None] = [None] * len(rung.to_come)
        if not rung.new and not overlap.whole and overlap.nu is not None:
            before, coming = rungs[place - 1], overlap.nu * (rung.asked + 1)
            left = len(before.begun) + len(before.to_come)
            # The last ones go on when the rung before is over, if fewer come than one in nu.
            needs = [_at_most(coming + overlap.nu * turn - before.results, left) for turn in range(len(needs))]
        chains[-1].append(
            [
                *(Waiting(task, 0) for task in rung.begun),
                *(Waiting(task, need) for task, need in zip(rung.to_come, needs, strict=True)),
            ]
        )
    return chains


def _at_most(needed: int, left: int) -> int | None:
    return max(0, needed) if needed <= left else None


def _uninterrupted(rungs: Sequence[Left[T]]) -> list[list[list[Waiting[T]]]]:
    """The chains of trainings that go through their rungs, the longest first."""
    chains: list[list[list[Waiting[T]]]] = []
    ends: list[list[list[Waiting[T]]]] = []  # the chains that end in the rung before
    for rung in rungs:
        before, ends = [] if rung.new else ends, []
        for task in rung.begun:
            ends.append([[Waiting(task, None)]])
            chains.append(ends[-1])
        for task in rung.to_come:
            if before:
                chain = before.pop(0)
            else:
                chain = []
                chains.append(chain)
            chain.append([Waiting(task, None)])
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
        [[Order(claim)] * size for claim, (size, _) in zip(left, rungs, strict=True)]
        for left, rungs in zip(by_what_is_left, stages, strict=True)
    ]
    if time_until_the_end(chains, (), places, orders=claimed) < time_until_the_end(chains, (), places):
        return by_what_is_left
    return [[0.0] * len(rungs) for rungs in stages]


def _left(rungs: Sequence[tuple[int, float]], places: int) -> list[float]:
    left, later = [], 0.0
    for size, duration in reversed(rungs):
        later += -(-size // places) * duration
        left.append(later)
    return left[::-1]


def claims_of(plan: Plan, places: int) -> Mapping[tuple[int, int], float]:
    """The claim of every rung of a plan, by stage and rung; without a barrier who goes on, the longest first."""
    side_by_side = [stage for stage in plan.search if stage.overlap is None]
    rungs = [
        [(rung.size, float(rung.epochs - before)) for rung, before in with_before(stage, "epochs")]
        for stage in side_by_side
    ]
    claimed = dict.fromkeys(((stage.index, rung.index) for stage in plan.stages for rung in stage.rungs), 0.0)
    claimed |= {
        (stage.index, rung.index): 0.0 if rung.new else float(rung.epochs)
        for stage in plan.search
        if stage.overlap is not None
        for rung in stage.rungs
    }
    for stage, of_stage in zip(side_by_side, claims(rungs, places), strict=True):
        claimed |= {(stage.index, rung): claim for rung, claim in enumerate(of_stage)}
    return claimed


def order_of_stages(plan: Plan, places: int) -> tuple[Stage, ...]:
    """The stages of a search in the order in which their trainings are to start, where that must stay as it is.

    That is Argo's way: a free place goes to the first stage that has a training for it. The order is that of the plan,
    or of the orders that differ from it by the place of one stage the one that ends the soonest.
    """
    stages = tuple(plan.search)
    if any(stage.overlap is not None for stage in stages):
        return stages
    rungs = [[(rung.size, rung.epochs - before) for rung, before in with_before(stage, "epochs")] for stage in stages]
    chains = [[[float(duration)] * size for size, duration in of_stage] for of_stage in rungs]

    def end(order: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        claims = [Order(-float(order.index(stage))) for stage in range(len(chains))]
        orders = [[[claim] * len(rung) for rung in chain] for claim, chain in zip(claims, chains, strict=True)]
        return time_until_the_end(chains, (), places, orders=orders), order

    return tuple(stages[position] for position in min(_with_one_moved(len(stages)), key=end))


def _with_one_moved(count: int) -> Iterator[tuple[int, ...]]:
    """The numbers below `count` in their order, and with one of them moved to another place."""
    for number in range(count):
        others = [other for other in range(count) if other != number]
        for place in range(count):
            yield (*others[:place], number, *others[place:])


def time_until_the_end(
    search: Sequence[Chain],
    after: Sequence[Chain],
    places: int,
    pause: float = 0.0,
    orders: Sequence[Sequence[Sequence[Order]]] | None = None,
) -> float:
    """The time until the last training ends. `pause` is the time between the end of a rung and the next one.

    `orders` are those of every training of the search; without them chains start in their order, rung after rung.
    """
    searched = _Walk(search, orders, pause, 0.0).end(places)
    return _Walk(after, None, pause, searched + (pause if any(map(len, after)) else 0.0)).end(places)


class _Walk:
    """Chains that begin at `begin` with all places free."""

    def __init__(
        self, chains: Sequence[Chain], orders: Sequence[Sequence[Sequence[Order]]] | None, pause: float, begin: float
    ) -> None:
        self._chains, self._pause, self._begin = chains, pause, begin
        self._claims: dict[tuple[int, int, int], float] = {}
        self._following: dict[tuple[int, int], list[tuple[float, int]]] = {}  # (needs, training), the last needs least
        self._left: dict[tuple[int, int], int] = {}
        self._ended: dict[tuple[int, int], int] = {}
        for chain, rungs in enumerate(chains):
            for rung, runs in enumerate(rungs):
                own = orders[chain][rung] if orders else [Order()] * len(runs)
                self._claims |= {(chain, rung, place): order.claim for place, order in enumerate(own)}
                needs = [(math.inf if order.needs is None else order.needs, place) for place, order in enumerate(own)]
                self._following[chain, rung] = sorted(needs, reverse=True)
                self._left[chain, rung], self._ended[chain, rung] = len(runs), 0
        self._coming: list[tuple[float, int, int, int]] = []  # (from when, chain, rung, training)

    def end(self, places: int) -> float:
        """When the last of them ends, if so many can train at a time."""
        at = last = self._begin
        free = places
        for chain, rungs in enumerate(self._chains):
            over = True
            for rung in range(len(rungs)):
                self._come(chain, rung, at, over=over)
                over = over and not self._left[chain, rung]
        waiting: list[tuple[float, int, int, int]] = []  # (claim, the largest first; chain, rung, training)
        running: list[tuple[float, int, int]] = []  # (end, chain, rung)
        while self._coming or running or waiting:
            while self._coming and self._coming[0][0] <= at:
                _, *run = heapq.heappop(self._coming)
                chain, rung, training = run
                heapq.heappush(waiting, (-self._claims[chain, rung, training], chain, rung, training))
            while waiting and free:
                _, chain, rung, training = heapq.heappop(waiting)
                heapq.heappush(running, (at + self._chains[chain][rung][training], chain, rung))
                free -= 1
            if running and not (self._coming and free and self._coming[0][0] < running[0][0]):
                at, chain, rung = heapq.heappop(running)
                last, free = max(last, at), free + 1
                self._note(chain, rung, at)
            elif self._coming:
                at = max(at, self._coming[0][0])
        return last

    def _note(self, chain: int, rung: int, at: float) -> None:
        """A training has ended: what has waited for it may start."""
        self._left[chain, rung] -= 1
        self._ended[chain, rung] += 1
        over = all(not self._left[chain, before] for before in range(rung + 1))
        for later in range(rung + 1, len(self._chains[chain])):
            self._come(chain, later, at + self._pause, over=over)
            if self._left[chain, later]:
                break

    def _come(self, chain: int, rung: int, at: float, *, over: bool) -> None:
        """Let those of a rung start at this time that wait for nothing more; `over`: nothing is left before it."""
        following = self._following[chain, rung]
        ended = math.inf if over else self._ended.get((chain, rung - 1), 0)
        while following and following[-1][0] <= ended:
            _, training = following.pop()
            heapq.heappush(self._coming, (at, chain, rung, training))
