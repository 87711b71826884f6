"""How the search went: the value of each experiment, and the learning curves by rung."""

from __future__ import annotations

from collections.abc import Sequence

from automl.reporting.figures.conventions import (
    FIFTHS,
    MOST_CURVES,
    MOST_POINTS,
    MOST_WITH_TEXT,
    Position,
    axis_name,
    beyond,
    fifth,
    is_hollow,
    landmark_keys,
    length_keys,
    lengths_note,
)
from automl.reporting.figures.facts import LEVELS, Facts, Searched
from automl.reporting.figures.scales import Numbers, of_metric
from automl.reporting.figures.timeline import axis_unit
from automl.reporting.page.drawing import Plot, at, crosses, diamond, dots, figure, label, legend, lines, star
from automl.reporting.page.markup import Markup, joined, tag
from automl.text.formatting import number


def progress(facts: Facts) -> Markup:
    """How the search went in the metric that the facts show."""
    return joined(history(facts), history_by_time(facts), curves(facts))


def history(facts: Facts) -> Markup | None:
    """The value of each experiment, with the best so far."""
    if not facts.searched or not facts.valued:
        return None
    last = max(candidate.number for candidate in facts.searched)
    across = Numbers(-0.5, last + 0.5, whole=True)
    plot = Plot(across, facts.value_scale, "experiment", axis_name(facts), width=980, height=330, top=40)
    marks: list[Markup | None] = [_stages(facts, plot), lines([_best_so_far(facts, plot)], "sofar")]
    marks += _dots(facts, plot)
    failed = [
        (plot.across(plot.x.place(candidate.number) or 0.0), plot.up(0) - 6)
        for candidate in facts.searched
        if candidate.failed
    ]
    marks.append(crosses(failed, "failed"))
    for searched, draw, name in ((facts.defaults, diamond, "default"), (facts.winner, star, "best")):
        if searched is not None and not (name == "best" and searched is facts.defaults):
            point = plot.point(searched.number, searched.value)
            marks.append(draw(point, name) if point else None)
    if len(facts.searched) <= MOST_WITH_TEXT:
        marks += [_text(facts, candidate, plot.point(candidate.number, candidate.value)) for candidate in facts.drawn]
    entries = [*length_keys(facts), ("sofar", "best so far"), *landmark_keys(facts)]
    entries += [("failed", "failed")] if failed else []
    drawing = plot.drawn(f"{facts.metric} of every experiment of the search", marks)
    note = "Each experiment's best value with a checkpoint, on validation data. " + lengths_note(facts)
    wide = tag("div", drawing, class_="scroll wide")
    return figure(
        facts.titled("Optimization history"),
        joined(legend(*entries), wide),
        note,
        facts.left_out,
        beyond(facts),
        class_="full",
    )


def history_by_time(facts: Facts) -> Markup | None:
    """The value of each experiment by the time at which it ended, with the best so far."""
    ended = {one.number: facts.ended_after[one.number] for one in facts.drawn if one.number in facts.ended_after}
    if len(ended) < 2:
        return None
    seconds, unit = axis_unit(max(ended.values()))
    across = Numbers(0.0, 1.02 * max(1.0, *ended.values()) / seconds)
    plot = Plot(across, facts.value_scale, f"{unit} since the first training", axis_name(facts), width=980, height=300)

    def point(one: int, value: float | None) -> Position | None:
        return plot.point(ended[one] / seconds, value) if one in ended else None

    course: list[Position] = []
    order = sorted(ended, key=lambda one: (ended[one], one))
    for one, value in facts.best_so_far_in(order):
        if (place := point(one, value)) is not None:
            course += [(place[0], course[-1][1]), place] if course else [place]
    course += [(plot.across(1.0), course[-1][1])] if course else []
    by_level: list[list[Position]] = [[] for _ in range(LEVELS)]
    for candidate in facts.drawn:
        if (place := point(candidate.number, candidate.value)) is not None:
            by_level[candidate.level].append(place)
    marks: list[Markup | None] = [lines([course], "sofar")]
    marks += [shaded_dots(facts, points, level) for level, points in enumerate(by_level)]
    for searched, draw, name in ((facts.defaults, diamond, "default"), (facts.winner, star, "best")):
        if searched is not None and not (name == "best" and searched is facts.defaults):
            place = point(searched.number, searched.value)
            marks.append(draw(place, name) if place else None)
    drawing = plot.drawn(f"{facts.metric} of every experiment, by the time at which it ended", marks)
    wide = tag("div", drawing, class_="scroll wide")
    keys = legend(*length_keys(facts), ("sofar", "best so far"), *landmark_keys(facts))
    note = "The time includes pauses. " + lengths_note(facts)
    return figure(facts.titled("Optimization history by time"), joined(keys, wide), note, beyond(facts), class_="full")


def curves(facts: Facts) -> Markup | None:
    """The value of every experiment by epoch; a rung ends at each vertical line."""
    drawn, left_out = facts.best_and_others(MOST_CURVES)
    shown = [candidate for candidate in drawn if candidate.experiment.history]
    if not shown:
        return None
    ends = [value for candidate in shown for _, value in candidate.experiment.history]
    scale = of_metric(ends, minimize=facts.minimize)
    most = max(epoch for candidate in shown for epoch, _ in candidate.experiment.history)
    plot = Plot(
        Numbers(max(0.3, 1 - 0.02 * most), max(2, 1.01 * most), whole=True),
        scale,
        "epoch",
        axis_name(facts),
        width=980,
        height=340,
    )
    most_points = max(4, MOST_POINTS // len(shown))
    marks: list[Markup | None] = []
    for end in facts.epochs if len(facts.epochs) > 1 else ():
        if 1 < end < most:
            x = at(plot.across(plot.x.place(end) or 0.0))
            marks.append(tag("line", x1=x, x2=x, y1=plot.top, y2=plot.height - plot.bottom, class_="rung"))
    courses: list[list[Sequence[Position]]] = [[] for _ in range(LEVELS)]
    alike = len(facts.epochs) == 1
    for rank, candidate in reversed(list(enumerate(shown))):
        courses[fifth(rank, len(shown)) if alike else candidate.level].append(_course(plot, candidate, most_points))
    for level, of_level in enumerate(courses):
        marks.append(lines((course for course in of_level if len(course) > 1), f"level{level}"))
        marks.append(dots((course[0] for course in of_level if len(course) == 1), f"small level{level}"))
    for searched, draw, name in ((facts.defaults, diamond, "default"), (facts.winner, star, "best")):
        if searched is not None and searched.value is not None and not (name == "best" and searched is facts.defaults):
            course = _course(plot, searched, 200)
            if course:  # what was lost at a later rung leaves a value and no curve
                marks += [lines([course], name), draw(course[-1], name, 5)]
    drawing = plot.drawn(f"{facts.metric} by epoch, a line for each experiment", marks)
    keys = legend(*(FIFTHS if alike else facts.levels), *landmark_keys(facts))
    what = "the worst take over from the best" if facts.definition.algorithm.changes else "the best are promoted"
    note = f"A vertical line is the end of a rung, where {what}. " if len(facts.epochs) > 1 else ""
    note += "Much worse values are drawn at the edge. " if any(map(scale.beyond, ends)) else ""
    wide = tag("div", drawing, class_="scroll wide")
    return figure(facts.titled("Learning curves"), joined(keys, wide), note, left_out, class_="full")


def shaded_dots(facts: Facts, points: Sequence[Position], level: int, *, small: bool | None = None) -> Markup:
    """Dots of one length of training: hollow, unless it is the longest. They are small where there are many."""
    size = "small " if (len(facts.drawn) > MOST_WITH_TEXT if small is None else small) else ""
    hole = dots(points, f"{size}hole") if is_hollow(facts, level) else None
    return joined(dots(points, f"{size}level{level}"), hole)


def _stages(facts: Facts, plot: Plot) -> Markup | None:
    """The names of the stages, with a line where each but the first begins; None unless there are a few stages."""
    stages = facts.definition.plan.search
    if not 1 < len(stages) <= 8:
        return None
    parts: list[Markup] = []
    for stage in stages:
        if stage.first > max(candidate.number for candidate in facts.searched):
            break
        x = plot.across(plot.x.place(stage.first - 0.5) or 0.0)
        parts.append(label(x + 4, plot.top - 6, stage.name, "start", "faint"))
        if stage.first:
            parts.append(tag("line", x1=at(x), x2=at(x), y1=plot.top, y2=plot.height - plot.bottom, class_="rung"))
    return joined(parts)


def _best_so_far(facts: Facts, plot: Plot) -> list[Position]:
    course: list[Position] = []
    for experiment, value in facts.best_so_far:
        point = plot.point(experiment, value)
        assert point is not None, "both axes are of numbers"
        course += [(point[0], course[-1][1]), point] if course else [point]
    end = plot.point(facts.searched[-1].number, facts.best_so_far[-1][1])
    return [*course, end] if end else course


def _dots(facts: Facts, plot: Plot) -> list[Markup | None]:
    by_level: list[list[Position]] = [[] for _ in range(LEVELS)]
    for candidate in facts.drawn:
        point = plot.point(candidate.number, candidate.value)
        if point:
            by_level[candidate.level].append(point)
    return [shaded_dots(facts, points, level) for level, points in enumerate(by_level)]


def _text(facts: Facts, candidate: Searched, point: Position | None) -> Markup | None:
    """An invisible disc over a dot, whose title a pointer shows."""
    if point is None:
        return None
    epochs = candidate.experiment.epochs
    text = f"experiment {candidate.number}: {facts.metric} {number(candidate.value)} in {epochs} epochs"
    return tag("circle", tag("title", text), cx=at(point[0]), cy=at(point[1]), r=7, class_="touch")


def _course(plot: Plot, candidate: Searched, most: int) -> Sequence[Position]:
    """A curve thinned to about `most` points at equal steps, always with the last one."""
    points = candidate.experiment.history
    every = -(-len(points) // most)
    thinned = [*points[:-1][::every], points[-1]] if points else []
    return [point for epoch, value in thinned if (point := plot.point(epoch, value))]
