"""Tables for people in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from automl.analysis.findings import BestSoFar
from automl.analysis.planned import NOTHING_KEPT
from automl.analysis.status import ExperimentRow, StudyStatus
from automl.reporting.best_shown import BestShown
from automl.reporting.rows import (
    best_name,
    end_text,
    experiment_cells,
    model_text,
    setting_rows,
    state_rows,
    trade_off_rows,
    verdict_text,
)
from automl.reporting.terminal.failures import print_failures
from automl.search.history import Status
from automl.search.race import DEFAULTS
from automl.study.definition import Definition
from automl.study.verdict import Broken, Standing, Verdict
from automl.text.formatting import counted, number, setting

Row = Mapping[str, Any]
_LONGEST_DEFAULT = 30  # characters of one, in a table
_MOST_OPTIONS = 6  # of a parameter, in a table
_MEANS = {  # what follows from a verdict whose sentence stands before it
    Standing.UNPROVEN: "one training of each does not show the noise; more 'repeats' under 'final' would",
    Standing.DEFAULTS: "so the defaults are kept",
}
_FIRST = 5  # experiments that `automl status` shows beside those that train
_GAP, _LEAST_WIDTH = 2, 10  # between two columns, and of the values
_WIDE = 140  # columns from which on reasons stand beside values


def status(console: Console, current: StudyStatus, study: str = "STUDY") -> None:
    """Where a study stands: what trains now, and the first few by value. `study` is as the user called it."""
    write_pairs(console, state_rows(current))
    running = [row for row in current.experiments if row.experiment in current.running]
    ended = [row for row in current.experiments if row.value is not None and not row.is_final and row not in running]
    sign = -1 if current.metric.goal == "maximize" else 1
    first = sorted(
        ended, key=lambda row: (-row.epochs, sign * (row.best if row.best is not None else row.value or 0.0))
    )
    shown = [*running, *first[:_FIRST]]
    if shown:
        console.print()
        experiments(console, shown, whole=False)
    left = len(current.experiments) - len(shown)
    if left > 0 and shown:
        console.print(Text(f"and {left} more: automl report {study}", style="dim"))
    if current.progress.counts[Status.FAILURE]:
        console.print()
        print_failures(console, current, study, None)


def experiments(console: Console, rows: Sequence[ExperimentRow], *, whole: bool) -> None:
    """The table of experiments. `whole` gives values all the lines they need, and adds the reasons; else one line."""
    further = tuple(dict.fromkeys(name for row in rows for name in row.measured))
    names = ("experiment", "stage", "state", "epochs", "value", *further)
    table = plain_table(*names, right=("experiment", "epochs", "value", *further))
    cells = [
        (*experiment_cells(row), number(row.value), *(number(row.measured.get(name)) for name in further))
        for row in rows
    ]
    # a long line of values would squeeze the columns to a letter
    for column, *texts in zip(table.columns, names, *cells, strict=True):
        column.min_width = max(map(len, texts))
    beside = whole and console.width >= _WIDE
    taken = sum((column.min_width or 0) + _GAP for column in table.columns)
    table.add_column(
        "values",
        overflow="fold" if whole else "ellipsis",
        no_wrap=not whole,
        ratio=1 if beside else None,
        max_width=None if whole else max(_LEAST_WIDTH, console.width - taken),
    )
    if beside:
        table.add_column("why", overflow="fold", ratio=1)
    for row, first in zip(rows, cells, strict=True):
        values, failed = _values(row.values), row.status is Status.FAILURE
        if beside:
            last = [Text(values), Text(_why(row))]
        elif whole:
            last = [Text("\n").join([Text(values), Text(_why(row), style="dim")])]
        else:  # why it failed is what the reader looks for, so it comes before what a narrow terminal cuts off
            last = [Text("; ".join([*([end_text(row)] if failed else []), values]))]
        table.add_row(*map(Text, first), *last, style="red" if failed else None)
    console.print(table)


def _why(row: ExperimentRow) -> str:
    """Why an experiment ended where it did, or, of one that did not end early, why it was proposed, in short."""
    return end_text(row) or row.proposed.partition(";")[0]


def best(console: Console, shown: BestShown) -> None:
    """The best experiment: the verdict, its values, its model, and the values to copy."""
    best, verdict = shown.best, shown.verdict
    sentence = f"{verdict.sentence}, on {verdict.gain_judged_on}" if verdict is not None and verdict.sentence else ""
    rows = [
        ("experiment", best_name(best).removeprefix("experiment ")),
        (shown.metric, f"{number(best.value)} at epoch {best.epoch}"),
        *((name, number(value)) for name, value in best.measured.items()),
        *trade_off_rows(shown.trade_off),
        ("verdict", sentence),
        ("known", "" if sentence else best.why),
        ("proposed", best.reason),
        ("best model", shown.model.in_words),
    ]
    write_pairs(console, [*(row for row in rows if row[1]), *setting_rows(best.values)])
    console.print()
    also = f" (also: automl best {shown.study} --values flags|yaml|json)" if shown.study else ""
    headed(console, "to copy", also)
    console.print(Text(shown.copied.rstrip()), soft_wrap=True, highlight=False)


def finished(
    console: Console,
    definition: Definition,
    current: StudyStatus,
    study: str,
    last_lines: Callable[[int], list[str]],
) -> None:
    """The end of a run: the defaults next to the best, why others failed, and where the files are.

    `study` is what the user called it, `last_lines` gives the end of an experiment's log.
    """
    failures = current.progress.counts[Status.FAILURE]
    failed = f", {failures} failed" if failures else ""
    console.print()
    headed(console, current.study, f": {counted(len(current.experiments), 'experiment')}{failed}")
    console.print()
    _verdict(console, definition, current)
    console.print()
    if failures:
        print_failures(console, current, study, last_lines)
        console.print()
    write_pairs(
        console,
        [
            ("best model", f"{current.store}/best_model" if definition.network.keeps_a_model else NOTHING_KEPT),
            ("report", f"{current.store}/report.html, or: automl report {study}"),
        ],
    )


def report(console: Console, definition: Definition, current: StudyStatus, suggestions: Sequence[str] = ()) -> None:
    """The whole report: state, verdict, what to do next, every experiment."""
    write_pairs(console, [row for row in state_rows(current) if row[0] != "verdict"])  # it comes with its table
    console.print()
    _verdict(console, definition, current)
    for suggestion in suggestions:
        headed(console, "what next", f": {suggestion}")
    console.print()
    experiments(console, current.experiments, whole=True)


def _verdict(console: Console, definition: Definition, current: StudyStatus) -> None:
    """The defaults and the best next to each other: metric, fresh trainings, values; then which is better, in words."""
    best, verdict = current.best, current.verdict
    if best is None:
        console.print(f"no experiment has succeeded ({current.state})")
        return
    rows = {row.experiment: row for row in current.experiments}
    beside = verdict.candidate if verdict is not None and verdict.candidate is not None else best.experiment
    sides = {"default": rows.get(DEFAULTS), "best": rows[beside]}
    if beside == DEFAULTS:
        del sides["default"]
    shown = [row for row in sides.values() if row]
    name = "best" if beside == best.experiment else "candidate"
    columns = [f"{name if side == 'best' else side}: {row.experiment}" for side, row in sides.items() if row]
    table = plain_table("experiment", *(columns if len(sides) > 1 else [f"defaults: {DEFAULTS}"]), right=columns)
    metric = current.metric.name
    add_row(table, f"{metric}, in the search", *(number(row.best) for row in shown))
    add_row(table, "epochs, in the search", *(row.epochs for row in shown))
    if verdict:
        judged = {"default": verdict.default.values, "best": verdict.best.values}
        values = [judged[side] or verdict.default.values for side in sides]
        cells = [", ".join(number(value) for value in side) for side in values]
        seeds = "fresh seeds" if max(map(len, judged.values())) > 1 else "fresh seed"
        again = seeds if verdict.fresh_seeds else "trained again"
        add_row(table, f"{metric}, {verdict.judged_on}, {again}", *cells)
        for name, means in _further_again(verdict, list(sides)).items():
            add_row(table, f"{name}, {again}", *map(number, means))
    for name in dict.fromkeys(name for row in shown for name in row.measured):
        add_row(table, f"{name}, in the search", *(number(row.measured.get(name)) for row in shown))
    names = dict.fromkeys(name for row in shown for name in row.values)
    for name in names:
        cells = [setting(row.values[name]) if name in row.values else "-" for row in shown]
        add_row(table, name, *cells, style="bold" if len(set(cells)) > 1 else "")
    console.print(table)
    console.print()
    for line in _conclusion(definition, current, best):
        headed(console, line, "")


def _further_again(verdict: Verdict, sides: Sequence[str]) -> dict[str, list[float | None]]:
    """The mean of each further metric of the sides' trainings in the judgement."""
    judged = {"default": verdict.default, "best": verdict.best if verdict.best.values else verdict.default}
    names = dict.fromkeys(name for side in sides for name in judged[side].further)
    return {name: [judged[side].further.get(name) for side in sides] for name in names}


def _conclusion(definition: Definition, current: StudyStatus, best: BestSoFar) -> list[str]:
    if best.standing is Standing.SEARCHED:
        if best.is_defaults:
            return ["the defaults are the best: the search found nothing above them"]
        if not definition.plan.finals:
            return [
                "these are the search's own values: 'final: {repeats: 0}' asks for no judgement against the defaults"
            ]
        return ["the final judgement is still to come"]
    text = verdict_text(current)
    off = current.verdict is not None and current.verdict.broken != Broken()  # then that is why it stands or falls
    lines = [text, best.why if off else _MEANS.get(best.standing, "")] if text else [best.why]
    held = model_text(best.experiment, best.training, keeps_a_model=definition.network.keeps_a_model)
    return [*filter(None, lines), f"best_model holds {held}"]


def networks(console: Console, data: Sequence[Row]) -> None:
    """The list of networks."""
    names = ("name", "task", "framework", "trains like", "metric", "searched", "title")
    is_wide = console.width >= _WIDE
    shown = names if is_wide else ("name", "searched", "title")
    table = plain_table(*shown, right=("searched",))
    for row in data:
        title = f"{row['title']}; also {', '.join(row['aliases'])}" if row["aliases"] else row["title"]
        searched = f"{row['searched']} + {row['on_request']}"
        if row["refused"]:
            title, searched = f"{title}; refused: {row['refused']}", "none"
        goal = {"maximize": "max", "minimize": "min"}[row["goal"]]
        first = (row["name"], row["task"], row["framework"] or "", row["trains_like"] or "")
        cells = dict(zip(names, (*first, f"{goal} {row['metric']}", searched, title), strict=True))
        add_row(table, *(cells[name] for name in shown))
    console.print(table)
    console.print("searched: parameters by default + those on request", style="dim")
    if is_wide:
        console.print("trains like: ours that does the same task, for which no image of NVIDIA is needed", style="dim")
    else:
        console.print(f"task, framework and metric: in {_WIDE} columns, or with -o json", style="dim")


def parameters(console: Console, data: Sequence[Row]) -> None:
    """A network's table of parameters."""
    words = {True: "searched", False: "never", None: "on request"}
    table = plain_table("name", "search", "kind", "default", "range", "conditions")
    for row in data:
        options = row.get("options")
        span = few_options(options) if options else f"{row.get('low')} ... {row.get('high')}"
        if row["kind"] == "bool":
            span = "true, false"
        elif not options and row.get("low") is None:
            span = "yours to give" if row["automl_enabled"] is None else ""
        span += f" by {row['step']}" if row.get("step") else ""
        span += " (log)" if row.get("log") else ""
        conditions = [str(condition) for condition in row.get("conditions", ())]
        if row.get("active_when"):
            switch = row["active_when"]
            conditions.append(f"if {switch['parameter']} is {' or '.join(map(str, switch['values']))}")
        default, search = setting(row.get("default")), words[row["automl_enabled"]]
        default = default if len(default) <= _LONGEST_DEFAULT else f"{default[: _LONGEST_DEFAULT - 3]}..."
        add_row(table, row["name"], search, row["kind"] or "", default, span, ", ".join(conditions))
    console.print(table)


def few_options(options: Sequence[object]) -> str:
    """The first few options; '-o json' has all."""
    shown = ", ".join(map(str, options[:_MOST_OPTIONS]))
    return shown if len(options) <= _MOST_OPTIONS else f"{shown}, ... ({len(options)} in total)"


def files(console: Console, data: Row) -> None:
    """The files of a best model that was copied into a folder."""
    shown = plain_table("file", "bytes", right=("bytes",))
    for file in data["files"]:
        add_row(shown, file["file"], f"{file['bytes']:,}")
    console.print(shown)


def _values(values: Row) -> str:
    return ", ".join(f"{name.rsplit('.', 1)[-1]}={setting(value)}" for name, value in values.items())


def plain_table(*columns: str, right: Iterable[str] = ()) -> Table:
    """A table without lines; its first column is never broken."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, name in enumerate(columns):
        justify: Any = "right" if name in right else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", no_wrap=index == 0)
    return table


def add_row(table: Table, *cells: object, style: str = "") -> None:
    """A row of plain texts; brackets in them are not markup."""
    table.add_row(*(Text(str(cell)) for cell in cells), style=style or None)


def headed(console: Console, head: str, rest: str) -> None:
    console.print(Text(head, style="bold") + Text(rest))


def write_pairs(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        add_row(table, name, value)
    console.print(table)
