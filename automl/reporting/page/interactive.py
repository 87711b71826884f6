"""report-interactive.html: the experiments to be filtered, brushed and compared, in one file with a script of its own.

The script is written by hand: what it does fits into 15 kB, and a plotting library such as Vega-Lite takes hundreds.
Everything that comes from a study is in one JSON text, in which `<` is escaped, and the script shows it as text only.
The page allows no script but this one, by its sha256, and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from automl.analysis.trade_off import metrics_of
from automl.reporting.figures.compared import compared, values_by_epoch
from automl.reporting.figures.conventions import ordered_axes
from automl.reporting.figures.facts import MOST_DRAWN, Axis, Facts
from automl.reporting.figures.importance import importances
from automl.reporting.figures.scales import Numbers, Scale, of_metric
from automl.reporting.page.answer import headline
from automl.reporting.page.decisions import reasons, value_of
from automl.reporting.page.markup import Markup, joined, tag
from automl.reporting.page.page import MARKER
from automl.search.history import Experiment
from automl.search.plan import StageKind
from automl.search.race import DEFAULTS
from automl.study.keys import LOG, REPORT, experiment_key
from automl.study.states import state_of
from automl.text.formatting import number, setting

_MOST_POINTS = 60  # of a curve
_TICKS = 6


def interactive_page(facts: Facts) -> str:
    """The page, as HTML."""
    folder = resources.files("automl.reporting.page")
    script = (folder / "interactive.js").read_text(encoding="utf-8")
    style = (folder / "style.css").read_text(encoding="utf-8") + (folder / "interactive.css").read_text(
        encoding="utf-8"
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{facts.definition.file.name}: argo-automl interactive report"),
        tag("style", Markup(style)),
    )
    body = tag(
        "body",
        tag(
            "main",
            tag("header", tag("h1", facts.definition.file.name), tag("span", facts.state, class_="state")),
            tag("p", headline(facts), class_="headline"),
            tag("noscript", f"This page needs JavaScript. {REPORT} shows the same without it."),
            tag("div", "", id="app"),
            tag("footer", "Made by argo-automl from the study's record. ", tag("a", REPORT, href=REPORT)),
        ),
        tag("script", Markup(data_text(facts)), type="application/json", id="data"),
        tag("script", Markup(script)),
    )
    return f"<!DOCTYPE html>\n{MARKER}\n{joined(tag('html', head, body, lang='en'))}\n"


def data_text(facts: Facts) -> str:
    """The data as JSON that no HTML parser takes for markup."""
    text = json.dumps(data(facts), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@dataclass(frozen=True)
class _MetricAxis:
    """A further metric of the study, with the values of the search's experiments by their numbers."""

    name: str
    scale: Numbers
    values: Mapping[int, float]


def data(facts: Facts) -> dict[str, Any]:
    """What the script shows: axes with their ticks, and every experiment with its places on them, from 0 to 1."""
    axes, further, scales = ordered_axes(facts, importances(facts)), _metric_axes(facts), _after_scales(facts)
    return {
        "metric": facts.metric,
        "goal": "minimize" if facts.minimize else "maximize",
        "epochs": list(facts.epochs),
        "common": compared(facts).epochs,
        "value": {"name": facts.metric, "ticks": _ticks(facts.value_scale)},
        "after": {str(epochs): _ticks(scale) for epochs, scale in scales.items()},
        "axes": [
            *({"name": axis.short, "full": axis.name, "ticks": _ticks(axis.scale)} for axis in axes),
            *({"name": axis.name, "full": axis.name, "ticks": _ticks(axis.scale)} for axis in further),
        ],
        "experiments": [_experiment(facts, scales, axes, further, one) for one in facts.experiments[:MOST_DRAWN]],
    }


def _metric_axes(facts: Facts) -> list[_MetricAxis]:
    """The metrics beside the first one, which has an axis of its own."""
    found = facts.trade_off
    if found is None:
        return []
    metrics = metrics_of(found.aim)
    values = {
        name: {point.experiment: point.values[name] for point in found.points if name in point.values}
        for name in found.aim.further
    }
    return [
        _MetricAxis(name, of_metric([*known.values()], minimize=metrics[name].goal == "minimize"), known)
        for name, known in values.items()
        if known
    ]


def _ticks(scale: Scale) -> list[tuple[float, str]]:
    return [(round(place, 4), text) for place, text in scale.ticks(_TICKS)]


def _after(facts: Facts, experiment: Experiment) -> dict[int, float]:
    """The value of an experiment at every length of training that it has reached, where lengths differ."""
    if len(facts.epochs) < 2 or facts.kept_value(experiment) is None:
        return {}
    reached = values_by_epoch(experiment)
    return {epochs: reached[epochs] for epochs in facts.epochs if epochs in reached}


def _after_scales(facts: Facts) -> dict[int, Numbers]:
    """The axis of the metric at every length of training, where lengths differ."""
    values: dict[int, list[float]] = {}
    for one in facts.searched:
        for epochs, value in _after(facts, one.experiment).items():
            values.setdefault(epochs, []).append(value)
    return {epochs: of_metric(reached, minimize=facts.minimize) for epochs, reached in sorted(values.items())}


def _experiment(
    facts: Facts, scales: Mapping[int, Numbers], axes: list[Axis], further: list[_MetricAxis], experiment: Experiment
) -> dict[str, Any]:
    measured = [axis.values.get(experiment.number) for axis in further]
    has = [axis.parameter in experiment.values for axis in axes]
    every = -(-len(experiment.history) // _MOST_POINTS) or 1
    points = [*experiment.history[:-1][::every], *experiment.history[-1:]]
    value = value_of(facts, experiment)
    return {
        "number": experiment.number,
        "final": facts.definition.plan.stages[experiment.stage].kind is StageKind.FINAL,
        "state": state_of(experiment).value,
        "epochs": experiment.epochs,
        "is": "defaults" if experiment.number == DEFAULTS else "best" if facts.is_best(experiment.number) else "",
        "value": number(value),
        "place": _rounded(facts.value_scale.place(value)),
        "after": [
            (epochs, number(value), _rounded(scales[epochs].place(value)))
            for epochs, value in _after(facts, experiment).items()
            if epochs in scales
        ],
        "at": [
            *(_rounded(axis.place(experiment.values)) for axis in axes),
            *(_rounded(axis.scale.place(value)) for axis, value in zip(further, measured, strict=True)),
        ],
        "values": [
            *(setting(axis.value(experiment.values)) if there else "" for axis, there in zip(axes, has, strict=True)),
            *("" if value is None else number(value) for value in measured),
        ],
        "curve": [(epoch, _rounded(facts.value_scale.place(reached))) for epoch, reached in points],
        "why": reasons(experiment),
        "log": experiment_key(experiment.number, LOG) if experiment.results else "",
    }


def _rounded(place: float | None) -> float | None:
    return None if place is None else round(place, 4)
