"""The epochs that are planned, trained, still to come, dropped, and saved by going on from checkpoints."""

from __future__ import annotations

from automl.reporting.figures.facts import Facts
from automl.reporting.figures.ledger import MOST_RUNGS, Line, entries
from automl.reporting.page.drawing import figure, legend
from automl.reporting.page.markup import Markup, joined, tag
from automl.text.formatting import duration


def ledger(facts: Facts) -> Markup:
    """The bar of all epochs, and the table of rungs."""
    rung_lines = entries(facts)
    total = Line()
    for line in rung_lines:
        total = total.plus(line)
    parts = (("trained", total.trained), ("to-come", total.to_come), ("away", total.away))
    bar = tag(
        "div",
        *(tag("span", "", class_=f"part {name}", style=f"flex-grow:{size}") for name, size in parts if size),
        class_="ledger-bar",
    )
    words = {"trained": "trained", "to-come": "to come", "away": "dropped (failed, or no longer needed)"}
    keys = legend(*((f"part {name}", f"{size:,} {words[name]}") for name, size in parts if size))
    note = f"{total.planned:,} epochs are planned. "
    if total.saved:
        note += f"{total.saved:,} more were saved because promoted experiments resumed from their checkpoints. "
    rest = f"The first {MOST_RUNGS} of {len(rung_lines):,} rungs. " if len(rung_lines) > MOST_RUNGS else ""
    return figure("Epochs", joined(bar, keys, _table(rung_lines, total)), note, rest, class_="full")


def _table(rung_lines: list[Line], total: Line) -> Markup:
    heads = ("stage", "rung", "to epoch", "experiments", "failed", "planned", "trained", "saved", "time")
    rows = []
    name = ""
    for line in rung_lines[:MOST_RUNGS]:
        rows.append(_row(line, line.stage if line.stage != name else "", str(line.to)))
        name = line.stage
    head = tag("tr", *(tag("th", text, class_="number" if column > 1 else None) for column, text in enumerate(heads)))
    foot = tag("tfoot", _row(total, "total", ""))
    return tag("div", tag("table", tag("thead", head), tag("tbody", rows), foot), class_="scroll")


def _row(line: Line, stage: str, to: str) -> Markup:
    ended = f"{line.ended:,} of {line.experiments:,}"
    time = duration(line.seconds / 60) if line.seconds else "\N{EN DASH}"
    counts = (f"{line.failed:,}", f"{line.planned:,}", f"{line.trained:,}", f"{line.saved:,}")
    cells = (to, ended, *counts, time)
    return tag(
        "tr",
        tag("th", stage, scope="row"),
        tag("td", line.rung),
        *(tag("td", cell, class_="number") for cell in cells),
    )
