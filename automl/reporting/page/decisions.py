"""Every experiment with its values, its result, and the reasons of the decisions about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from automl.reporting.figures.facts import MOST_DRAWN, Axis, Facts
from automl.reporting.page.markup import Markup, joined, tag
from automl.reporting.rows import failed_text
from automl.search.history import Experiment, Status
from automl.search.plan import StageKind
from automl.search.race import DEFAULTS
from automl.study.keys import LOG, experiment_key
from automl.study.states import state_of
from automl.text.formatting import counted, number, setting

_MOST_CHARACTERS = 300


def experiments(facts: Facts) -> Markup | None:
    """A table of the search, the best first, and one of the final judgement; together the first MOST_DRAWN."""
    if not facts.experiments:
        return None
    shown = facts.experiments[:MOST_DRAWN]
    kinds = [facts.definition.plan.stages[experiment.stage].kind for experiment in shown]
    searched = [experiment for experiment, kind in zip(shown, kinds, strict=True) if kind is not StageKind.FINAL]
    judged = [experiment for experiment, kind in zip(shown, kinds, strict=True) if kind is StageKind.FINAL]
    searched.sort(key=_order(facts))
    lengths = "the longest trainings first, then by value" if len(facts.epochs) > 1 else "the best first"
    note = f"The search, {lengths}. The value is the best with a checkpoint; a longer bar is better. "
    note += "Numbers link to the logs, if this page is in the folder of its study."
    rest = len(facts.experiments) - len(shown)
    more = f"and {counted(rest, 'other experiment')}; all are in controller.json and brain.json"
    held_out = " on held-out data" if facts.definition.network.held_out_metric is not None else ""
    final = f"The final judgement: values and defaults trained again; the value is that{held_out} of this training."
    return joined(
        tag("p", note, class_="empty"),
        _table(facts, searched, class_="experiments"),
        [tag("p", final, class_="empty"), _table(facts, judged, class_="experiments judged")] if judged else None,
        tag("p", more) if rest else None,
    )


def value_of(facts: Facts, experiment: Experiment) -> float | None:
    """The value that counts: the best with a checkpoint; of a training of the final judgement the held-out one."""
    final = facts.definition.plan.stages[experiment.stage].kind is StageKind.FINAL
    last = experiment.results[-1] if experiment.results else None
    if final and last is not None and last.held_out is not None:
        return last.held_out
    return facts.kept_value(experiment)


def _order(facts: Facts) -> Callable[[Experiment], tuple[bool, int, float, int]]:
    def key(experiment: Experiment) -> tuple[bool, int, float, int]:
        value = value_of(facts, experiment)
        return (value is None, -experiment.epochs, -facts.score(value) if value is not None else 0.0, experiment.number)

    return key


def _table(facts: Facts, experiments: Sequence[Experiment], *, class_: str) -> Markup:
    heads: list[tuple[str, str | None]] = [("no.", "number"), ("state", None), ("epochs", "number")]
    heads += [(facts.metric, "number"), *((axis.short, "number") for axis in facts.axes), ("why", None)]
    head = tag("tr", *(tag("th", text, class_=kind) for text, kind in heads))
    body = tag("tbody", [_row(facts, experiment) for experiment in experiments])
    return tag("div", tag("table", tag("thead", head), body, class_=class_), class_="scroll")


def _row(facts: Facts, experiment: Experiment) -> Markup:
    best = facts.best is not None and facts.best.experiment == experiment.number
    mark = " (defaults)" if experiment.number == DEFAULTS else " (best)" if best else ""
    lines = [tag("div", line) for line in reasons(experiment)]
    log = experiment_key(experiment.number, LOG)
    name = tag("a", experiment.number, href=log) if experiment.results else experiment.number
    failed = experiment.status is Status.FAILURE
    return tag(
        "tr",
        tag("th", name, scope="row", class_="number"),
        tag("td", state_of(experiment).value, mark, class_="failed-text" if failed else None),
        tag("td", experiment.epochs),
        _value(facts, experiment),
        *(tag("td", _setting(axis, experiment)) for axis in facts.axes),
        tag("td", tag("details", tag("summary", "why"), lines)),
        class_="best-row" if best else None,
    )


def _value(facts: Facts, experiment: Experiment) -> Markup:
    """The value, with a bar that is longer for a better one."""
    value = value_of(facts, experiment)
    place = facts.value_scale.place(value)
    if place is None:
        return tag("td", number(value))
    share = 1 - place if facts.minimize else place
    bar = tag("span", "", class_="bar-in-row", style=f"width:{64 * share:.0f}px")
    return tag("td", number(value), bar)


def _setting(axis: Axis, experiment: Experiment) -> str:
    missing = axis.parameter not in experiment.values
    return "\N{EN DASH}" if missing else setting(axis.value(experiment.values))


def reasons(experiment: Experiment) -> list[str]:
    """Why it was proposed, why it was promoted at each rung, and why it ended where it did."""
    first, *later = experiment.recommendations
    lines = [f"proposed: {first.reason}"]
    lines += [f"to epoch {recommendation.epochs}: {recommendation.reason}" for recommendation in later]
    if experiment.status is Status.STOPPED:
        lines.append(f"stopped: {experiment.reason}")
    if experiment.status is Status.SUCCESS and experiment.reason:
        lines.append(experiment.reason)  # of a race: it was trained to its end, and its values leave
    if experiment.status is Status.FAILURE:
        lines.append(f"failed: {failed_text(experiment.reason)}")
    return [line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]} …" for line in lines]
