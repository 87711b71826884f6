"""Two metrics against each other: the front, what it dominates, what is infeasible."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from automl.analysis.trade_off import Place
from automl.errors import RecordError
from automl.plots import drawing
from automl.plots.drawing import colours, level_colour, on
from automl.reporting.figures.facts import Facts
from automl.reporting.figures.front import FrontFigure, Pair, front_figure, named

_LABELLED = 12  # points of a front that have their numbers beside them


def front(facts: Facts, pair: Pair) -> Figure:
    """The picture of two metrics of a study, the first of them from left to right. Raises RecordError."""
    found = facts.trade_off
    drawn = None if found is None else front_figure(found, pair)
    if drawn is None:
        raise RecordError("fewer than two experiments have both values yet", advice="wait, or look at 'automl status'")
    with drawing.look():
        figure = drawing.picture(9, 4.4)
        axes = figure.add_subplot()
        drawing.set_across(axes, drawn.across, 12)
        drawing.set_up(axes, drawn.up)
        axes.set(xlabel=named(drawn.x), ylabel=named(drawn.y))
        drawing.dots(axes, _places(drawn, drawn.of(Place.SHORTER)), level_colour(1))
        drawing.dots(axes, _places(drawn, drawn.of(Place.DOMINATED)), level_colour(3))
        drawing.crosses(axes, _places(drawn, drawn.of(Place.INFEASIBLE)))
        if stairs := _places(drawn, drawn.stairs):
            across, up = zip(*stairs, strict=True)
            axes.plot(across, up, color=colours()["best"], linewidth=1.5)
        if rings := _places(drawn, drawn.of(Place.FRONT)):
            drawing.rings(axes, rings)
        for place in _places(drawn, drawn.of(Place.CHOSEN)):
            drawing.landmark(axes, "best", *place)
        shown = [point for point in drawn.points if point.place in {Place.FRONT, Place.CHOSEN}]
        for point in shown if len(shown) <= _LABELLED else ():
            for place in _places(drawn, [drawn.at(point)]):
                axes.annotate(str(point.experiment), place, xytext=(6, 6), textcoords="offset points", fontsize=8.5)
        title = f"{drawn.y.name} and {drawn.x.name} in {facts.definition.file.name}"
        drawing.head(figure, title, drawing.keys(drawn.keys))
        drawing.note(figure, drawn.note)
    return figure


def _places(drawn: FrontFigure, values: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Where values are drawn; those that an axis cannot show are left out."""
    places = [(on(drawn.across, x), on(drawn.up, y)) for x, y in values]
    return [(x, y) for x, y in places if x is not None and y is not None]
