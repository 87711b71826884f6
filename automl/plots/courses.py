"""How the search went: the value of every experiment, and the learning curves."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from automl.errors import RecordError
from automl.plots import drawing
from automl.plots.drawing import colours, level_colour, on
from automl.reporting.figures.conventions import (
    FIFTHS,
    MOST_CURVES,
    MOST_WITH_TEXT,
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

_NOTHING = "no experiment has a value yet"


def history(facts: Facts) -> Figure:
    """The value of each experiment, with the best so far."""
    if not facts.valued:
        raise RecordError(_NOTHING, advice="wait, or look at 'automl status'")
    with drawing.look():
        figure = drawing.picture(9, 4.2)
        axes = figure.add_subplot()
        last = max(experiment.number for experiment in facts.searched)
        drawing.set_across(axes, Numbers(-0.5, last + 0.5, whole=True), 14)
        drawing.set_up(axes, facts.value_scale)
        axes.set(xlabel="experiment", ylabel=axis_name(facts))
        small = len(facts.drawn) > MOST_WITH_TEXT
        for level, experiments in enumerate(drawing.by_level(facts)):
            points = [point for experiment in experiments if (point := _point(facts, experiment))]
            drawing.dots(axes, points, level_colour(level), 14 if small else 34, hollow=is_hollow(facts, level))
        numbers = [number for number, _ in facts.best_so_far]
        values = [value for _, value in facts.best_so_far]
        best = colours()["best"]
        axes.plot([*numbers, last], [*values, values[-1]], drawstyle="steps-post", color=best, linewidth=1.5)
        floor = drawing.ends(facts.value_scale)[0]
        failed = [(float(experiment.number), floor) for experiment in facts.searched if experiment.failed]
        drawing.crosses(axes, failed)
        for name, experiment in _landmarks(facts):
            if point := _point(facts, experiment):
                drawing.landmark(axes, name, *point)
        _stages(facts, axes, last)
        entries = [*length_keys(facts), ("sofar", "best so far"), *landmark_keys(facts)]
        entries += [("failed", "failed")] if failed else []
        drawing.head(figure, facts.titled(f"History of {facts.definition.file.name}"), drawing.keys(entries))
        drawing.note(figure, lengths_note(facts) + facts.left_out + beyond(facts))
    return figure


def curves(facts: Facts) -> Figure:
    """The value of every experiment by epoch."""
    drawn, left_out = facts.best_and_others(MOST_CURVES)
    shown = [experiment for experiment in drawn if experiment.experiment.history]
    if not shown:
        raise RecordError(_NOTHING, advice="wait, or look at 'automl status'")
    ends = [value for experiment in shown for _, value in experiment.experiment.history]
    scale = of_metric(ends, minimize=facts.minimize)
    most = max(epoch for experiment in shown for epoch, _ in experiment.experiment.history)
    with drawing.look():
        figure = drawing.picture(9, 4.2)
        axes = figure.add_subplot()
        drawing.set_across(axes, Numbers(max(0.3, 1 - 0.02 * most), max(2, 1.01 * most), whole=True), 14)
        drawing.set_up(axes, scale)
        axes.set(xlabel="epoch", ylabel=axis_name(facts))
        alike = len(facts.epochs) == 1
        for end in () if alike else facts.epochs:
            if 1 < end < most:
                axes.axvline(end, color=colours()["soft"], linestyle=(0, (2, 4)), linewidth=1)
        courses: list[list[list[tuple[float, float]]]] = [[] for _ in range(LEVELS)]
        for rank, experiment in enumerate(shown):
            courses[fifth(rank, len(shown)) if alike else experiment.level].append(_course(scale, experiment))
        for level, of_level in enumerate(courses):
            colour = level_colour(level)
            drawing.add_lines(
                axes, [course for course in of_level if len(course) > 1], colour, linewidths=1.1, alpha=0.8
            )
            drawing.dots(axes, [course[0] for course in of_level if len(course) == 1], colour, 16)
        for name, experiment in _landmarks(facts):
            course = _course(scale, experiment)
            if course:
                dashes = "--" if name == "default" else "-"
                drawing.add_lines(axes, [course], colours()[name], linewidths=2.4, linestyles=dashes, zorder=4)
                drawing.landmark(axes, name, *course[-1])
        entries = [*(FIFTHS if alike else facts.levels), *landmark_keys(facts)]
        drawing.head(figure, facts.titled(f"Learning curves of {facts.definition.file.name}"), drawing.keys(entries))
        rungs = "" if alike else "A vertical line is the end of a rung, where the best are promoted. "
        far = "Far worse values are drawn at the edge. " if any(map(scale.beyond, ends)) else ""
        drawing.note(figure, rungs + far + left_out)
    return figure


def _point(facts: Facts, candidate: Searched) -> tuple[float, float] | None:
    y = on(facts.value_scale, candidate.value)
    return None if y is None else (float(candidate.number), y)


def _landmarks(facts: Facts) -> list[tuple[str, Searched]]:
    """The defaults and the best, where they have a value."""
    candidates = [("default", facts.defaults), ("best", facts.winner)]
    with_value = [
        (name, experiment) for name, experiment in candidates if experiment is not None and experiment.value is not None
    ]
    return [pair for pair in with_value if not (pair[0] == "best" and pair[1] is facts.defaults)]


def _course(scale: Numbers, candidate: Searched) -> list[tuple[float, float]]:
    points = ((float(epoch), on(scale, value)) for epoch, value in candidate.experiment.history)
    return [(epoch, value) for epoch, value in points if value is not None]


def _stages(facts: Facts, axes: Axes, last: int) -> None:
    """The names of the stages, with a line where each but the first begins, when there are only a few stages."""
    stages = facts.definition.plan.search
    for stage in stages if 1 < len(stages) <= 8 else ():
        if stage.first <= last:
            axes.text(
                stage.first - 0.4, 1.01, stage.name, transform=axes.get_xaxis_transform(), color=colours()["soft"]
            )
            if stage.first:
                axes.axvline(stage.first - 0.5, color=colours()["soft"], linestyle=(0, (2, 4)), linewidth=1)
