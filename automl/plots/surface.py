"""Which parameters matter, and how good the values of the two that matter most are together."""

from __future__ import annotations

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from automl.errors import RecordError
from automl.plots import drawing
from automl.plots.drawing import colours
from automl.reporting.figures.conventions import MOST_BARS, SHADES
from automl.reporting.figures.facts import Facts
from automl.reporting.figures.importance import importances, judged, unknown_because
from automl.reporting.figures.landscape import CELLS, landscape
from automl.text.formatting import counted


def importance(facts: Facts) -> Figure:
    """A bar for each parameter, with a mark at what chance alone reaches."""
    parameters = importances(facts)
    if not parameters:
        raise RecordError(f"importance is not known yet: {unknown_because(facts)}", advice="wait for more experiments")
    rows = parameters[:MOST_BARS]
    palette = colours()
    with drawing.look():
        figure = drawing.picture(7, 1.3 + 0.33 * len(rows))
        axes = figure.add_subplot()
        for row, parameter in enumerate(rows):
            sure = parameter.share > parameter.chance
            axes.barh(row, max(parameter.share, 0.002), height=0.62, color=palette["l3" if sure else "l0"])
            axes.plot([parameter.chance] * 2, [row - 0.42, row + 0.42], color=palette["ink"], linewidth=2)
            axes.text(  # in a column of its own: beside the mark it would pass for what chance reaches
                1.08, row, f"{parameter.share:.0%}", color=palette["ink" if sure else "soft"], ha="right", va="center",
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip
        most = max(0.1, *(max(parameter.share, parameter.chance) for parameter in rows))
        axes.set(xlim=(0, 1.03 * most), ylim=(len(rows) - 0.4, -0.6), xlabel="share of the variance")
        axes.set_yticks(range(len(rows)), [parameter.axis.short for parameter in rows])
        axes.tick_params(axis="y", colors=palette["ink"])
        axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        title = facts.titled(f"Importance of each parameter of {facts.definition.file.name}")
        drawing.head(figure, title, _keys())
        hint = " With so few take it as a hint." if (count := len(judged(facts)[0])) < 50 else ""
        drawing.note(figure, f"From {counted(count, 'experiment')}, by their rank; each parameter on its own.{hint}")
    return figure


def contour(facts: Facts) -> Figure:
    """A map of the two most important parameters, which shows how the experiments around each point ranked."""
    measured = importances(facts)
    land = landscape(facts, measured)
    if land is None:
        why = unknown_because(facts) if not measured else "fewer than two parameters, or too few experiments have both"
        raise RecordError(f"the map of two parameters is not known yet: {why}", advice="wait for more experiments")
    across, up = land.axes
    palette = colours()
    with drawing.look():
        figure = drawing.picture(6.4, 5.2)
        axes = figure.add_subplot()
        for set_axis, axis in ((drawing.set_across, across), (drawing.set_up, up)):
            set_axis(axes, axis.scale, 8)
        axes.grid(visible=False)
        axes.set(xlabel=across.name, ylabel=up.name)
        shades = ListedColormap([palette[f"s{shade}"] for shade in range(SHADES)])
        edges = [[drawing.value_at(axis.scale, edge / CELLS) for edge in range(CELLS + 1)] for axis in land.axes]
        heights = land.height()
        heights[~land.near] = float("nan")
        mesh = axes.pcolormesh(*edges, heights, cmap=shades, vmin=0, vmax=1, rasterized=True)
        _tried(axes, facts, land.points.tolist())
        if facts.winner is not None:
            x, y = (axis.place(facts.winner.experiment.values) for axis in land.axes)
            if x is not None and y is not None:
                point = drawing.value_at(across.scale, x), drawing.value_at(up.scale, y)
                drawing.landmark(axes, "best", *point)
        bar = figure.colorbar(mesh, ax=axes, ticks=[0, 1], shrink=0.6, aspect=18)
        bar.ax.set_yticklabels(["worse", "better"])
        bar.outline.set_visible(False)
        entries = [("best", f"the best, experiment {facts.winner.number}")] if facts.winner else []
        title = facts.titled(f"The two most important parameters of {facts.definition.file.name}")
        drawing.head(figure, title, drawing.keys(entries))
        drawing.note(figure, "The mean rank of the experiments near each point; where none is near, nothing is drawn.")
    return figure


def _tried(axes: Axes, facts: Facts, places: list[list[float]]) -> None:
    """A dot for every experiment."""
    x_scale, y_scale = (measured.axis.scale for measured in importances(facts)[:2])
    points = [(drawing.value_at(x_scale, x), drawing.value_at(y_scale, y)) for x, y in places[:1000]]
    across, up = zip(*points, strict=True)
    axes.scatter(across, up, s=12, color=colours()["ink"], alpha=0.55, linewidths=0)


def _keys() -> list[Artist]:
    palette = colours()
    return [
        Patch(color=palette["l3"], label="more than chance"),
        Patch(color=palette["l0"], label="no more than chance"),
        Line2D(
            [], [], color=palette["ink"], marker="|", markersize=11, mew=2, lw=0, label="what chance reaches, 1 in 20"
        ),
    ]
