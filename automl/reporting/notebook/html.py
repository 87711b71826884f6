"""Results that show themselves: a table, a list or a curve as HTML in a notebook, text anywhere else.

The HTML uses the colours of the notebook, so it reads the same in light and in dark mode. Every text that comes from a
study is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from rich.console import Console

from automl.reporting.plain_console import plain_console
from automl.text.formatting import number

_TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums"
_CELL = "padding:2px 10px;text-align:left;border-bottom:1px solid #8884"
_WIDE, _HIGH, _EDGE = 320, 90, 4  # of a curve, in pixels
_NUMBER = re.compile(r"-|[+-]?[\d,]*\.?\d+(e[+-]?\d+)?")
Rows = Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class NotebookResult:
    """Data that shows itself. `data` is what `-o json` of the command prints; `draw` prints the same in a terminal.

    `rows` is the table for a notebook, its head first; a head of empty texts is left out. `title` stands above the
    table. `lines` stand below it, each as a paragraph. `picture` is our own SVG and comes last.
    """

    data: Any
    draw: Callable[[Console], None]
    rows: Rows
    title: str = ""
    lines: Sequence[str] = ()
    picture: str = ""

    def _repr_html_(self) -> str:
        title = f"<strong>{escape(self.title)}</strong>" if self.title else ""
        lines = "".join(f'<p style="margin:4px 0">{escape(line)}</p>' for line in self.lines)
        return f'<div style="overflow-x:auto">{title}{table(self.rows)}{lines}{self.picture}</div>'

    def __repr__(self) -> str:
        console = plain_console(
            width=120, color_system=None, force_jupyter=False
        )  # there it would show what it captures
        with console.capture() as captured:
            self.draw(console)
        return captured.get().rstrip()


class PlanResult(NotebookResult):
    """What a study will do."""


class ExperimentResult(NotebookResult):
    """One experiment with its values, its curve, and why it was proposed, promoted and stopped."""


def table(rows: Rows) -> str:
    """A table as HTML, numbers at the right. The first row is its head, left out where all its texts are empty."""
    head, *body = rows
    right = [bool(body) and all(_NUMBER.fullmatch(cell) for cell in column) for column in zip(*body, strict=False)]
    heads = f"<tr>{_cells(head, 'th', right)}</tr>" if any(head) else ""
    lines = "".join(f"<tr>{_cells(row, 'td', right)}</tr>" for row in body)
    return f'<table style="{_TABLE}">{heads}{lines}</table>'


def _cells(row: tuple[str, ...], tag: str, right: Sequence[bool]) -> str:
    """The cells of a row. `right` says which columns hold numbers alone, which stand at the right."""
    styles = [f"{_CELL};text-align:right" if number else _CELL for number in [*right, *[False] * len(row)][: len(row)]]
    return "".join(f'<{tag} style="{style}">{escape(cell)}</{tag}>' for cell, style in zip(row, styles, strict=True))


def curve(points: Sequence[tuple[int, float]], name: str) -> str:
    """The metric by epoch as SVG, in the colour of the text around it; empty for fewer than two points."""
    if len(points) < 2:
        return ""
    (first, _), (last, final) = points[0], points[-1]
    low, high = min(value for _, value in points), max(value for _, value in points)
    across, up = (_WIDE - 2 * _EDGE) / (last - first), (_HIGH - 2 * _EDGE) / ((high - low) or 1.0)
    coordinates = " ".join(
        f"{_EDGE + (x - first) * across:.1f},{_HIGH - _EDGE - (y - low) * up:.1f}" for x, y in points
    )
    description = escape(
        f"{name} from epoch {first} to {last}: {number(low)} to {number(high)}, {number(final)} at the end"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" width="{_WIDE}" height="{_HIGH}" '
        f'role="img"><title>{description}</title><polyline points="{coordinates}" fill="none" stroke="currentColor" '
        f'stroke-width="2"/></svg><p style="margin:0;font-size:smaller">{description}</p>'
    )
