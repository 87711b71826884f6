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
    landmark_keys,
)
from automl.reporting.figures.facts import LEVELS, Facts, Searched
from automl.reporting.figures.scales import Numbers, of_metric
from automl.reporting.page.drawing import Plot, at, crosses, diamond, dots, figure, label, legend, lines, star
from automl.reporting.page.markup import Markup, joined, tag
from automl.text.formatting import number


def history(facts: Facts) -> Markup | None:
    """Value by experiment, with the best up to each."""
    if not facts.searched or not facts.valued:
        return None
    last = max(each.number for each in facts.searched)
    across = Numbers(-0.5, last + 0.5, whole=True)
    plot = Plot(across, facts.value_scale, "experiment", axis_name(facts), width=980, height=330, top=40)
    marks: list[Markup | None] = [_stages(facts, plot), lines([_best_so_far(facts, plot)], "sofar")]
    marks += _dots(facts, plot)
    failed = [(plot.across(plot.x.place(each.number) or 0.0), plot.up(0) - 6) for each in facts.searched if each.failed]
    marks.append(crosses(failed, "failed"))
    for searched, draw, name in ((facts.defaults, diamond, "default"), (facts.winner, star, "best")):
        if searched is not None and not (name == "best" and searched is facts.defaults):
            point = plot.point(searched.number, searched.value)
            marks.append(draw(point, name) if point else None)
    if len(facts.searched) <= MOST_WITH_TEXT:
        marks += [_text(facts, each, plot.point(each.number, each.value)) for each in facts.drawn]
    entries = [*facts.levels, ("sofar", "best up to here"), *landmark_keys(facts)]
    entries += [("failed", "failed")] if failed else []
    drawing = plot.drawn(f"{facts.metric} of every experiment of the search", marks)
    note = "Each experiment's best value that has a checkpoint, from validation data. "
    note += "Experiments that were trained longer stand better for that alone. " if len(facts.epochs) > 1 else ""
    wide = tag("div", drawing, class_="scroll wide")
    return figure("History", joined(legend(*entries), wide), note, facts.left_out, beyond(facts), class_="full")


def curves(facts: Facts) -> Markup | None:
    """Value by epoch of every experiment; a rung ends at each upright line."""
    drawn, left_out = facts.best_and_others(MOST_CURVES)
    shown = [each for each in drawn if each.experiment.history]
    if not shown:
        return None
    ends = [value for each in shown for _, value in each.experiment.history]
    scale = of_metric(ends, minimize=facts.minimize)
    most = max(epoch for each in shown for epoch, _ in each.experiment.history)
    plot = Plot(
        Numbers(max(0.3, 1 - 0.02 * most), max(2, 1.01 * most), whole=True),
        scale,
        "epoch",
        axis_name(facts),
        width=980,
        height=340,
    )
    each_gets = max(4, MOST_POINTS // len(shown))
    marks: list[Markup | None] = []
    for end in facts.epochs if len(facts.epochs) > 1 else ():
        if 1 < end < most:
            x = at(plot.across(plot.x.place(end) or 0.0))
            marks.append(tag("line", x1=x, x2=x, y1=plot.top, y2=plot.height - plot.bottom, class_="rung"))
    courses: list[list[Sequence[Position]]] = [[] for _ in range(LEVELS)]
    alike = len(facts.epochs) == 1
    for rank, each in reversed(list(enumerate(shown))):
        courses[fifth(rank, len(shown)) if alike else each.level].append(_course(plot, each, each_gets))
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
    note = "An upright line is the end of a rung, where the best go on. " if len(facts.epochs) > 1 else ""
    note += "Far worse values are drawn at the edge. " if any(map(scale.beyond, ends)) else ""
    wide = tag("div", drawing, class_="scroll wide")
    return figure("Learning curves", joined(keys, wide), note, left_out, class_="full")


def dot_class(facts: Facts, level: int) -> str:
    """The class of a dot; where there are many they are small."""
    return f"level{level}" if len(facts.drawn) <= MOST_WITH_TEXT else f"small level{level}"


def _stages(facts: Facts, plot: Plot) -> Markup | None:
    """A line where each stage but the first begins, with its name, where there are a few."""
    stages = facts.definition.plan.search
    if not 1 < len(stages) <= 8:
        return None
    parts: list[Markup] = []
    for stage in stages:
        if stage.first > max(each.number for each in facts.searched):
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
    for each in facts.drawn:
        point = plot.point(each.number, each.value)
        if point:
            by_level[each.level].append(point)
    return [dots(points, dot_class(facts, level)) for level, points in enumerate(by_level)]


def _text(facts: Facts, each: Searched, point: Position | None) -> Markup | None:
    """What a pointer over a dot shows: an unseen disc with a title."""
    if point is None:
        return None
    text = f"experiment {each.number}: {facts.metric} {number(each.value)} in {each.experiment.epochs} epochs"
    return tag("circle", tag("title", text), cx=at(point[0]), cy=at(point[1]), r=7, class_="touch")


def _course(plot: Plot, each: Searched, most: int) -> Sequence[Position]:
    """A curve of at most `most` points: every so many of them, and always the last."""
    points = each.experiment.history
    every = -(-len(points) // most)
    kept = [*points[:-1][::every], points[-1]] if points else []
    return [point for epoch, value in kept if (point := plot.point(epoch, value))]
