"""Which parameters matter, and how good the values of the two that matter most are together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

from automl.reporting.figures.conventions import MOST_BARS, SHADES, Position
from automl.reporting.figures.facts import Facts
from automl.reporting.figures.importance import Importance, judged, unknown_because
from automl.reporting.figures.landscape import CELLS, landscape
from automl.reporting.page.drawing import Plot, at, dots, figure, label, name, picture, star
from automl.reporting.page.markup import Markup, joined, tag
from automl.search.algorithms import SAMPLERS
from automl.text.formatting import counted


def importance(facts: Facts, measured: tuple[Importance, ...]) -> Markup:
    """A bar for each parameter, with a mark at what chance alone reaches."""
    count = len(judged(facts)[0])
    if not measured:
        return figure(
            facts.titled("Parameter importance"), tag("p", f"Not known yet: {unknown_because(facts)}.", class_="empty")
        )
    rows = measured[:MOST_BARS]
    left, right, step = 134, 48, 26
    width, height = 420, 34 + step * len(rows)
    most = max(0.1, *(max(bar.share, bar.chance) for bar in rows))
    room = width - left - right
    marks: list[Markup] = []
    for index, bar in enumerate(rows):
        y = 8 + index * step
        length, chance = room * bar.share / most, left + room * bar.chance / most
        strength = "sure" if bar.share > bar.chance else "unsure"
        marks.append(name(left - 8, y + 15, bar.axis.short, "end", left - 8, class_="bar-name"))
        marks.append(tag("rect", x=left, y=y + 3, width=at(max(length, 1)), height=16, class_=f"bar {strength}"))
        marks.append(tag("line", x1=at(chance), x2=at(chance), y1=y, y2=y + 22, class_="chance"))
        marks.append(label(width - 8, y + 15, f"{bar.share:.0%}", "end", strength))
    marks.append(label(width - 8, height - 6, "share of the variance; mark: what chance reaches", "end"))
    drawing = picture(width, height, "Importance of each parameter", marks)
    halved = any(not rung.new for stage in facts.definition.plan.search for rung in stage.rungs)
    when = " at the end of the first rung, among those of their stage" if halved else ""
    adaptive = SAMPLERS[facts.definition.sampler_name].learns
    none = "No parameter passes what chance reaches, so nothing is known to matter; look at the slice plots. "
    notes = (
        none if not any_matters(measured) else "",
        f"From {counted(count, 'experiment')}, by their rank{when}: each parameter on its own "
        "(epsilon squared over bins; failures count as the worst). "
        "Of parameters that do not matter, 1 in 20 passes its mark by chance. "
        "Combined effects are not measured. ",
        "The search chose these values itself, which distorts the shares. " if adaptive else "",
        "With so few experiments this is only a hint. " if count < 50 else "",
    )
    return figure(facts.titled("Parameter importance"), drawing, *notes)


def any_matters(measured: Sequence[Importance]) -> bool:
    """Whether any parameter matters more than chance would make it."""
    return any(importance.share > importance.chance for importance in measured)


def contour(facts: Facts, measured: tuple[Importance, ...]) -> Markup | None:
    """A map of the two most important parameters, which shows how the experiments around each point ranked."""
    land = landscape(facts, measured)
    if land is None or not any_matters(measured):
        return None
    across, up = land.axes
    plot = Plot(across.scale, up.scale, across.short, up.short, width=420, height=340, left=60)
    shades = numpy.clip(land.height() * SHADES, 0, SHADES - 1).astype(int)
    marks: list[Markup | None] = [_cells(plot, shades, land.near)]
    places: list[Position] = [(plot.across(x), plot.up(y)) for x, y in land.points.tolist()]
    marks.append(dots(places[:1000], "tried"))
    if facts.winner is not None:
        point = plot.point(across.value(facts.winner.experiment.values), up.value(facts.winner.experiment.values))
        marks += [star(point, "best", 5)] if point else []
    drawing = plot.drawn(f"Rank by {across.name} and {up.name}", marks)
    key = tag(
        "ul",
        tag("li", "worse ", *(tag("span", "", class_=f"key shade{shade}") for shade in range(SHADES)), " better"),
        tag("li", tag("span", "", class_="key best"), "the best") if facts.winner else None,
        class_="legend shades",
    )
    note = "The mean rank of the experiments near each point; empty where there are none. "
    doubt = [importance.axis.short for importance in measured[:2] if importance.share <= importance.chance]
    unsure = f"That {' and '.join(doubt)} matter{'s' if len(doubt) == 1 else ''} is not certain. " if doubt else ""
    return figure(facts.titled("The two most important parameters"), joined(key, drawing), note, unsure)


def _cells(plot: Plot, shades: NDArray[numpy.int_], near: NDArray[numpy.bool_]) -> Markup:
    """The map. Equal cells next to each other are one rectangle, and all of a shade are one path."""
    wide, high = plot.inner_width / CELLS, plot.inner_height / CELLS
    paths = ["" for _ in range(SHADES)]
    for row in range(CELLS):
        column = 0
        while column < CELLS:
            start = column
            key = (bool(near[row, column]), int(shades[row, column]))
            while column < CELLS and (bool(near[row, column]), int(shades[row, column])) == key:
                column += 1
            if key[0]:
                x, y, length = plot.left + start * wide, plot.up((row + 1) / CELLS), (column - start) * wide
                # a little larger than it is, so that no seam shows
                paths[key[1]] += f"M{at(x)} {at(y)}h{at(length + 0.4)}v{at(high + 0.4)}h-{at(length + 0.4)}z"
    return joined(tag("path", d=path, class_=f"area shade{shade}") for shade, path in enumerate(paths) if path)
