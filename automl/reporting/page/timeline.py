"""When each experiment trained: a bar for every attempt, in as many lanes as there were trainings at a time.

Lanes are not machines: an attempt stands in the lowest lane that was free when it began.
"""

from __future__ import annotations

from collections.abc import Sequence

from automl.reporting.figures.conventions import MOST_WITH_TEXT, Position
from automl.reporting.figures.facts import Facts
from automl.reporting.figures.scales import Numbers, Options
from automl.reporting.figures.timeline import (
    KINDS,
    MOST_LANES,
    Span,
    Timeline,
    axis_unit,
    day_text,
    timeline_notes,
    timeline_of,
)
from automl.reporting.page.drawing import Plot, at, crosses, figure, legend
from automl.reporting.page.markup import Markup, joined, tag
from automl.text.formatting import duration


def timeline(facts: Facts) -> Markup | None:
    """The bars of all attempts."""
    layout = timeline_of(facts)
    if layout is None:
        return None
    lanes = min(layout.lanes, MOST_LANES)
    row = max(3.0, min(22.0, 560 / lanes))
    size, unit = axis_unit(layout.length)
    plot = Plot(
        Numbers(0.0, layout.length / size),
        Options(tuple(range(1, lanes + 1))),
        f"{unit} since the first start" + (", without the pauses" if layout.cuts else ""),
        "lane",
        width=980,
        height=66 + round(lanes * row),
    )
    shown = [span for span in layout.spans if span.lane < lanes]
    thick = min(row - 1, 0.8 * row)
    marks: list[Markup | None] = []
    for cut in layout.cuts:
        x = at(plot.across(cut / layout.length))
        marks.append(tag("line", x1=x, x2=x, y1=plot.top, y2=plot.height - plot.bottom, class_="rung"))
    used = [kind for kind in KINDS if any(span.kind == kind for span in shown)]
    for kind in used:
        spans = [span for span in shown if span.kind == kind]
        high = thick / 2 if kind == "stopped" else thick
        marks.append(tag("path", d="".join(_bar(plot, layout, span, high) for span in spans), class_=f"span {kind}"))
        if kind == "failed":
            marks.append(crosses(_middles(plot, layout, spans), "on-bar", min(4.0, thick / 3)))
    if len(shown) <= MOST_WITH_TEXT:
        marks += [_text(plot, layout, span, thick) for span in shown]
    drawing = plot.drawn("When each experiment trained, a bar for each attempt", marks)
    keys = legend(*((f"span {kind}", KINDS[kind]) for kind in used))
    wide = tag("div", drawing, class_="scroll wide")
    return figure("Worker timeline", joined(keys, wide), timeline_notes(layout), class_="full")


def _middles(plot: Plot, layout: Timeline, spans: Sequence[Span]) -> list[Position]:
    """The middles of the bars that are wide enough for a cross."""
    middles = []
    for span in spans:
        left, right = plot.across(span.left / layout.length), plot.across(span.right / layout.length)
        if right - left > 8:
            middles.append(((left + right) / 2, plot.up(plot.y.place(span.lane + 1) or 0.0)))
    return middles


def _box(plot: Plot, layout: Timeline, span: Span, thick: float) -> tuple[str, str, str]:
    """Left, top and width of a bar, which is wide enough to be seen and leaves a small gap to the next one."""
    left, right = (plot.across(when / layout.length) for when in (span.left, span.right))
    return at(left), at(plot.up(plot.y.place(span.lane + 1) or 0.0) - thick / 2), at(max(0.8, right - left - 0.7))


def _bar(plot: Plot, layout: Timeline, span: Span, thick: float) -> str:
    left, top, width = _box(plot, layout, span, thick)
    return f"M{left} {top}h{width}v{at(thick)}h-{width}z"


def _text(plot: Plot, layout: Timeline, span: Span, thick: float) -> Markup:
    left, top, width = _box(plot, layout, span, thick)
    times = span.times
    epochs = f", epochs {times.start + 1} to {times.epochs[-1][0]}" if times.epochs else ", no epoch"
    took = f"{duration((times.seen - times.began) / 60)} from {day_text(times.began)} UTC"
    text = f"experiment {times.experiment}, rung {times.rung}{epochs}: {took}; {KINDS[span.kind]}"
    return tag("rect", tag("title", text), x=left, y=top, width=width, height=at(thick), class_="touch")
