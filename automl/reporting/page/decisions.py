"""Every experiment with its values, its result, and the reasons of the decisions about it."""

from __future__ import annotations

from itertools import groupby

from automl.reporting.figures.facts import MOST_DRAWN, Facts
from automl.reporting.page.markup import Markup, joined, tag
from automl.search.history import Experiment, Status
from automl.search.plan import StageKind
from automl.search.race import DEFAULTS
from automl.text.formatting import counted, number, setting

_OPEN = 40  # experiments; longer tables are closed at first
_MOST_CHARACTERS = 300


def experiments(facts: Facts) -> Markup | None:
    """A table for each stage; together they hold the first MOST_DRAWN experiments."""
    if not facts.experiments:
        return None
    shown = facts.experiments[:MOST_DRAWN]
    short = {axis.parameter: axis.short.partition("[")[0] for axis in facts.axes}
    tables = [
        _stage(facts, stage, list(group), short)
        for stage, group in groupby(shown, key=lambda experiment: experiment.stage)
    ]
    rest = len(facts.experiments) - len(shown)
    more = f"and {counted(rest, 'other experiment')}; all of them stand in controller.json and brain.json"
    held_out = facts.definition.network.held_out_metric is not None
    judged = ", in the final judgement that on held-out data" if held_out else ""
    note = f"The value is the best of those that have a checkpoint{judged}. "
    return joined(tag("p", note, class_="empty"), tables, tag("p", more) if rest else None)


def _stage(facts: Facts, index: int, experiments: list[Experiment], short: dict[str, str]) -> Markup:
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
    table = tag(
        "table", tag("thead", head), tag("tbody", [_row(facts, experiment, short) for experiment in experiments])
    )
    name = "The final judgement" if stage.kind is StageKind.FINAL else f"Stage {stage.name}"
    steps = ", ".join(f"{rung.size:,} to epoch {rung.epochs}" for rung in stage.rungs)
    sizes = steps if len(stage.rungs) <= 6 else f"{stage.experiments:,} to epoch {stage.schedule_epochs}"
    summary = tag("summary", tag("strong", name), f": {sizes}")
    return tag(
        "details",
        summary,
        tag("div", table, class_="scroll"),
        open="" if len(facts.experiments) <= _OPEN else None,
    )


def _row(facts: Facts, experiment: Experiment, short: dict[str, str]) -> Markup:
    final = facts.definition.plan.stages[experiment.stage].kind is StageKind.FINAL
    last = experiment.results[-1] if experiment.results else None
    best_values = [result.best_value for result in experiment.results if result.failure is None]
    value = max((best for best in best_values if best is not None), key=facts.score, default=None)
    if final and last is not None and last.held_out is not None:
        value = last.held_out
    best = facts.best is not None and facts.best.experiment == experiment.number
    marks = " (defaults)" if experiment.number == DEFAULTS else " (best)" if best else ""
    values = "; ".join(f"{short.get(name, name)} {setting(value)}" for name, value in experiment.values.items())
    return tag(
        "tr",
        tag("th", experiment.number, scope="row", class_="number"),
        tag(
            "td",
            _status(experiment.status) + marks,
            class_="failed-text" if experiment.status is Status.FAILURE else None,
        ),
        tag("td", experiment.epochs, class_="number"),
        tag("td", number(value), class_="number"),
        tag("td", values),
        tag("td", [tag("div", line) for line in reasons(experiment)]),
        class_="best-row" if best else None,
    )


def _status(status: Status) -> str:
    words = {Status.PENDING: "under way", Status.FAILURE: "failed", Status.SUCCESS: "done"}
    return words.get(status, status.value)


def reasons(experiment: Experiment) -> list[str]:
    """Why it was proposed, why it went on at each rung, and why it ended where it did."""
    first, *later = experiment.recommendations
    lines = [f"proposed: {first.reason}"]
    lines += [f"to epoch {recommendation.epochs}: {recommendation.reason}" for recommendation in later]
    if experiment.status is Status.STOPPED:
        lines.append(f"stopped: {experiment.reason}")
    if experiment.status is Status.SUCCESS and experiment.reason:
        lines.append(experiment.reason)  # of a race: it was trained to its end, and its values leave
    if experiment.status is Status.FAILURE:
        lines.append(f"failed: {experiment.reason}")
    return [line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]} …" for line in lines]
