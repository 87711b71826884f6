"""The section of a study with several metrics or constraints: fronts, the hypervolume over time, the table of both."""

from __future__ import annotations

from automl.analysis.trade_off import Place, TradeOff, TradePoint
from automl.reporting.figures.conventions import MOST_WITH_TEXT
from automl.reporting.figures.facts import Facts
from automl.reporting.figures.front import FrontFigure, front_figure, growth, named, pairs
from automl.reporting.figures.scales import Numbers
from automl.reporting.page.drawing import Plot, at, crosses, dots, figure, legend, lines, star
from automl.reporting.page.markup import Markup, joined, tag
from automl.text.formatting import counted, number

_MOST_ROWS = 30  # of the table
_WORDS = {Place.CHOSEN: "on the front, chosen", Place.FRONT: "on the front"}


def front(facts: Facts) -> Markup | None:
    """The section; None for a study of one metric."""
    found = facts.trade_off
    if found is None or not found.points:
        return None
    pictures = [_pair(drawn) for pair in pairs(found.aim) if (drawn := front_figure(found, pair)) is not None]
    over_time = _growth(found)
    return joined(tag("p", _sentence(found)), *pictures, over_time, _table(found))


def _sentence(found: TradeOff) -> str:
    parts = []
    if found.aim.is_several:
        chosen = next((point for point in found.front if point.place is Place.CHOSEN), None)
        parts.append(f"{len(found.front)} of {counted(len(found.points), 'experiment')} are on the front")
        if chosen is not None:
            parts[-1] += f"; chosen is experiment {chosen.experiment}, {found.aim.in_words}"
    if found.aim.constraints:
        words = ", ".join(one.words for one in found.aim.constraints)
        count = counted(len(found.points), "experiment")
        parts.append(f"{len(found.infeasible)} of {count} break a constraint: {words}")
    return ". ".join(parts) + "."


def _pair(drawn: FrontFigure) -> Markup:
    """Two metrics against each other."""
    plot = Plot(drawn.across, drawn.up, named(drawn.x), named(drawn.y), width=980, height=360)

    def places(*kinds: Place) -> list[tuple[float, float]]:
        return [position for values in drawn.of(*kinds) if (position := plot.point(*values))]

    marks: list[Markup | None] = [dots(places(Place.SHORTER), "level1"), dots(places(Place.DOMINATED), "level3")]
    marks.append(crosses(places(Place.INFEASIBLE), "failed"))
    marks.append(lines([[position for values in drawn.stairs if (position := plot.point(*values))]], "sofar"))
    marks += [star(position, "front", 4) for position in places(Place.FRONT)]
    marks += [star(position, "best") for position in places(Place.CHOSEN)]
    if len(drawn.points) <= MOST_WITH_TEXT:
        marks += [
            _text(point, position) for point in drawn.points if (position := plot.point(*drawn.at(point))) is not None
        ]
    picture = plot.drawn(f"{drawn.y.name} by {drawn.x.name} of every experiment of the search", marks)
    keys = legend(*drawn.keys)
    wide = tag("div", picture, class_="scroll wide")
    return figure(f"{drawn.y.name} and {drawn.x.name}", joined(keys, wide), drawn.note, class_="full")


def _text(point: TradePoint, position: tuple[float, float]) -> Markup:
    """What a pointer shows."""
    values = ", ".join(f"{name} {number(value)}" for name, value in point.values.items())
    why = f" ({point.why})" if point.why else ""
    text = f"experiment {point.experiment}: {values}; {point.place.value}{why}"
    return tag("circle", tag("title", text), cx=at(position[0]), cy=at(position[1]), r=7, class_="touch")


def _growth(found: TradeOff) -> Markup | None:
    """The hypervolume over the experiments."""
    course = growth(found) if found.aim.is_several else ()
    if len(course) < 2:
        return None
    first, last = course[0][0], course[-1][0]
    plot = Plot(Numbers(first - 0.5, last + 0.5, whole=True), Numbers(0.0, 1.0), "experiment", "hypervolume", 980, 260)
    points = [position for step in course if (position := plot.point(*step))]
    picture = plot.drawn(
        "the hypervolume of the front, by experiment", lines([points], "sofar"), dots(points, "level3")
    )
    note = "The share of the box between the best and the worst values of those compared that the front dominates."
    return figure("Hypervolume", tag("div", picture, class_="scroll wide"), note, class_="full")


def _table(found: TradeOff) -> Markup:
    """The front, and behind it what is infeasible, with by how much."""
    names = found.aim.names
    shown = [*found.front, *found.infeasible] if found.aim.is_several else [*found.infeasible]
    if not shown:
        return joined()
    columns = (tag("th", text, class_="number") for text in names)
    head = tag("tr", tag("th", "experiment"), *columns, tag("th", "where it stands"))
    rows = [
        tag(
            "tr",
            tag("th", str(point.experiment), scope="row"),
            *(tag("td", number(point.values.get(name)), class_="number") for name in names),
            tag("td", point.why or _WORDS[point.place]),
            class_="best-row" if point.place is Place.CHOSEN else None,
        )
        for point in shown[:_MOST_ROWS]
    ]
    more = tag("p", f"{len(shown) - _MOST_ROWS} more are in 'automl status -o json'") if shown[_MOST_ROWS:] else None
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return joined(tag("div", table, class_="scroll"), more)
