"""What a value costs: every result by its training time, and the front of the results that no other beats."""

from __future__ import annotations

from automl.analysis.cost_front import Point
from automl.problem.metric import difference
from automl.reporting.figures.conventions import MOST_WITH_TEXT, Position, axis_name, landmark_keys, length_keys
from automl.reporting.figures.facts import LEVELS, Facts
from automl.reporting.figures.tradeoff import (
    KEYS,
    LABEL_GAP,
    LETTER_WIDTH,
    LINE_HEIGHT,
    Layout,
    are_alike,
    best_point,
    cost_layout,
    cost_notes,
    gain_share,
    landmarks,
    percent,
    readable,
    sentence,
)
from automl.reporting.page.courses import shaded_dots
from automl.reporting.page.drawing import Plot, at, diamond, figure, label, legend, lines, star
from automl.reporting.page.markup import Markup, joined, tag
from automl.search.race import DEFAULTS
from automl.text.formatting import counted, number, spent

MOST_OF_FRONT = 12


def tradeoff(facts: Facts) -> Markup | None:
    """The picture with its sentence, and the table of the front."""
    layout = cost_layout(facts)
    if layout is None:
        return None
    if are_alike(facts):
        times = [point.seconds for point in facts.points]
        low, high = spent(min(times)), spent(max(times))
        span = low if low == high else f"{low} to {high}"
        text = (
            f"All {counted(len(times), 'result')} took about as long ({span}): accepting a worse value saves no time."
        )
        return tag("p", text, class_="empty")
    plot = Plot(layout.across, layout.up, layout.name, axis_name(facts), width=980, height=360)
    marks: list[Markup | None] = [*_dots(facts, layout, plot), lines([_course(facts, layout, plot)], "sofar")]
    placed = [(point, position) for point in facts.front if (position := _place(layout, plot, point))]
    marks += [star(position, "front", 4) for _, position in placed]
    for name, point in landmarks(facts):
        if position := _place(layout, plot, point):
            marks.append(diamond(position, name) if name == "default" else star(position, name))
    marks += _labels(facts, plot, placed)
    if len(layout.drawn) <= MOST_WITH_TEXT:
        marks += [_text(facts, point, position) for point in layout.drawn if (position := _place(layout, plot, point))]
    drawing = plot.drawn(f"{facts.metric} of every result by its training time", marks)
    keys = legend(*length_keys(facts), *KEYS, *landmark_keys(facts))
    wide = tag("div", drawing, class_="scroll wide")
    shown = figure("Value by training time", joined(keys, wide), cost_notes(facts, layout), class_="full")
    text = sentence(facts)
    return joined(tag("p", text) if text else None, shown, _table(facts))


def _place(layout: Layout, plot: Plot, point: Point) -> Position | None:
    return plot.point(point.seconds / layout.size, point.value)


def _dots(facts: Facts, layout: Layout, plot: Plot) -> list[Markup | None]:
    by_level: list[list[Position]] = [[] for _ in range(LEVELS)]
    for point in layout.drawn:
        if position := _place(layout, plot, point):
            by_level[facts.level_of(point.epochs)].append(position)
    return [
        shaded_dots(facts, places, level, small=len(layout.drawn) > MOST_WITH_TEXT)
        for level, places in enumerate(by_level)
    ]


def _course(facts: Facts, layout: Layout, plot: Plot) -> list[Position]:
    """The front as stairs, which show the best value within each time."""
    course: list[Position] = []
    for point in facts.front:
        if position := _place(layout, plot, point):
            course += [(position[0], course[-1][1]), position] if course else [position]
    return [*course, (plot.across(1), course[-1][1])]


def _labels(facts: Facts, plot: Plot, placed: list[tuple[Point, Position]]) -> list[Markup]:
    """The numbers of the experiments on the front, on its empty side."""
    labels = []
    texts = [str(point.experiment) for point, _ in placed]
    outward = [(x, y if facts.minimize else -y) for _, (x, y) in placed]
    for index in readable(texts, outward, LETTER_WIDTH, LINE_HEIGHT):
        x, y = placed[index][1]
        right = max(x - LABEL_GAP, plot.left + LETTER_WIDTH * len(texts[index]))
        labels.append(label(right, y + 17 if facts.minimize else y - 8, texts[index], "end", "halo"))
    return labels


def _text(facts: Facts, point: Point, position: Position) -> Markup:
    """An invisible disc over a dot, whose title a pointer shows."""
    what = f"experiment {point.experiment}, epoch {point.epochs}"
    text = f"{what}: {facts.metric} {number(point.value)} in {spent(point.seconds)}"
    return tag("circle", tag("title", text), cx=at(position[0]), cy=at(position[1]), r=7, class_="touch")


def _table(facts: Facts) -> Markup | None:
    """The table of the front, the quickest first, with what each point costs and how far it is behind the best.

    None where no experiment meets the constraints: there is no best then.
    """
    best, share = best_point(facts), gain_share(facts)
    if best is None:
        return None
    heads = ["to epoch", facts.metric, "behind the best", "training time", "of the best's time"]
    heads += ["of its gain over the defaults"] if share else []
    shown = facts.front[-MOST_OF_FRONT:]
    rows = []
    for point in shown:
        behind = difference(facts.score(best.value), facts.score(point.value))
        cells = [
            str(point.epochs),
            number(point.value),
            number(behind) if behind else "\N{EN DASH}",
            spent(point.seconds),
        ]
        cells.append(percent(point.seconds / best.seconds) if best.seconds else "\N{EN DASH}")
        if share:
            cells.append(percent(share(point)) if share(point) > 0 else "none")
        is_best = (point.experiment, point.rung) == (best.experiment, best.rung)
        name = f"{point.experiment}{' (defaults)' if point.experiment == DEFAULTS else ' (best)' if is_best else ''}"
        row = (tag("th", name, scope="row"), *(tag("td", cell, class_="number") for cell in cells))
        rows.append(tag("tr", *row, class_="best-row" if is_best else None))
    head = tag("tr", tag("th", "experiment"), *(tag("th", text, class_="number") for text in heads))
    rest = len(facts.front) - len(shown)
    note = (
        f"{counted(rest, 'quicker and worse result')} of the front {'is' if rest == 1 else 'are'} left out. "
        if rest
        else ""
    )
    table = tag("div", tag("table", tag("thead", head), tag("tbody", rows)), class_="scroll")
    return figure("Results on the front", table, note, class_="full")
