"""The whole page. It has no script and loads nothing, so it can be shown from anywhere, even in Argo's UI.

Pictures of what was trained are part of the page itself, but Argo's UI shows their text only.

The page is a function of the record alone: the same study gives the same bytes, wherever and by whomever it is made.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from automl.errors import InvalidInput
from automl.reporting.figures.conventions import ordered_axes
from automl.reporting.figures.facts import Facts, read_facts, with_times
from automl.reporting.figures.importance import importances
from automl.reporting.page import (
    answer,
    courses,
    decisions,
    failures,
    front,
    ledger,
    parameters,
    pictures,
    reproduce,
    surface,
    timeline,
    tradeoff,
)
from automl.reporting.page.markup import Markup, joined, tag
from automl.search.history import History
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.text.new_files import already_exists, check_folder_of

MARKER = "<!-- argo-automl report -->"  # marks a page as ours
_HEAD = f"<!DOCTYPE html>\n{MARKER}\n"


def render(opened: OpenedStudy, history: History | None = None) -> str:
    """The page of a study. `history` is what the record holds, if the caller has read it."""
    return page(with_times(read_facts(opened, history), opened.record), opened.record)


def page(facts: Facts, record: Record) -> str:
    """The page, as HTML that is also well-formed XML, with a timeline where the facts have times."""
    sections = [(name, title, content) for name, title, content in _sections(facts, record) if content]
    links = [tag("a", title, href=f"#{name}") for name, title, _ in sections]
    body = tag(
        "main",
        _header(facts),
        answer.answer(facts),
        tag("nav", *links, aria_label="Sections"),
        *(tag("section", tag("h2", title), content, id=name) for name, title, content in sections),
        tag("footer", "Made by argo-automl from the study's record. Values of the search are on validation data."),
    )
    style = (resources.files("automl.reporting.page") / "style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{facts.definition.file.name}: argo-automl report"),
        tag("style", Markup(style)),
    )
    return f"{_HEAD}{tag('html', head, tag('body', body), lang='en')}\n"


def write(text: str, path: Path) -> None:
    """Writes a page to a file. Replaces an older page of ours, but nothing else. Raises InvalidInput."""
    if path.is_dir():
        raise InvalidInput(f"--html: {path} is a folder", advice=f"name a file in it: {path / 'report.html'}")
    check_folder_of(path, option="--html")
    if path.exists() and MARKER.encode() not in path.read_bytes()[:200]:
        what, advice = " and is not a report of argo-automl", "give another name, or remove it first"
        raise already_exists(path, option="--html", what=what, advice=advice)
    partial = path.with_name(f".{path.name}.new")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _header(facts: Facts) -> Markup:
    definition = facts.definition
    kind = f"{definition.file.algorithm.replace('_', ' ')} on {definition.network.name}"
    sampling = f"{definition.sampler_name.replace('_', ' ')} sampling"
    goal = f"{definition.metric_rule.goal} {facts.metric}"
    return tag(
        "header",
        tag("h1", definition.file.name),
        tag("span", "paused" if facts.paused else facts.state, class_="state"),
        tag("p", f"{kind}, {sampling}; {goal}; seed {definition.file.seed}"),
    )


def _sections(facts: Facts, record: Record) -> list[tuple[str, str, Markup | None]]:
    return [
        ("pictures", "Pictures", pictures.pictures(record, facts)),
        ("course", "Progress", joined(*(courses.progress(one) for one in facts.of_each_metric))),
        ("front", "Several metrics" if facts.definition.metric_rules[1:] else "Constraints", front.front(facts)),
        ("failures", "Failures", failures.failures(facts)),
        ("parameters", "Parameters", joined(*map(_parameters, facts.of_each_metric))),
        ("cost", "Training time" if facts.definition.metric_rules[1:] else "Pareto front", tradeoff.tradeoff(facts)),
        ("epochs", "Epochs and workers", joined(ledger.ledger(facts), timeline.timeline(facts))),
        ("experiments", "Experiments", decisions.experiments(facts)),
        ("reproduce", "Reproduce", reproduce.reproduce(facts)),
    ]


def _parameters(facts: Facts) -> Markup | None:
    """How the values relate to the metric that the facts show; None where there is nothing to see."""
    if not facts.valued or not facts.axes:
        return None
    measured = importances(facts)
    axes = ordered_axes(facts, measured)
    pair = tag("div", surface.importance(facts, measured), surface.contour(facts, measured), class_="pair")
    pictures_of = (parameters.parallel(facts, axes), parameters.slices(facts, axes))
    return joined(pair, pictures_of if surface.any_matters(measured) else reversed(pictures_of))
