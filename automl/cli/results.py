"""The commands that show how far a study is and what it has found."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from automl.cli.options import OPENMETRICS, Output, StatusOutput, Store, StudyName, whole_number
from automl.cli.output import Format, print_data
from automl.errors import InvalidInput, RecordError, nearest

FORMS = ("flags", "yaml", "json")  # in which `automl best --values` prints


def _form_of_values(text: str) -> str:
    if text not in FORMS:
        raise InvalidInput(f"--values: {text!r}", allowed=", ".join(FORMS), advice=nearest(text, FORMS))
    return text


def status(study: StudyName, store: Store = None, output: StatusOutput = str(Format.TABLE)) -> None:
    """Print the state of a study in short: time left, what trains now, the best so far.

    Example: automl status s3://bucket/studies/fashion -o json

    \b
    -o openmetrics prints gauges for Prometheus, by its textfile collector:
      automl status STUDY -o openmetrics > fashion.tmp
      mv fashion.tmp /var/lib/node_exporter/fashion.prom
    """
    from automl.analysis import status
    from automl.opening import open_study
    from automl.reporting.terminal import openmetrics, tables

    opened = open_study(study, store)
    summary = status.status(opened.record, opened.definition)
    if output == OPENMETRICS:
        sys.stdout.write(openmetrics.text(summary))
        return
    print_data(summary.to_json(), Format(output), lambda out: tables.status(out, summary, study))


def best(
    study: StudyName,
    store: Store = None,
    values: Annotated[
        str | None,
        typer.Option(
            "--values",
            help="Print only the values, exact and ready to copy: as flags of a command line, YAML or JSON.",
            parser=_form_of_values,
            metavar="|".join(FORMS),
        ),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Print the best experiment so far: the verdict, its values ready to copy, and where its model is.

    Example: automl best study.yaml -o json

    \b
    Train with them yourself:
      python train.py $(automl best study.yaml --values flags)
    """
    from automl.opening import open_study
    from automl.reporting import best_shown
    from automl.reporting.terminal import tables
    from automl.study.summary import none_feasible

    if values is not None and output is not Format.TABLE:
        raise InvalidInput(f"--values {values} with --output {output}", advice="give one of the two")
    opened = open_study(study, store)
    shown = best_shown.best_shown(opened, study)
    if shown is None:
        why = none_feasible(opened.definition, opened.history()) or "no experiment has succeeded yet"
        raise RecordError(f"{why} in {opened.record.store.uri}", advice=f"see 'automl status {study}'")
    if values is not None:
        sys.stdout.write(best_shown.text(opened.definition, shown.best.values, values))
        return
    print_data(shown.to_json(), output, lambda out: tables.best(out, shown))


def report(
    study: StudyName,
    store: Store = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as an HTML page instead.", metavar="FILE")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Print the whole report: the verdict first, then every experiment with its results and reasons.

    Example: automl report study.yaml -o yaml

    \b
    A finished study has its page, report.html, beside its other files. Of one
    that is running:  automl report study.yaml --html report.html
    """
    from automl.analysis import status as reports
    from automl.opening import open_study
    from automl.reporting.figures.facts import read_facts
    from automl.reporting.figures.what_next import what_next
    from automl.reporting.page import page
    from automl.reporting.terminal import tables

    if html is not None and output is not Format.TABLE:
        raise InvalidInput(f"--html {html} with --output {output}", advice="give one of the two")
    opened = open_study(study, store)
    if html is not None:
        page.write(page.render(opened), html)
        print(f"wrote {html}")
        return
    summary = reports.status(opened.record, opened.definition)
    suggestions = what_next(read_facts(opened)) if output is Format.TABLE else ()
    print_data(summary.to_json(), output, lambda out: tables.report(out, opened.definition, summary, suggestions))


def logs(
    study: StudyName,
    experiment: Annotated[
        int, typer.Argument(help="Its number.", metavar="EXPERIMENT", parser=whole_number("EXPERIMENT", 0))
    ],
    store: Store = None,
    lines: Annotated[
        int | None,
        typer.Option("--lines", "-l", help="Only the last N lines.", parser=whole_number("--lines", 1), metavar="N"),
    ] = None,
) -> None:
    """Print the log of an experiment, also while it trains on this machine.

    Example: automl logs study.yaml 5 --lines 20
    """
    from automl.execution import machine
    from automl.execution.steps.salvage import logs_under_way
    from automl.opening import open_study
    from automl.study.experiments import experiments
    from automl.study.keys import LOG, experiment_key
    from automl.text.terminal_codes import without_codes

    opened = open_study(study, store)
    uri, numbers = (
        opened.record.store.uri,
        [row.number for row in experiments(opened.history(), opened.definition.plan)],
    )
    if experiment not in numbers:
        allowed = f"0 to {max(numbers)} in this study" if numbers else "none has begun in this study"
        raise InvalidInput(
            f"there is no experiment {experiment}", allowed=allowed, advice=f"see 'automl report {study}'"
        )
    parts = [opened.record.store.get(experiment_key(experiment, LOG)) or b""]
    parts += [log.read_bytes() for log in logs_under_way(machine.work_folder(uri) / "attempts", experiment)]
    printed = b"".join(parts).decode(errors="replace").splitlines()
    if not printed:
        print(f"experiment {experiment} has printed nothing yet in {uri}", file=sys.stderr)
    on_terminal = sys.stdout.isatty()  # where codes would move the cursor, or change its colours
    for line in deque(printed, lines):
        print(without_codes(line) if on_terminal else line)


def rebuild(study: StudyName, store: Store = None) -> None:
    """Write all views again from the record: brain.json, controller.json, recommendations, logs, best_model.

    Example: automl rebuild ./fashion
    """
    from automl.opening import open_study
    from automl.reporting import views

    opened = open_study(study, store)
    views.rebuild(opened)
    print(f"rebuilt the views of {opened.record.store.uri}")
