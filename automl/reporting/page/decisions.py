"""Every experiment: its values, its result, and the reasons that the decisions give for all that was done with it."""

from __future__ import annotations

from itertools import groupby

from automl.reporting.figures.facts import MOST_DRAWN, Facts
from automl.reporting.page.markup import Markup, joined, tag
from automl.search.brain import DEFAULTS
from automl.search.history import Experiment, Status
from automl.search.plan import StageKind
from automl.text.formatting import counted, number, setting

_OPEN = 40  # experiments; longer tables are closed at first
_MOST_CHARACTERS = 300


def experiments(facts: Facts) -> Markup | None:
    """A table for each stage, of the first MOST_DRAWN experiments in all."""
    if not facts.experiments:
        return None
    shown = facts.experiments[:MOST_DRAWN]
    short = {axis.parameter: axis.short.partition("[")[0] for axis in facts.axes}
    tables = [_stage(facts, stage, list(group), short) for stage, group in groupby(shown, key=lambda each: each.stage)]
    rest = len(facts.experiments) - len(shown)
    more = f"and {counted(rest, 'other experiment')}; all of them stand in controller.json and brain.json"
    held_out = facts.definition.network.held_out_metric is not None
    judged = ", in the final judgement that on held-out data" if held_out else ""
    note = f"The value is the best of those that have a checkpoint{judged}. "
    return joined(tag("p", note, class_="empty"), tables, tag("p", more) if rest else None)


def _stage(facts: Facts, index: int, found: list[Experiment], short: dict[str, str]) -> Markup:
    stage = facts.definition.plan.stages[index]
    head = tag(
        "tr",
        tag("th", "no.", class_="number"),
        tag("th", "status"),
        tag("th", "epochs", class_="number"),
        tag("th", facts.metric, class_="number"),
        tag("th", "values"),
        tag("th", "why"),
    )
    table = tag("table", tag("thead", head), tag("tbody", [_row(facts, each, short) for each in found]))
    name = "The final judgement" if stage.kind is StageKind.FINAL else f"Stage {stage.name}"
    steps = ", ".join(f"{rung.size:,} to epoch {rung.epochs}" for rung in stage.rungs)
    told = steps if len(stage.rungs) <= 6 else f"{stage.experiments:,} to epoch {stage.schedule_epochs}"
    summary = tag("summary", tag("strong", name), f": {told}")
    return tag(
        "details",
        summary,
        tag("div", table, class_="scroll"),
        open="" if len(facts.experiments) <= _OPEN else None,
    )


def _row(facts: Facts, each: Experiment, short: dict[str, str]) -> Markup:
    final = facts.definition.plan.stages[each.stage].kind is StageKind.FINAL
    last = each.results[-1] if each.results else None
    kept = [result.best_value for result in each.results if result.failure is None]
    value = max((best for best in kept if best is not None), key=facts.score, default=None)
    if final and last is not None and last.held_out is not None:
        value = last.held_out
    best = facts.best is not None and facts.best.experiment == each.number
    marks = " (defaults)" if each.number == DEFAULTS else " (best)" if best else ""
    values = "; ".join(f"{short.get(name, name)} {setting(value)}" for name, value in each.values.items())
    return tag(
        "tr",
        tag("th", each.number, scope="row", class_="number"),
        tag("td", _status(each.status) + marks, class_="failed-text" if each.status is Status.FAILURE else None),
        tag("td", each.epochs, class_="number"),
        tag("td", number(value), class_="number"),
        tag("td", values),
        tag("td", [tag("div", line) for line in reasons(each)]),
        class_="best-row" if best else None,
    )


def _status(status: Status) -> str:
    words = {Status.PENDING: "under way", Status.FAILURE: "failed", Status.SUCCESS: "done"}
    return words.get(status, status.value)


def reasons(each: Experiment) -> list[str]:
    """Why it was proposed, why it went on at each rung, and why it ended where it did."""
    first, *later = each.recommendations
    found = [f"proposed: {first.reason}"]
    found += [f"to epoch {asked.epochs}: {asked.reason}" for asked in later]
    if each.status is Status.STOPPED:
        found.append(f"stopped: {each.reason}")
    if each.status is Status.FAILURE:
        found.append(f"failed: {each.reason}")
    return [line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]} …" for line in found]
