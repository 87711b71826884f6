"""How the values relate to the results: parallel coordinates, and a slice for each parameter."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from automl.errors import RecordError
from automl.plots import drawing
from automl.plots.drawing import colours, level_colour, on
from automl.reporting.figures.compared import Compared, compared
from automl.reporting.figures.conventions import (
    FIFTHS,
    MOST_AXES,
    MOST_CROSSES,
    MOST_LINES,
    MOST_SLICES,
    MOST_WITH_TEXT,
    SPREAD,
    axis_name,
    fifth,
    is_hollow,
    landmark_keys,
    length_keys,
    ordered_axes,
)
from automl.reporting.figures.facts import LEVELS, Axis, Facts, Searched
from automl.reporting.figures.importance import importances
from automl.reporting.figures.scales import Scale, gap

_ACROSS = 3  # slices in a row
_OFF = -0.12  # where the line of an experiment goes that does not have the parameter
_ROOM = 16  # characters of a name above its axis


def parallel_coordinates(facts: Facts) -> Figure:
    """A line for each experiment through all of its values; a better one is stronger."""
    axes_ = _searched(facts)
    alike = compared(facts)
    if len(alike.valued) < 2:
        raise RecordError("fewer than two experiments have a value", advice="wait, or look at 'automl status'")
    shown = axes_[:MOST_AXES]
    drawn, left_out = alike.best_and_others(MOST_LINES)
    fifths: list[list[list[tuple[float, float]]]] = [[] for _ in range(LEVELS)]
    for rank, experiment in enumerate(drawn):
        fifths[fifth(rank, len(drawn))].append(_line(alike, experiment, shown))
    with drawing.look():
        figure = drawing.picture(max(7.0, 1.35 * (len(shown) + 1)), 4.4)
        axes = figure.add_subplot()
        for level, courses in enumerate(fifths):
            drawing.add_lines(axes, courses, level_colour(level), linewidths=1.1, alpha=0.8)
        for name, searched in (("default", alike.defaults), ("best", alike.winner)):
            if searched is not None and searched.value is not None:
                course, dashes = _line(alike, searched, shown), "--" if name == "default" else "-"
                drawing.add_lines(axes, [course], colours()[name], linewidths=2.4, linestyles=dashes, zorder=4)
        for index, axis in enumerate(shown):
            off = any(axis.parameter not in experiment.experiment.values for experiment in drawn)
            _upright(axes, index, axis.short, axis.scale, off=off)
        _upright(axes, len(shown), facts.metric, alike.scale, strong=True)
        axes.set(xlim=(-0.25, len(shown) + 0.75), ylim=(_OFF - 0.03, 1.02))
        axes.set_axis_off()
        entries = [*FIFTHS, *landmark_keys(facts, with_length=False)]
        title = facts.titled(f"Parallel coordinates of {facts.definition.file.name}")
        drawing.head(figure, title, drawing.keys(entries, line=True))
        drawing.note(figure, alike.note + _rest(axes_, MOST_AXES) + left_out)
    return figure


def slices(facts: Facts) -> Figure:
    """For each parameter the values of all experiments."""
    axes_ = _searched(facts)
    alike = compared(facts)
    if not alike.valued:
        raise RecordError("no experiment has a value yet", advice="wait, or look at 'automl status'")
    shown = axes_[:MOST_SLICES]
    across = min(_ACROSS, len(shown))
    down = -(-len(shown) // across)
    with drawing.look():
        figure = drawing.picture(3.3 * across + 0.4, 2.6 * down + 0.8)
        for index, axis in enumerate(shown):
            axes = figure.add_subplot(down, across, index + 1)
            _slice(facts, alike, axes, axis)
            axes.set_xlabel(axis.short)
            if index % across == 0:
                axes.set_ylabel(axis_name(facts))
        failed = any(experiment.failed and experiment.value is None for experiment in facts.searched)
        entries = [
            *length_keys(facts),
            *landmark_keys(facts, with_length=False),
            *([("failed", "failed")] if failed else []),
        ]
        title = f"{facts.metric} by each parameter of {facts.definition.file.name}"
        drawing.head(figure, title, drawing.keys(entries), 7 if across == _ACROSS else 2 * across)
        drawing.note(figure, alike.note + _rest(axes_, MOST_SLICES) + alike.left_out)
    return figure


def _searched(facts: Facts) -> list[Axis]:
    """The parameters, the most important first. Raises RecordError when none is searched."""
    axes = ordered_axes(facts, importances(facts))
    if not axes:
        raise RecordError("the study searches no parameter", advice="plot history or curves")
    return axes


def _rest(axes: list[Axis], most: int) -> str:
    return f"{len(axes) - most} less important parameters are left out. " if len(axes) > most else ""


def _line(alike: Compared, candidate: Searched, axes: list[Axis]) -> list[tuple[float, float]]:
    """The places of an experiment's values, from 0 to 1 on each axis, and of its metric."""
    course = []
    for x, axis in enumerate(axes):
        position = axis.place(candidate.experiment.values)
        if position is not None and (apart := gap(axis.scale)):  # beside each other, for lines on one point hide
            position += 0.35 * (candidate.number * SPREAD % 1 - 0.5) * apart
        course.append((float(x), _OFF if position is None else position))
    return [*course, (float(len(axes)), alike.scale.place(candidate.value) or 0.0)]


def _upright(axes: Axes, x: int, name: str, scale: Scale, *, off: bool = False, strong: bool = False) -> None:
    """An axis with its name and ticks. `off` adds a place below it for experiments that lack the parameter."""
    palette = colours()
    axes.plot([x, x], [0, 1], color=palette["soft"], linewidth=1, zorder=5)
    halo = {"facecolor": palette["paper"], "edgecolor": "none", "alpha": 0.75, "pad": 0.8}
    for position, text in scale.ticks(6):
        axes.text(x + 0.04, position, text, va="center", fontsize=8.5, zorder=6, bbox=halo)
    shown = name if len(name) <= _ROOM else f"{name[: _ROOM - 5]}…{name[-4:]}"
    colour = palette["best"] if strong else palette["ink"]
    axes.text(x, 1.06, shown, ha="center", fontweight="bold", color=colour, fontsize=9)
    if off:
        axes.text(x + 0.04, _OFF, "not used", va="center", fontsize=8.5, color=palette["soft"], zorder=6, bbox=halo)


def _slice(facts: Facts, alike: Compared, axes: Axes, axis: Axis) -> None:
    drawing.set_across(axes, axis.scale, 5)
    drawing.set_up(axes, alike.scale, 6)
    small = len(alike.drawn) > MOST_WITH_TEXT
    for level, experiments in enumerate(drawing.by_level(alike)):
        points = [point for candidate in experiments if (point := _place(alike.scale, axis, candidate))]
        drawing.dots(axes, points, level_colour(level), 10 if small else 22, hollow=is_hollow(facts, level))
    floor = drawing.ends(alike.scale)[0]
    failures = [candidate for candidate in facts.searched if candidate.failed and candidate.value is None][
        :MOST_CROSSES
    ]
    places = [(_across(axis, candidate), floor) for candidate in failures]
    drawing.crosses(axes, [(x, y) for x, y in places if x is not None])
    for name, searched in (("default", alike.defaults), ("best", alike.winner)):
        if searched is None or (name == "best" and searched is alike.defaults):
            continue
        if point := _place(alike.scale, axis, searched):
            drawing.landmark(axes, name, *point)


def _place(scale: Scale, axis: Axis, candidate: Searched) -> tuple[float, float] | None:
    """Where an experiment stands in a slice."""
    x, y = _across(axis, candidate), on(scale, candidate.value)
    return None if x is None or y is None else (x, y)


def _across(axis: Axis, candidate: Searched) -> float | None:
    """A value on its axis. One of a few values moves aside by the experiment's number, so as not to hide others."""
    position = axis.place(candidate.experiment.values)
    if position is None:
        return None
    aside = 0.5 * (candidate.number * SPREAD % 1 - 0.5) * (gap(axis.scale) or 0.0)
    return drawing.value_at(axis.scale, position + aside)
