"""What the search took, rung by rung, what a value costs, and what failed."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from automl.errors import RecordError
from automl.plots import drawing
from automl.plots.drawing import colours, level_colour, on
from automl.plots.fronts import front
from automl.reporting.figures.conventions import MOST_WITH_TEXT, axis_name, is_hollow, landmark_keys, length_keys
from automl.reporting.figures.facts import LEVELS, Facts
from automl.reporting.figures.front import chosen_pair
from automl.reporting.figures.ledger import MOST_RUNGS, Line, entries
from automl.reporting.figures.timeline import KINDS, MOST_LANES, axis_unit, timeline_notes, timeline_of
from automl.reporting.figures.tradeoff import (
    KEYS,
    Layout,
    are_alike,
    cost_layout,
    cost_notes,
    landmarks,
    readable,
)
from automl.text.formatting import counted

_COLOURS = {"best": "best", "on": "l3", "ended": "l2", "stopped": "l0", "failed": "bad", "cut": "soft", "open": "paper"}
_PARTS = (("trained", "l3"), ("to come", "s1"), ("fell away", "bad"))


def pareto(facts: Facts, metrics: Sequence[str] = ()) -> Figure:
    """Two metrics against each other; in a study of one, value against training time, with the front as stairs."""
    if (pair := chosen_pair(facts.definition, metrics)) is not None:
        return front(facts, pair)
    layout = cost_layout(facts)
    if layout is None:
        raise RecordError("fewer than two results have a value yet", advice="wait, or look at 'automl status'")
    places = {point: (point.seconds / layout.size, on(layout.up, point.value) or 0.0) for point in facts.points}
    with drawing.look():
        figure = drawing.picture(9, 4.4)
        axes = figure.add_subplot()
        drawing.set_across(axes, layout.across, 12)
        drawing.set_up(axes, layout.up)
        axes.set(xlabel=layout.name, ylabel=axis_name(facts))
        size = 14 if len(layout.drawn) > MOST_WITH_TEXT else 30
        for level in range(LEVELS):
            of_level = [places[point] for point in layout.drawn if facts.level_of(point.epochs) == level]
            drawing.dots(axes, of_level, level_colour(level), size, hollow=is_hollow(facts, level))
        across, up = zip(*(places[point] for point in facts.front), strict=True)
        end = drawing.ends(layout.across)[1]
        axes.plot([*across, end], [*up, up[-1]], drawstyle="steps-post", color=colours()["best"], linewidth=1.5)
        drawing.rings(axes, list(zip(across, up, strict=True)))
        for name, point in landmarks(facts):
            drawing.landmark(axes, name, *places[point])
        _number(facts, axes, layout, list(zip(across, up, strict=True)))
        entries = [*length_keys(facts), *KEYS, *landmark_keys(facts)]
        drawing.head(figure, f"What a value costs in {facts.definition.file.name}", drawing.keys(entries))
        alike = "All took about as long, so differences of time say little. " if are_alike(facts) else ""
        drawing.note(figure, alike + cost_notes(facts, layout))
    return figure


def _number(facts: Facts, axes: Axes, layout: Layout, front: list[tuple[float, float]]) -> None:
    """The numbers of the experiments on the front, on its empty side."""
    numbers = [str(point.experiment) for point in facts.front]
    wide, high = 570.0, 210.0  # points of the picture, about
    outward = -1 if facts.minimize else 1
    places = [((layout.across.place(x) or 0.0) * wide, outward * (layout.up.place(y) or 0.0) * high) for x, y in front]
    for index in readable(numbers, places, 6.0, 11.0):
        axes.annotate(
            numbers[index], front[index], (-5, -5 if facts.minimize else 5), textcoords="offset points", ha="right",
            va="top" if facts.minimize else "bottom", fontsize=8.5,
        )  # fmt: skip


def failures(facts: Facts) -> Figure:
    """A bar for each kind of failure."""
    if not facts.failures:
        raise RecordError("no experiment has failed", advice="plot history instead")
    counts = {kind: sum(map(len, messages.values())) for kind, messages in facts.failures.items()}
    total = sum(bool(experiment.results) for experiment in facts.experiments)
    with drawing.look():
        figure = drawing.picture(7, 1.3 + 0.5 * len(counts))
        drawing.head(figure, f"What failed in {facts.definition.file.name}")
        axes = figure.add_subplot()
        axes.barh(range(len(counts)), list(counts.values()), height=0.6, color=colours()["bad"])
        for row, (kind, count) in enumerate(counts.items()):
            message, numbers = max(facts.failures[kind].items(), key=lambda pair: len(pair[1]))
            words = message if len(message) <= 70 else f"{message[:69]}…"
            most = f"experiment {numbers[0]}: {words}" if words else f"experiment {numbers[0]}"
            axes.annotate(f"{count}", (count, row), (5, 0), textcoords="offset points", va="center")
            axes.annotate(
                most, (0, row + 0.42), (2, 0), textcoords="offset points", va="center", fontsize=8,
                color=colours()["soft"],
            )  # fmt: skip
        axes.set(xlim=(0, 1.1 * max(counts.values())), ylim=(len(counts) - 0.3, -0.6), xlabel="experiments")
        axes.set_yticks(range(len(counts)), [kind.described() for kind in counts])
        axes.tick_params(axis="y", colors=colours()["ink"])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        drawing.note(figure, f"{sum(counts.values())} of {counted(total, 'experiment')} with a result.")
    return figure


def ledger(facts: Facts) -> Figure:
    """A bar for each rung, with its planned epochs by what became of them."""
    lines = entries(facts)
    rows = lines[:MOST_RUNGS]
    with drawing.look():
        figure = drawing.picture(8, 1.4 + 0.3 * len(rows))
        axes = figure.add_subplot()
        for row, line in enumerate(rows):
            left = 0
            for (_, colour), size in zip(_PARTS, _sizes(line), strict=True):
                axes.barh(row, size, left=left, height=0.66, color=colours()[colour])
                left += size
            more = f", {line.saved:,} saved" if line.saved else ""
            text = f"{line.trained:,} of {line.planned:,}{more}"
            axes.annotate(text, (left, row), (5, 0), textcoords="offset points", va="center", fontsize=8.5)
        most = max(1, *(line.planned for line in rows))
        axes.set(xlim=(0, 1.28 * most), ylim=(len(rows) - 0.4, -0.6), xlabel="epochs")
        axes.set_yticks(range(len(rows)), [_name(line) for line in rows])
        axes.tick_params(axis="y", colors=colours()["ink"])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        sums = [sum(sizes) for sizes in zip(*map(_sizes, lines), strict=True)]
        parts = [(f"{size:,} {name}", colour) for (name, colour), size in zip(_PARTS, sums, strict=True) if size]
        patches = [Patch(color=colours()[colour], label=text) for text, colour in parts]
        drawing.head(figure, f"Epochs of {facts.definition.file.name}, by rung", patches)
        rest = f"The first {MOST_RUNGS} of {len(lines):,} rungs. " if len(lines) > MOST_RUNGS else ""
        saved = sum(line.saved for line in lines)
        went_on = f"{saved:,} more were saved: promoted experiments resumed from their checkpoints." if saved else ""
        drawing.note(figure, rest + went_on)
    return figure


def timeline(facts: Facts) -> Figure:
    """A bar for every attempt, in as many lanes as there were trainings at a time."""
    layout = timeline_of(facts)
    if layout is None:
        raise RecordError(
            "the record holds no times: it was made by an argo-automl that kept none",
            advice="plot ledger instead: it has the epochs and their time by rung",
        )
    lanes = min(layout.lanes, MOST_LANES)
    size, unit = axis_unit(layout.length)
    with drawing.look():
        figure = drawing.picture(9, min(9.0, 1.6 + 0.24 * lanes))
        axes = figure.add_subplot()
        for cut in layout.cuts:
            axes.axvline(cut / size, color=colours()["soft"], linestyle=":", linewidth=1)
        patches = []
        for kind, text in KINDS.items():
            bars = [span for span in layout.spans if span.kind == kind and span.lane < lanes]
            edge = colours()["l3"] if kind == "open" else "none"
            for span in bars:
                left, width = span.left / size, max(span.right - span.left, layout.length / 1000) / size
                axes.broken_barh([(left, width)], (span.lane + 0.6, 0.8), color=colours()[_COLOURS[kind]], ec=edge)
            if bars:
                patches.append(Patch(facecolor=colours()[_COLOURS[kind]], edgecolor=edge, label=text))
        pauses = ", without the pauses" if layout.cuts else ""
        axes.set(
            xlim=(0, layout.length / size), ylim=(0.4, lanes + 0.6), xlabel=f"{unit} since the first start{pauses}"
        )
        axes.set_ylabel("lane")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        drawing.head(figure, f"When {facts.definition.file.name} trained", patches, columns=4)
        drawing.note(figure, timeline_notes(layout))
    return figure


def _sizes(line: Line) -> tuple[int, int, int]:
    return line.trained, line.to_come, line.away


def _name(line: Line) -> str:
    return f"{line.stage}, rung {line.rung}: {line.experiments} to epoch {line.to}"
