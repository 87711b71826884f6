"""The epochs: planned, trained, still to come, fallen away, and saved because experiments go on from checkpoints."""

from __future__ import annotations

from dataclasses import dataclass

from automl.plan import Rung, Stage, with_before
from automl.report_page.drawing import figure, legend
from automl.report_page.facts import Facts
from automl.report_page.markup import Markup, joined, tag
from automl.wording import duration

MOST_ROWS = 60


@dataclass(frozen=True)
class Line:
    """One rung, or the sum of all. Epochs but for `experiments`, `ended`, `failed` (counts) and `seconds`.

    away: planned and never to be trained, because experiments failed or too few were left to go on. saved: what would
    be trained again if every rung began from scratch.
    """

    stage: str = ""
    rung: str = ""
    to: int = 0
    experiments: int = 0
    ended: int = 0
    failed: int = 0
    planned: int = 0
    trained: int = 0
    away: int = 0
    saved: int = 0
    seconds: float = 0.0

    @property
    def to_come(self) -> int:
        return max(0, self.planned - self.trained - self.away)

    def plus(self, other: Line) -> Line:
        names = ("experiments", "ended", "failed", "planned", "trained", "away", "saved", "seconds")
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Line(self.stage, "", **sums)


def entries(facts: Facts) -> list[Line]:
    """A line for each rung of the plan."""
    return [
        _line(facts, stage, rung, before)
        for stage in facts.definition.plan.stages
        for rung, before in with_before(stage, "epochs")
    ]


def _line(facts: Facts, stage: Stage, rung: Rung, before: int) -> Line:
    length = rung.epochs - before
    line = Line(stage.name, str(rung.index), rung.epochs, rung.size, planned=rung.size * length)
    decisions = facts.study.of_stage(stage.index)
    if rung.index >= len(decisions):
        return line if facts.state != "failed" else Line(**{**vars(line), "away": line.planned})
    ended = failed = trained = saved = 0
    seconds = 0.0
    away = (rung.size - len(decisions[rung.index].issued)) * length
    for asked in decisions[rung.index].issued:
        result = facts.study.results.get((asked.number, rung.index))
        if result is None:
            continue
        new = facts.trained[asked.number, rung.index]
        ended, failed = ended + 1, failed + (result.failure is not None)
        trained, seconds = trained + new, seconds + result.seconds
        saved += asked.resume_epoch
        away += max(0, length - new)
    return Line(**{**vars(line), "ended": ended, "failed": failed, "trained": trained, "away": away, "saved": saved,
                   "seconds": seconds})  # fmt: skip


def ledger(facts: Facts) -> Markup:
    """The bar of all epochs, and the table of rungs."""
    found = entries(facts)
    total = Line()
    for line in found:
        total = total.plus(line)
    parts = (("trained", total.trained), ("to-come", total.to_come), ("away", total.away))
    bar = tag(
        "div",
        *(tag("span", "", class_=f"part {name}", style=f"flex-grow:{size}") for name, size in parts if size),
        class_="ledger-bar",
    )
    words = {"trained": "trained", "to-come": "to come", "away": "fell away (failed, or not needed any more)"}
    keys = legend(*((f"part {name}", f"{size:,} {words[name]}") for name, size in parts if size))
    saved = f"{total.planned:,} epochs are planned in all. "
    if total.saved:
        saved += f"{total.saved:,} more were saved: promoted experiments went on from their checkpoints. "
    rest = f"The first {MOST_ROWS} of {len(found):,} rungs. " if len(found) > MOST_ROWS else ""
    return figure("Epochs", joined(bar, keys, _table(found, total)), saved, rest, class_="full")


def _table(found: list[Line], total: Line) -> Markup:
    heads = ("stage", "rung", "to epoch", "experiments", "failed", "planned", "trained", "saved", "time")
    rows = []
    name = ""
    for line in found[:MOST_ROWS]:
        rows.append(_row(line, line.stage if line.stage != name else "", str(line.to)))
        name = line.stage
    head = tag("tr", *(tag("th", text, class_="number" if place > 1 else None) for place, text in enumerate(heads)))
    foot = tag("tfoot", _row(total, "in all", ""))
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
