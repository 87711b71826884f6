"""SVG: a plot with two axes, and the marks in it. Colours are classes of style.css, so that they follow light and dark.

Dots and lines of one class are one path, which keeps a thousand experiments small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from automl.reporting.figures.conventions import Position
from automl.reporting.figures.scales import Scale
from automl.reporting.page.markup import Child, Markup, joined, tag


def at(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class Plot:
    """A rectangle with axes, in pixels of its own; the page scales it."""

    x: Scale
    y: Scale
    x_name: str
    y_name: str
    width: int = 480
    height: int = 290
    left: int = 52
    right: int = 14
    top: int = 26
    bottom: int = 40

    @property
    def inner_width(self) -> int:
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> int:
        return self.height - self.top - self.bottom

    def across(self, position: float) -> float:
        return self.left + position * self.inner_width

    def up(self, position: float) -> float:
        return self.top + (1 - position) * self.inner_height

    def point(self, x: object, y: object) -> Position | None:
        """The position of a pair of values; None where an axis cannot show one of them."""
        across, up = self.x.place(x), self.y.place(y)
        return None if across is None or up is None else (self.across(across), self.up(up))

    def axes(self) -> Markup:
        """Grid, ticks and names. The name of the vertical axis stands above it, where it can be read."""
        parts: list[Markup] = []
        floor, right = self.height - self.bottom, self.width - self.right
        for position, text in self.y.ticks(max(3, self.inner_height // 32)):
            y = at(self.up(position))
            parts.append(tag("line", x1=self.left, x2=right, y1=y, y2=y, class_="grid"))
            parts.append(label(self.left - 6, self.up(position) + 4, text, "end"))
        for position, text in self.x.ticks(max(3, self.inner_width // 55)):
            x = at(self.across(position))
            parts.append(tag("line", x1=x, x2=x, y1=floor, y2=floor + 4, class_="axis"))
            parts.append(label(self.across(position), floor + 17, text, "middle"))
        parts.append(tag("line", x1=self.left, x2=right, y1=floor, y2=floor, class_="axis"))
        parts.append(name(4, 13, self.y_name, "start", self.width - 8))
        parts.append(name(right, self.height - 5, self.x_name, "end", self.width - 8))
        return joined(parts)

    def drawn(self, says: str, *marks: Child) -> Markup:
        """The whole picture. `says` describes it for those who cannot see it."""
        return picture(self.width, self.height, says, self.axes(), *marks)


def picture(width: int, height: int, says: str, *marks: Child) -> Markup:
    """An SVG of this size, which shrinks with the page."""
    return tag("svg", tag("title", says), *marks, viewBox=f"0 0 {width} {height}", role="img", style=f"--w:{width}px")


def label(x: float, y: float, text: str, anchor: str, class_: str | None = None) -> Markup:
    """A line of text. `anchor` is start, middle or end."""
    return tag("text", text, x=at(x), y=at(y), text_anchor=None if anchor == "start" else anchor, class_=class_)


def name(x: float, y: float, text: str, anchor: str, room: float, *, class_: str = "name") -> Markup:
    """A name within `room` pixels. A longer one loses its middle, and a pointer shows the whole."""
    most = max(3, int(room / 7.4))
    tail = most // 3
    shown = text if len(text) <= most else f"{text[: most - 1 - tail]}…{text[-tail:]}"
    title = tag("title", text) if shown != text else None
    return tag("text", title, shown, x=at(x), y=at(y), text_anchor=None if anchor == "start" else anchor, class_=class_)


def tick(x: float, y: float, text: str) -> Markup:
    """A tick's text to the right of `x`, on a ground of its own, so that lines behind it do not cross it."""
    ground = tag("rect", x=at(x - 2), y=at(y - 11), width=at(6.9 * len(text) + 4), height=14, class_="ground")
    return joined(ground, tag("text", text, x=at(x), y=at(y), class_="halo"))


def dots(points: Iterable[Position], class_: str) -> Markup | None:
    """Dots as one path. A line without length and with round ends is a dot as wide as its stroke."""
    path = "".join(f"M{at(x)} {at(y)}h0" for x, y in points)
    return tag("path", d=path, class_=f"dot {class_}") if path else None


def crosses(points: Iterable[Position], class_: str, size: float = 3.5) -> Markup | None:
    """A cross at each point, as one path."""
    s, d = at(size), at(2 * size)
    path = "".join(f"M{at(x - size)} {at(y - size)}l{d} {d}m0-{d}l-{d} {d}" for x, y in points)
    return tag("path", d=path, class_=f"cross {class_}") if path and s else None


def diamond(point: Position, class_: str, size: float = 6) -> Markup:
    x, y, s = at(point[0]), at(point[1] - size), at(size)
    return tag("path", d=f"M{x} {y}l{s} {s}l-{s} {s}l-{s}-{s}z", class_=f"mark {class_}")


def star(point: Position, class_: str, size: float = 6) -> Markup:
    """The mark of the best, or of a point on a front: a disc with a ring."""
    return tag("circle", cx=at(point[0]), cy=at(point[1]), r=at(size), class_=f"mark {class_}")


def lines(courses: Iterable[Sequence[Position]], class_: str) -> Markup | None:
    """Lines through points, all as one path."""
    path = "".join(path_through(course) for course in courses)
    return tag("path", d=path, class_=f"line {class_}") if path else None


def path_through(course: Sequence[Position]) -> str:
    """The path of a line; a single point is a dot."""
    if len(course) == 1:
        return f"M{at(course[0][0])} {at(course[0][1])}h0"
    return "".join(f"{'L' if index else 'M'}{at(x)} {at(y)}" for index, (x, y) in enumerate(course))


def legend(*entries: tuple[str, str]) -> Markup:
    """The classes in a picture, each with its meaning."""
    return tag(
        "ul", *(tag("li", tag("span", "", class_=f"key {class_}"), text) for class_, text in entries), class_="legend"
    )


def figure(title: str, drawing: Child, *notes: Child, class_: str | None = None) -> Markup:
    """A picture with its title above it and the notes for its reader below."""
    caption = tag("figcaption", *notes) if any(note for note in notes) else None
    return tag("figure", tag("h3", title), drawing, caption, class_=class_)
