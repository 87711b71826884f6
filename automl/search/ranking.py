"""Which is better: the one module that decides it, for outcomes, experiments and checkpoints alike.

A value is better when its score is larger (`Metric.score`). Of equal values, the one with the lower experiment number
comes first, then the one of the earlier rung. An item without a value is never ranked. With several metrics or with
constraints (an `Aim`) fronts.py says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from typing import TypeVar

from automl.problem.aim import Aim
from automl.problem.metric import Metric
from automl.search.fronts import Placed, Reading, by_choice, placed, spanned
from automl.search.history import Outcome

T = TypeVar("T")


class Among(StrEnum):
    """Among which results of a search the best is chosen."""

    LONGEST = "longest"  # those with the most epochs that any experiment has reached
    ALL = "all"  # those of any number of epochs: a lucky short training can be the best


def is_better(value: float, best: float | None, metric: Metric) -> bool:
    """Whether a value is better than `best`, the best so far, which is None at first; an equal value is not better."""
    return best is None or metric.score(value) > metric.score(best)


def best_first(
    items: Iterable[T], value: Callable[[T], float | None], order: Callable[[T], tuple[int, ...]], metric: Metric
) -> list[T]:
    """The items that have a value, the best first; of equal ones, the one with the lower `order` first."""
    valued = [(number, item) for item in items if (number := value(item)) is not None]
    return [item for _, item in sorted(valued, key=lambda pair: (-metric.score(pair[0]), order(pair[1])))]


def ranked(outcomes: Sequence[Outcome], metric: Metric) -> list[Outcome]:
    """The outcomes that have a value after their last epoch, best first.

    Of several metrics by front and crowding, and the infeasible last.
    """
    if isinstance(metric, Aim):
        return [one.item for one in placed(outcomes, lambda one: (one.value, one.measured), _experiment, metric)]
    return best_first(outcomes, lambda outcome: outcome.value, _experiment, metric)


def best_outcomes(outcomes: Iterable[Outcome], metric: Metric, among: Among) -> list[Outcome]:
    """The outcome of every experiment that counts, by its kept value, the best first.

    Of an experiment the one with the most epochs counts, or among all the best one. Those that were trained longer come
    first, or among all the better ones. So the first is the best of the search. With several metrics it is the chosen
    point of the front. An infeasible experiment is none of them.
    """
    if isinstance(metric, Aim):
        aim, groups = with_spans(outcomes, metric, among)
        chosen: dict[int, Outcome] = {}
        for outcome in (outcome for group in groups for outcome in by_choice(group, aim)):
            chosen.setdefault(outcome.experiment, outcome)
        return list(chosen.values())
    in_order = best_first(outcomes, lambda outcome: outcome.best_value, _run, metric)
    if among is Among.LONGEST:
        in_order.sort(key=lambda outcome: -outcome.epochs)
    counting: dict[int, Outcome] = {}
    for outcome in in_order:
        counting.setdefault(outcome.experiment, outcome)
    return list(counting.values())


def with_spans(
    outcomes: Iterable[Outcome], aim: Aim, among: Among
) -> tuple[Aim, tuple[tuple[Placed[Outcome], ...], ...]]:
    """The aim with the ranges of the front of a search, and the outcomes that count, in groups of which each is placed.

    Of an experiment the outcome with the most epochs counts, and a group has those of equally many, the longest first;
    among all there is one group, with every outcome.
    """
    counting = sorted((one for one in outcomes if one.best_value is not None), key=lambda one: (-one.epochs, _run(one)))
    if among is Among.LONGEST:
        longest: dict[int, Outcome] = {}
        for outcome in counting:
            longest.setdefault(outcome.experiment, outcome)
        lengths = [list(group) for _, group in groupby(longest.values(), key=lambda one: one.epochs)]
    else:
        lengths = [counting]
    groups = tuple(tuple(placed(group, kept_reading, _run, aim)) for group in lengths)
    return spanned(aim, with_a_front(groups)), groups


def with_a_front(groups: Iterable[tuple[Placed[Outcome], ...]]) -> tuple[Placed[Outcome], ...]:
    """The first group, so that of the longest trainings, in which anybody is feasible; empty where nobody is."""
    return next((group for group in groups if any(one.front == 0 for one in group)), ())


def judged_aim(outcomes: Iterable[Outcome], metric: Metric, among: Among) -> Metric:
    """What a final judgement compares by: of several metrics their weighted sum, on the spans of the search's front."""
    return with_spans(outcomes, metric, among)[0] if isinstance(metric, Aim) else metric


def further_words(aim: Metric, value: float | None, measured: Mapping[str, float]) -> str:
    """The values of the further metrics behind that of the first, and what is broken: ', latency_ms = 25'.

    Empty for one metric alone.
    """
    if not isinstance(aim, Aim):
        return ""
    text = "".join(f", {name} = {measured[name]:.6g}" for name in aim.further if name in measured)
    broken = aim.why_infeasible(value, measured)
    return f"{text}; infeasible: {broken}" if broken else text


def kept_reading(outcome: Outcome) -> Reading:
    """The values of the checkpoint that is kept."""
    return outcome.best_value, outcome.best_measured


def best_outcome(outcomes: Iterable[Outcome], metric: Metric, among: Among) -> Outcome | None:
    """The best outcome of a search; None when all failed. The one place that says which experiment is the best."""
    return next(iter(best_outcomes(outcomes, metric, among)), None)


def _experiment(outcome: Outcome) -> tuple[int, ...]:
    return (outcome.experiment,)


def _run(outcome: Outcome) -> tuple[int, ...]:
    return (outcome.experiment, outcome.rung)
