"""The commands that show how far a study is and what it has found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from automl.cli.options import OPENMETRICS, Output, StatusOutput, Store, StudyName
from automl.cli.output import Format, print_data
from automl.errors import InvalidInput, RecordError


def status(study: StudyName, store: Store = None, output: StatusOutput = str(Format.TABLE)) -> None:
    """Print where a study stands: experiments, epochs pending, time left, the best so far.

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
    print_data(summary.to_json(), Format(output), lambda out: tables.status(out, summary))


def best(study: StudyName, store: Store = None, output: Output = Format.TABLE) -> None:
    """Print the best experiment so far: its number, value and parameters, and why it was proposed.

    Example: automl best study.yaml -o json
    """
    from automl.analysis import status
    from automl.opening import open_study
    from automl.reporting.terminal import tables

    opened = open_study(study, store)
    winner = status.best(opened.definition, opened.history())
    if winner is None:
        raise RecordError(
            f"no experiment has succeeded yet in {opened.record.store.uri}", advice=f"see 'automl status {study}'"
        )
    print_data(
        winner.to_json(),
        output,
        lambda out: tables.best(out, opened.definition.metric_rule.name, winner),
    )


def report(
    study: StudyName,
    store: Store = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as a page for a browser instead.", metavar="FILE")
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
    print_data(summary.to_json(), output, lambda out: tables.report(out, opened.definition, summary))


def rebuild(study: StudyName, store: Store = None) -> None:
    """Write every view again from the record: brain.json, controller.json, recommendations, logs, best_model.

    Example: automl rebuild ./fashion
    """
    from automl.opening import open_study
    from automl.reporting import views

    opened = open_study(study, store)
    views.rebuild(opened)
    print(f"rebuilt the views of {opened.record.store.uri}")
