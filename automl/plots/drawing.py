"""What all pictures share: the look, axes with the scales of the report, and the marks of the defaults and the best."""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Any

import matplotlib
import matplotlib.style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis as Side
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from automl.reporting.figures.compared import Compared
from automl.reporting.figures.facts import LEVELS, Facts
from automl.reporting.figures.scales import Numbers, Options, Scale

_COLOUR = re.compile(r"--([a-z0-9]+):(#[0-9a-f]+)")
_LOOK = {
    "axes.axisbelow": True,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "font.size": 9.5,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # text stays text
    "savefig.dpi": 150,
    "svg.hashsalt": "argo-automl",  # the same study gives the same bytes
    "text.parse_math": False,  # a $ in a name is a $
    "ytick.left": False,
}

_CHARACTERS = 14.5  # of a note, in an inch
_SHADES = 64  # colours of a picture in a notebook, edges between them included


class Picture(Figure):
    """A figure that shows itself in a notebook without pyplot."""

    def _repr_png_(self) -> bytes:
        with io.BytesIO() as file:
            self.savefig(file, format="png", dpi=100)
            with Image.open(file) as picture, io.BytesIO() as small:  # a notebook keeps it: a quarter of the bytes
                picture.convert("RGB").quantize(_SHADES, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
                return small.getvalue()


@cache
def colours() -> dict[str, str]:
    """The colours of the report on light paper, by their names in style.css."""
    style = (resources.files("automl.reporting.page") / "style.css").read_text(encoding="utf-8")
    return dict(_COLOUR.findall(style.partition("@media")[0]))


def level_colour(level: int) -> str:
    """The shade of a level, 0 the weakest."""
    return colours()[f"l{level}"]


@contextmanager
def look() -> Iterator[None]:
    """Our look inside the `with` block, whatever settings the user has for matplotlib."""
    ink, soft, rule = (colours()[name] for name in ("ink", "soft", "rule"))
    tints = {
        "axes.edgecolor": soft,
        "axes.labelcolor": ink,
        "axes.titlecolor": ink,
        "grid.color": rule,
        "text.color": ink,
        "xtick.color": soft,
        "ytick.color": soft,
    }
    with matplotlib.style.context(["default", {**_LOOK, **tints}]):
        yield


def picture(width: float, height: float) -> Picture:
    """A figure of this size in inches."""
    return Picture(figsize=(width, height), layout="constrained")


def head(figure: Figure, title: str, handles: Sequence[Artist] = (), columns: int = 6) -> None:
    """The title and the legend below it, as one object, so that they do not overlap."""
    ink = colours()["ink"]
    if not handles:
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", color=ink)
        return
    rows = -(-len(handles) // columns)
    legend = figure.legend(
        handles=list(handles), loc="outside upper left", ncols=-(-len(handles) // rows), handletextpad=0.5,
        title=title, alignment="left", title_fontproperties={"size": 12, "weight": "bold"}, borderaxespad=0.2,
    )  # fmt: skip
    legend.get_title().set_color(ink)


def note(figure: Figure, text: str) -> None:
    """The text below a picture with what a reader must know, in as many lines as it takes."""
    if text:
        lines = textwrap.fill(text.strip(), int(_CHARACTERS * figure.get_figwidth()))
        figure.supxlabel(lines, x=0.01, ha="left", fontsize=8.5, color=colours()["soft"])


def set_across(axes: Axes, scale: Scale, most: int) -> None:
    """The axis from left to right, in the values themselves; options stand at 0, 1, 2, ..."""
    axes.set_xlim(*ends(scale))
    if isinstance(scale, Numbers) and scale.log:
        axes.set_xscale("log")
    _ticks(axes.xaxis, scale, most)


def set_up(axes: Axes, scale: Scale, most: int = 8) -> None:
    """The vertical axis, with lines across the picture."""
    axes.set_ylim(*ends(scale))
    if isinstance(scale, Numbers) and scale.log:
        axes.set_yscale("log")
    _ticks(axes.yaxis, scale, most)
    axes.yaxis.grid(visible=True)


def _ticks(side: Side, scale: Scale, most: int) -> None:
    ticks = scale.ticks(most)
    side.set_ticks([value_at(scale, position) for position, _ in ticks], [text for _, text in ticks], minor=False)
    side.set_ticks([], minor=True)


def ends(scale: Scale) -> tuple[float, float]:
    """The two ends of an axis."""
    if isinstance(scale, Options):
        return -0.5, len(scale.options) - 0.5
    return value_at(scale, 0.0), value_at(scale, 1.0)


def value_at(scale: Scale, position: float) -> float:
    """The number at a position from 0 to 1; for options, their index."""
    if isinstance(scale, Options):
        return position * len(scale.options) - 0.5
    assert isinstance(scale, Numbers), "there are two kinds of scales"
    if scale.log:
        low, high = math.log(scale.low), math.log(scale.high)  # their quotient may be beyond all floats
        return scale.low if position == 0 else scale.high if position == 1 else math.exp(low + position * (high - low))
    return scale.low + position * (scale.high - scale.low)


def on(scale: Scale, value: Any) -> float | None:
    """Where a value is drawn, which is at the edge when it lies beyond; None for what the axis cannot show."""
    position = scale.place(value)
    return None if position is None else value_at(scale, position)


def add_lines(axes: Axes, courses: Sequence[Sequence[tuple[float, float]]], colour: str, **more: Any) -> None:
    """Lines of one colour, through points in the values of the axes."""
    axes.add_collection(LineCollection(courses, colors=colour, **more), autolim=False)


def dots(
    axes: Axes, points: Sequence[tuple[float, float]], colour: str, size: float = 34.0, *, hollow: bool = False
) -> None:
    """Dots of one colour; hollow ones are rings of it."""
    if points:
        across, up = zip(*points, strict=True)
        face, width = (colours()["paper"], 1.3) if hollow else (colour, 0.0)
        axes.scatter(
            across, up, s=size, facecolors=face, edgecolors=colour, linewidths=width, zorder=3, clip_on=False
        )  # fmt: skip


def crosses(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """The marks of what failed."""
    if points:
        bad = colours()["bad"]
        across, up = zip(*points, strict=True)
        axes.scatter(across, up, s=26, marker="x", color=bad, linewidths=1.4, zorder=4, clip_on=False)


def landmark(axes: Axes, name: str, x: float, y: float) -> None:
    """The mark of the defaults (a diamond) or of the best (a disc with a rim). `name` is default or best."""
    axes.plot([x], [y], **_mark(name), zorder=5, clip_on=False)


def rings(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """The marks of the points on a front."""
    across, up = zip(*points, strict=True)
    axes.plot(across, up, linestyle="none", zorder=4, clip_on=False, **_ring())


def _ring() -> dict[str, Any]:
    palette = colours()
    return {"marker": "o", "markersize": 6, "mew": 1.6, "mfc": palette["paper"], "mec": palette["best"]}


def _mark(name: str) -> dict[str, Any]:
    shape = {"default": ("D", 8), "best": ("o", 10)}[name]
    return {
        "marker": shape[0], "markersize": shape[1], "linestyle": "none", "markeredgecolor": colours()["paper"],
        "markerfacecolor": colours()[name], "markeredgewidth": 1.2,
    }  # fmt: skip


def keys(entries: Sequence[tuple[str, str]], *, line: bool = False) -> list[Line2D]:
    """What a legend shows. An entry is a class of the report's legends and its meaning. `line` draws lines, no dots."""
    return [_key(class_, text, line=line) for class_, text in entries]


def _key(class_: str, text: str, *, line: bool) -> Line2D:
    palette = colours()
    if class_ == "sofar":
        return Line2D([], [], color=palette["best"], label=text)
    if class_ == "front":
        return Line2D([], [], linestyle="none", label=text, **_ring())
    if class_ == "failed":
        return Line2D([], [], marker="x", linestyle="none", color=palette["bad"], label=text)
    if class_ in {"default", "best"} and line:
        return Line2D([], [], color=palette[class_], linestyle="--" if class_ == "default" else "-", lw=2.5, label=text)
    if class_ in {"default", "best"}:
        return Line2D([], [], **_mark(class_), label=text)
    level, _, hollow = class_.removeprefix("level").partition(" ")
    colour = level_colour(int(level))
    if line:
        return Line2D([], [], color=colour, label=text)
    face = palette["paper"] if hollow else colour
    return Line2D([], [], color=colour, markerfacecolor=face, label=text, marker="o", linestyle="none")


def by_level(facts: Facts | Compared) -> list[list[Any]]:
    """The experiments that are drawn except the defaults and the best, by their shade."""
    levels: list[list[Any]] = [[] for _ in range(LEVELS)]
    for candidate in facts.drawn:
        if candidate not in (facts.defaults, facts.winner):
            levels[candidate.level].append(candidate)
    return levels
