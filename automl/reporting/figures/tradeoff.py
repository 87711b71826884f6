"""The figure of metric against training time: points, their front, and where names fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from automl.analysis.cost_front import Point
from automl.problem.metric import difference
from automl.reporting.figures.conventions import Position
from automl.reporting.figures.facts import Facts
from automl.reporting.figures.scales import Numbers, of_metric, of_times
from automl.reporting.figures.timeline import axis_unit

ALIKE = 1.1  # longest by shortest; below, differences are those of machines and not of values


_ROOM = 0.05  # of the axis of values, for labels


_NEARLY = 0.9  # of the gain of the best: what is worth a sentence


LETTER_WIDTH, LINE_HEIGHT, LABEL_GAP = (
    7.0,
    12.0,
    7.0,
)  # pixels: a letter of a label, its height, and how far it stands from its mark


KEYS = (("front", "on the front"), ("sofar", "the best value within a time"))


@dataclass(frozen=True)
class Layout:
    """The axes. `across` holds times in units of `size` seconds, called `unit`. `drawn` are the points shown."""

    across: Numbers
    up: Numbers
    size: float
    unit: str
    drawn: tuple[Point, ...]

    @property
    def name(self) -> str:
        """What stands at the axis of times."""
        return f"training time in {self.unit}{', logarithmic' if self.across.log else ''}"


def cost_layout(facts: Facts) -> Layout | None:
    """The axes of the points; None for fewer than two points."""
    if len(facts.points) < 2:
        return None
    times = [point.seconds for point in facts.points]
    logarithmic = of_times(times).log
    size, unit = axis_unit(math.sqrt(min(times) * max(times)) if logarithmic else max(times))
    up = _with_room(of_metric([point.value for point in facts.points], minimize=facts.minimize), facts.minimize)
    shown = {point.number for point in facts.drawn}
    drawn = tuple(point for point in facts.points if point.experiment in shown)
    return Layout(of_times([point / size for point in times]), up, size, unit, drawn)


def _with_room(up: Numbers, minimize: bool) -> Numbers:
    """The axis with room for labels beyond the best value."""
    low, high = (math.log(up.low), math.log(up.high)) if up.log else (up.low, up.high)
    end = low - _ROOM * (high - low) if minimize else high + _ROOM * (high - low)
    end = math.exp(end) if up.log else end
    return replace(up, low=end) if minimize else replace(up, high=end)


def landmarks(facts: Facts) -> list[tuple[str, Point]]:
    """The point of the defaults at their last rung, and the point at which the best became the best."""
    marks = []
    if own := [
        point for point in facts.points if facts.defaults is not None and point.experiment == facts.defaults.number
    ]:
        marks.append(("default", own[-1]))
    best = best_point(facts)
    if best is not None and not (facts.defaults is not None and best.experiment == facts.defaults.number):
        marks.append(("best", best))
    return marks


def best_point(facts: Facts) -> Point | None:
    """The point of the best in the search: that of its checkpoint, or its last one where the judgement's is kept."""
    best = facts.best
    own = [point for point in facts.points if best is not None and point.experiment == best.experiment]
    kept = [point for point in own if best is not None and best.is_own_training and point.rung == best.training.rung]
    return next(iter([*kept, *reversed(own)]), None)


def are_alike(facts: Facts) -> bool:
    """Whether all trainings took about as long, so that there is no time to save."""
    times = [point.seconds for point in facts.points]
    return max(times) <= ALIKE * min(times)


def cost_notes(facts: Facts, layout: Layout) -> str:
    """What a reader must know to read the picture."""
    rungs = "A dot is the value of an experiment after one of its rungs. " if len(facts.epochs) > 1 else ""
    far = (
        "Much worse values are drawn at the edge. "
        if any(layout.up.beyond(point.value) for point in layout.drawn)
        else ""
    )
    return (
        f"{rungs}A result is on the front if no other is as good in the same or less time. Times are as measured, with "
        "retries; another machine or other load changes them. Each value is of one training. Failures and the final "
        f"judgement are not included. {far}{facts.left_out}"
    )


def gain_share(facts: Facts) -> Callable[[Point], float] | None:
    """The share of the best's gain over the defaults that a point has.

    None where the best is no better, or the defaults were not trained as far: then the gain could come from the epochs.
    """
    best, marks = best_point(facts), dict(landmarks(facts))
    default = marks.get("default")
    if best is None or default is None or default.epochs < best.epochs:
        return None
    floor, whole = facts.score(default.value), difference(facts.score(best.value), facts.score(default.value))
    return (lambda point: difference(facts.score(point.value), floor) / whole) if whole > 0 else None


def sentence(facts: Facts) -> str:
    """How much time the quickest of the nearly best saves; empty where none does, or where it is unknown."""
    best, share = best_point(facts), gain_share(facts)
    if best is None or share is None:
        return ""
    quickest = next(point for point in facts.front if share(point) >= _NEARLY)
    if (quickest.experiment, quickest.rung) == (best.experiment, best.rung) or best.seconds == quickest.seconds:
        return ""
    gain, time = percent(share(quickest)), percent(quickest.seconds / best.seconds)
    who = f"Experiment {quickest.experiment} has, at epoch {quickest.epochs}"
    return f"{who}, {gain} of the best's gain over the defaults in {time} of its time."


def percent(share: float) -> str:
    """A share in percent, with a decimal where it is near 0 or 1."""
    return f"{100 * share:.0f} %" if 0.1 <= share <= 0.9 or share in {0, 1} else f"{100 * share:.1f} %"


def readable(texts: list[str], places: list[Position], letter: float, line: float) -> list[int]:
    """Which labels of a front can be read: those that overlap no other mark and no label of a better point.

    `places` rise in x and in y; a label stands above its place and to the left, where the front is empty. `letter` is
    the width of a letter and `line` the height of a line, in the unit of the places.
    """
    taken: list[tuple[float, float, float]] = []  # left, right, foot
    shown = []
    for index in reversed(range(len(texts))):
        x, y = places[index]
        left, right, foot = x - LABEL_GAP - letter * len(texts[index]), x - LABEL_GAP, y + LABEL_GAP
        free = all(
            right < label_left or left > label_right or abs(foot - label_foot) >= line
            for label_left, label_right, label_foot in taken
        )
        marks = places[:index] + places[index + 1 :]
        if free and not any(left <= over <= right + LABEL_GAP and foot <= up <= foot + line for over, up in marks):
            taken.append((left, right, foot))
            shown.append(index)
    return shown
