"""The plan of a study in a terminal: what is searched within which ranges, stages and rungs, what all of it takes."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console

from automl.analysis.planned import PlannedParameter, PlannedStudy
from automl.reporting.rows import plan_parameters, plan_title, plan_totals
from automl.reporting.terminal.tables import add_row, few_options, headed, plain_table, write_pairs
from automl.text.formatting import counted, setting


def plan(console: Console, planned: PlannedStudy) -> None:
    """What a study will do."""
    headed(console, planned.study, f": {plan_title(planned)}")
    for note in planned.notes:
        headed(console, "note", f": {note}")
    console.print()
    _searched(console, planned)
    table = plain_table("stage", "rung", "experiments", "train to", right=("rung", "experiments"))
    for stage in planned.stages:
        name = stage.stage
        # the steps of a long chain are all alike
        for _, group in groupby(stage.rungs, key=lambda rung: (rung.experiments, rung.epochs)):
            alike = list(group)
            first, last = alike[0], alike[-1]
            rung = str(first.rung) if first is last else f"{first.rung}...{last.rung}"
            size = f"{first.experiments}{' each' if first is not last else ''}"
            before = f" (from {first.from_epoch})" if first.from_epoch else ""
            add_row(table, name, rung, size, f"epoch {first.epochs}{before}")
            name = ""
    console.print(table)
    console.print()
    workflow = planned.workflow
    argo = [("on Argo", f"a workflow of about {workflow.bytes / 1000:,.0f} kB")] if workflow else []
    write_pairs(console, [*plan_totals(planned.totals), *argo])
    if workflow and workflow.bytes > workflow.most_bytes:
        most = f"{workflow.most_bytes / 1000:,.0f} kB"
        text = f": Kubernetes takes about {most}: split the study, or lower R or max_recommendations"
        headed(console, "too large for one workflow", text)


def _searched(console: Console, planned: PlannedStudy) -> None:
    """The parameters with their ranges and defaults."""
    if not planned.ranges:
        headed(console, "searched", f": {plan_parameters(planned)}")
        return
    table = plain_table("searched", "range", "default")
    for parameter in planned.ranges:
        only = f"; only if {parameter.only_if}" if parameter.only_if else ""
        add_row(table, parameter.name, f"{range_text(parameter)}{only}", setting(parameter.default))
    console.print(table)
    if planned.configurations is not None:
        console.print(f"{counted(planned.configurations, 'configuration')}", style="dim")
    console.print()


def range_text(parameter: PlannedParameter) -> str:
    """A range in words: '0.001 to 0.1 (log)', '8 to 64, by 8', 'adam, sgd'."""
    if parameter.options:
        return few_options(parameter.options)
    step = f", by {setting(parameter.step)}" if parameter.step is not None else ""
    return f"{setting(parameter.low)} to {setting(parameter.high)}{step}{' (log)' if parameter.log else ''}"
