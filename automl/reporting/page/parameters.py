"""How the values relate to the results: parallel coordinates, and a slice for each parameter."""

from __future__ import annotations

from automl.reporting.figures.compared import Compared, compared
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
    length_keys,
)
from automl.reporting.figures.facts import LEVELS, Axis, Facts, Searched
from automl.reporting.figures.scales import gap
from automl.reporting.page.courses import shaded_dots
from automl.reporting.page.drawing import (
    Plot,
    at,
    crosses,
    diamond,
    figure,
    label,
    legend,
    lines,
    name,
    picture,
    star,
    tick,
)
from automl.reporting.page.markup import Markup, joined, tag

_TOP, _BOTTOM, _HEIGHT, _SIDE, _WIDTH = 46, 34, 330, 62, 980


def parallel(facts: Facts, axes: list[Axis]) -> Markup | None:
    """A line for each experiment through all of its values; a better one is stronger."""
    alike = compared(facts)
    if len(alike.valued) < 2 or not axes:
        return None
    shown = axes[:MOST_AXES]
    places = [_SIDE + index * (_WIDTH - 2 * _SIDE) / len(shown) for index in range(len(shown) + 1)]
    fifths: list[list[list[Position]]] = [[] for _ in range(LEVELS)]
    off: set[int] = set()
    drawn, left_out = alike.best_and_others(MOST_LINES)
    for rank, candidate in reversed(list(enumerate(drawn))):
        course = _course(alike, candidate, shown, places)
        off |= {index for index, axis in enumerate(shown) if axis.parameter not in candidate.experiment.values}
        fifths[fifth(rank, len(drawn))].append(course)
    marks: list[Markup | None] = [lines(courses, f"level{level}") for level, courses in enumerate(fifths)]
    for searched, class_ in ((alike.defaults, "default"), (alike.winner, "best")):
        if searched is not None and searched.value is not None:
            marks.append(lines([_course(alike, searched, shown, places)], class_))
    room = places[1] - places[0] - 8
    marks += [_upright(axis, places[index], room, index in off) for index, axis in enumerate(shown)]
    marks.append(_metric_axis(facts.metric, alike, places[-1], min(room, 2 * _SIDE - 4)))
    drawing = picture(_WIDTH, _HEIGHT, "Every experiment as a line through its values", marks)
    keys = legend(*FIFTHS, *landmark_keys(facts, with_length=False))
    rest = f"{len(axes) - len(shown)} less important parameters are left out. " if len(axes) > len(shown) else ""
    wide = tag("div", drawing, class_="scroll wide")
    return figure(facts.titled("Parallel coordinates"), joined(keys, wide), alike.note, rest, left_out, class_="full")


def _course(alike: Compared, candidate: Searched, axes: list[Axis], places: list[float]) -> list[Position]:
    course = []
    for axis, x in zip(axes, places, strict=False):
        position = axis.place(candidate.experiment.values)
        if position is not None and (apart := gap(axis.scale)):  # beside each other, for lines on one point hide
            position += 0.35 * (candidate.number * SPREAD % 1 - 0.5) * apart
        course.append((x, _HEIGHT - 12.0 if position is None else _up(position)))
    return [*course, (places[-1], _up(alike.scale.place(candidate.value) or 0.0))]


def _up(position: float) -> float:
    return _TOP + (1 - position) * (_HEIGHT - _TOP - _BOTTOM)


def _upright(axis: Axis, x: float, room: float, off: bool) -> Markup:
    """An axis with its name and ticks. `off` adds a place below it for experiments that lack the parameter."""
    parts = [tag("line", x1=at(x), x2=at(x), y1=at(_up(1)), y2=at(_up(0)), class_="axis")]
    parts += [tick(x + 5, _up(position) + 4, text) for position, text in axis.scale.ticks(6)]
    parts.append(name(x, 20, axis.short, "middle", room))
    if off:
        parts.append(label(x + 5, _HEIGHT - 8.0, "not used", "start", "halo faint"))
    return joined(parts)


def _metric_axis(metric: str, alike: Compared, x: float, room: float) -> Markup:
    parts = [tag("line", x1=at(x), x2=at(x), y1=at(_up(1)), y2=at(_up(0)), class_="axis")]
    parts += [tick(x + 5, _up(position) + 4, text) for position, text in alike.scale.ticks(6)]
    parts.append(name(x, 20, metric, "middle", room, class_="name strong"))
    if alike.epochs is not None:
        parts.append(label(x, 36, alike.after, "middle", "faint"))
    return joined(parts)


def slices(facts: Facts, axes: list[Axis]) -> Markup | None:
    """For each parameter the values of all experiments."""
    alike = compared(facts)
    if not alike.valued or not axes:
        return None
    drawings = [_slice(facts, alike, axis) for axis in axes[:MOST_SLICES]]
    failed = any(candidate.failed and candidate.value is None for candidate in facts.searched)
    keys = [*length_keys(facts), *landmark_keys(facts, with_length=False), *([("failed", "failed")] if failed else [])]
    rest = f"{len(axes) - MOST_SLICES} less important parameters are left out. " if len(axes) > MOST_SLICES else ""
    grid = tag("div", drawings, class_="slices")
    note = f"Vertical axis: {facts.metric}, {'lower' if facts.minimize else 'higher'} is better. {alike.note}"
    note += "A dot is filled where the experiment trained to the last epoch. " if alike.epochs is not None else ""
    return figure(facts.titled("Slice plots"), joined(legend(*keys), grid), note, rest, alike.left_out, class_="full")


def _slice(facts: Facts, alike: Compared, axis: Axis) -> Markup:
    plot = Plot(axis.scale, alike.scale, axis.short, "", width=300, height=210, top=10, left=48)
    by_level: list[list[Position]] = [[] for _ in range(LEVELS)]
    for candidate in reversed(alike.drawn):
        point = _place(plot, axis, candidate)
        if point and candidate not in (alike.defaults, alike.winner):
            by_level[candidate.level].append(point)
    marks: list[Markup | None] = [shaded_dots(facts, points, level) for level, points in enumerate(by_level)]
    failures = [candidate for candidate in facts.searched if candidate.failed and candidate.value is None][
        :MOST_CROSSES
    ]
    fallen = [(axis.place(candidate.experiment.values), _aside(plot, candidate.number)) for candidate in failures]
    floor = plot.up(0) - 5
    marks.append(crosses([(plot.across(x) + aside, floor) for x, aside in fallen if x is not None], "failed"))
    for searched, draw, class_ in ((alike.defaults, diamond, "default"), (alike.winner, star, "best")):
        if searched is None or (class_ == "best" and searched is alike.defaults):
            continue
        point = _place(plot, axis, searched)
        marks.append(draw(point, class_, 5) if point else None)
    return plot.drawn(f"{facts.metric} by {axis.name}", marks)


def _place(plot: Plot, axis: Axis, candidate: Searched) -> Position | None:
    """Where an experiment stands in a slice."""
    point = plot.point(axis.value(candidate.experiment.values), candidate.value)
    return point and (point[0] + _aside(plot, candidate.number), point[1])


def _aside(plot: Plot, number: int) -> float:
    """How far a dot on one of a few values moves aside, so as not to hide the others; a function of its number."""
    cell = plot.inner_width * (gap(plot.x) or 0.0)
    return min(cell, 60) * 0.6 * (number * SPREAD % 1 - 0.5)
