"""The order of experiments with several metrics or constraints: fronts and crowding, or the choice of one point.

Feasible ones come first. Among them a lower front is better, and in a front the lonelier one (the crowded comparison
of NSGA-II). Infeasible ones follow by how much they break the constraints (Deb 2000, constrained domination).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from automl.problem.aim import Aim, Scores, Span, spans_of
from automl.search import pareto

T = TypeVar("T")

Reading = tuple[float | None, Mapping[str, float]]  # the value of the first metric, and those of the further ones


@dataclass(frozen=True)
class Placed(Generic[T]):
    """An item, its scores, and where it stands: `front` counts from 0, and is None where it is `violation` off."""

    item: T
    scores: Scores
    front: int | None
    crowding: float
    violation: float


def placed(
    items: Iterable[T], reading: Callable[[T], Reading], order: Callable[[T], tuple[int, ...]], aim: Aim
) -> list[Placed[T]]:
    """The items that have a value of the first metric, the best first; of equal ones the one of lower `order` first."""
    sorted_items = sorted((item for item in items if reading(item)[0] is not None), key=order)
    broken = [aim.violation(*reading(item)) for item in sorted_items]
    feasible = [item for item, violation in zip(sorted_items, broken, strict=True) if violation == 0]
    scores = [found for item in feasible if (found := aim.scores(*reading(item))) is not None]
    losses = [tuple(-score for score in found) for found in scores]
    fronts = pareto.ranks(losses)
    distances = [0.0] * len(losses)
    for front in set(fronts) if aim.is_several else ():
        places = [place for place, number in enumerate(fronts) if number == front]
        for place, distance in zip(places, pareto.crowding([losses[place] for place in places]), strict=True):
            distances[place] = distance
    first = [
        Placed(item, found, front, distance, 0.0)
        for item, found, front, distance in zip(feasible, scores, fronts, distances, strict=True)
    ]
    first.sort(key=lambda one: (one.front, -one.crowding))
    rest = [
        Placed(item, (), None, 0.0, violation)
        for item, violation in zip(sorted_items, broken, strict=True)
        if violation > 0
    ]
    return [*first, *sorted(rest, key=lambda one: one.violation)]


def spanned(aim: Aim, order: Iterable[Placed[T]]) -> Aim:
    """The aim with the spans of the front of these items; as it is where nothing is feasible.

    Where the front has no width the range of all feasible items counts, and where they have none the size of a score.
    """
    feasible = [one for one in order if one.front is not None]
    if not feasible:
        return aim
    spans = spans_of([one.scores for one in feasible if one.front == 0])
    wider = spans_of([one.scores for one in feasible])
    return replace(aim, spans=tuple(map(_with_width, spans, wider)))


def _with_width(span: Span, wider: Span) -> Span:
    low, high = span if span[0] < span[1] else wider
    return (low, high) if low < high else (low, low + (abs(low) or 1.0))


def by_choice(order: Iterable[Placed[T]], aim: Aim) -> list[T]:
    """The feasible items: the front first, from the point that is chosen on, then front by front. `aim` has spans."""
    feasible = [one for one in order if one.front is not None]
    return [one.item for one in sorted(feasible, key=lambda one: (one.front, -aim.utility(one.scores)))]
