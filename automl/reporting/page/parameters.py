"""What the values did: parallel coordinates, and a slice for each parameter."""

from __future__ import annotations

from automl.reporting.figures.conventions import (
    FIFTHS,
    MOST_AXES,
    MOST_CROSSES,
    MOST_LINES,
    MOST_SLICES,
    SPREAD,
    Position,
    fifth,
    landmark_keys,
)
from automl.reporting.figures.facts import LEVELS, Axis, Facts, Searched
from automl.reporting.figures.scales import Options
from automl.reporting.page.courses import dot_class
from automl.reporting.page.drawing import (
    Plot,
    at,
    crosses,
    diamond,
    dots,
    figure,
    label,
    legend,
    lines,
    name,
    picture,
    star,
)
from automl.reporting.page.markup import Markup, joined, tag

_TOP, _BOTTOM, _HEIGHT, _SIDE, _WIDTH = 46, 34, 330, 62, 980


def parallel(facts: Facts, axes: list[Axis]) -> Markup | None:
    """A line for each experiment through all of its values; the better, the stronger."""
    if len(facts.valued) < 2 or not axes:
        return None
    shown = axes[:MOST_AXES]
    places = [_SIDE + index * (_WIDTH - 2 * _SIDE) / len(shown) for index in range(len(shown) + 1)]
    fifths: list[list[list[Position]]] = [[] for _ in range(LEVELS)]
    off: set[int] = set()
    drawn, left_out = facts.best_and_others(MOST_LINES)
    for rank, each in reversed(list(enumerate(drawn))):
        course = _course(facts, each, shown, places)
        off |= {index for index, axis in enumerate(shown) if axis.parameter not in each.experiment.values}
        fifths[fifth(rank, len(drawn))].append(course)
    marks: list[Markup | None] = [lines(courses, f"level{level}") for level, courses in enumerate(fifths)]
    for searched, class_ in ((facts.defaults, "default"), (facts.winner, "best")):
        if searched is not None and searched.value is not None:
            marks.append(lines([_course(facts, searched, shown, places)], class_))
    room = places[1] - places[0] - 8
    marks += [_upright(axis, places[index], room, index in off) for index, axis in enumerate(shown)]
    marks.append(_metric_axis(facts, places[-1], min(room, 2 * _SIDE - 4)))
    drawing = picture(_WIDTH, _HEIGHT, "Every experiment as a line through its values", marks)
    keys = legend(*FIFTHS, *landmark_keys(facts))
    rest = f"{len(axes) - len(shown)} less important parameters are left out. " if len(axes) > len(shown) else ""
    wide = tag("div", drawing, class_="scroll wide")
    return figure("Parallel coordinates", joined(keys, wide), rest, left_out, class_="full")


def _course(facts: Facts, each: Searched, axes: list[Axis], places: list[float]) -> list[Position]:
    course = []
    for axis, x in zip(axes, places, strict=False):
        place = axis.place(each.experiment.values)
        if place is not None and isinstance(axis.scale, Options):  # beside each other, for lines on one point hide
            place += 0.35 * (each.number * SPREAD % 1 - 0.5) / len(axis.scale.options)
        course.append((x, _HEIGHT - 12.0 if place is None else _up(place)))
    return [*course, (places[-1], _up(facts.value_scale.place(each.value) or 0.0))]


def _up(place: float) -> float:
    return _TOP + (1 - place) * (_HEIGHT - _TOP - _BOTTOM)


def _upright(axis: Axis, x: float, room: float, off: bool) -> Markup:
    """An axis with its name and ticks; `off` below it stands for experiments in which the parameter does not exist."""
    parts = [tag("line", x1=at(x), x2=at(x), y1=at(_up(1)), y2=at(_up(0)), class_="axis")]
    parts += [label(x + 5, _up(place) + 4, text, "start", "halo") for place, text in axis.scale.ticks(6)]
    parts.append(name(x, 20, axis.short, "middle", room))
    if off:
        parts.append(label(x + 5, _HEIGHT - 8.0, "not used", "start", "halo faint"))
    return joined(parts)


def _metric_axis(facts: Facts, x: float, room: float) -> Markup:
    parts = [tag("line", x1=at(x), x2=at(x), y1=at(_up(1)), y2=at(_up(0)), class_="axis")]
    parts += [label(x + 5, _up(place) + 4, text, "start", "halo") for place, text in facts.value_scale.ticks(6)]
    parts.append(name(x, 20, facts.metric, "middle", room, class_="name strong"))
    return joined(parts)


def slices(facts: Facts, axes: list[Axis]) -> Markup | None:
    """For each parameter the values of all experiments."""
    if not facts.valued or not axes:
        return None
    drawings = [_slice(facts, axis) for axis in axes[:MOST_SLICES]]
    failed = any(each.failed and each.value is None for each in facts.searched)
    keys = [*facts.levels, *landmark_keys(facts), *([("failed", "failed")] if failed else [])]
    rest = f"{len(axes) - MOST_SLICES} less important parameters are left out. " if len(axes) > MOST_SLICES else ""
    grid = tag("div", drawings, class_="slices")
    note = f"Upright: {facts.metric}, {'lower' if facts.minimize else 'higher'} is better. "
    return figure("Slices", joined(legend(*keys), grid), note, rest, facts.left_out, class_="full")


def _slice(facts: Facts, axis: Axis) -> Markup:
    plot = Plot(axis.scale, facts.value_scale, axis.short, "", width=300, height=210, top=10, left=48)
    by_level: list[list[Position]] = [[] for _ in range(LEVELS)]
    for each in reversed(facts.drawn):
        point = _place(plot, axis, each)
        if point and each not in (facts.defaults, facts.winner):
            by_level[each.level].append(point)
    marks: list[Markup | None] = [dots(points, dot_class(facts, level)) for level, points in enumerate(by_level)]
    gone = [each for each in facts.searched if each.failed and each.value is None][:MOST_CROSSES]
    fallen = [(axis.place(each.experiment.values), _aside(plot, each.number)) for each in gone]
    floor = plot.up(0) - 5
    marks.append(crosses([(plot.across(x) + aside, floor) for x, aside in fallen if x is not None], "failed"))
    for searched, draw, class_ in ((facts.defaults, diamond, "default"), (facts.winner, star, "best")):
        if searched is None or (class_ == "best" and searched is facts.defaults):
            continue
        place = _place(plot, axis, searched)
        marks.append(draw(place, class_, 5) if place else None)
    return plot.drawn(f"{facts.metric} by {axis.name}", marks)


def _place(plot: Plot, axis: Axis, each: Searched) -> Position | None:
    """Where an experiment stands in a slice."""
    point = plot.point(axis.value(each.experiment.values), each.value)
    return point and (point[0] + _aside(plot, each.number), point[1])


def _aside(plot: Plot, number: int) -> float:
    """How far a dot on an option is moved aside, so that it does not hide the others there; always the same way."""
    if not isinstance(plot.x, Options):
        return 0.0
    cell = plot.inner_width / len(plot.x.options)
    return min(cell, 60) * 0.6 * (number * SPREAD % 1 - 0.5)
