"""Tables for people in a terminal, from the data that the other output forms print as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from automl.study.definition import Definition
from automl.text.formatting import counted, duration, left, number, setting

Row = Mapping[str, Any]
_LONGEST_DEFAULT = 30  # characters of one, in a table
_MOST_OPTIONS = 6  # of a parameter, in a table


def plan(console: Console, data: Row) -> None:
    """What a study will do."""
    _line(console, data["study"], f": {data['algorithm']} on {data['network']}, {data['sampler']} sampling")
    _line(console, "searched", f": {', '.join(data['parameters']) or 'nothing'}")
    for note in data["notes"]:
        _line(console, "note", f": {note}")
    console.print()
    table = plain_table("stage", "rung", "experiments", "train to", right=("rung", "experiments"))
    for stage in data["stages"]:
        name = stage["stage"]
        # the steps of a long chain are all alike
        for _, group in groupby(stage["rungs"], key=lambda each: (each["experiments"], each["epochs"])):
            alike = list(group)
            first, last = alike[0], alike[-1]
            rung = str(first["rung"]) if first is last else f"{first['rung']}...{last['rung']}"
            size = f"{first['experiments']}{' each' if first is not last else ''}"
            before = f" (from {first['from_epoch']})" if first["from_epoch"] else ""
            add_row(table, name, rung, size, f"epoch {first['epochs']}{before}")
            name = ""
    console.print(table)
    console.print()
    workflow = data.get("workflow")  # who has no cluster in mind does not ask for it
    argo = [("on Argo", f"a workflow of about {workflow['bytes'] / 1000:,.0f} kB")] if workflow else []
    write_pairs(console, [*totals(data["totals"]), *argo])
    if workflow and workflow["bytes"] > workflow["most_bytes"]:
        most = f"{workflow['most_bytes'] / 1000:,.0f} kB"
        text = f": Kubernetes takes about {most}: split the study, or lower R or max_recommendations"
        _line(console, "too large for one workflow", text)


def totals(total: Row) -> list[tuple[str, str]]:
    """What a plan takes in all: names and texts."""
    saved = total["search_epochs_from_scratch"] > total["search_epochs"]
    scratch = f" ({total['search_epochs_from_scratch']:,g} if none went on from a checkpoint)" if saved else ""
    final = f", and {total['final_epochs']:,} for the final judgement" if total["final_epochs"] else ""
    rows = [
        ("in all", f"{counted(total['experiments'], 'experiment')} in {counted(total['runs'], 'run')}"),
        ("epochs", f"{total['search_epochs']:,g}{scratch}{final}"),
    ]
    if total["training_minutes"] is None:
        rows.append(("time", "unknown; 'costs: {minutes_per_epoch: ...}' in the study file says it"))
    else:
        wall = [f"{duration(minutes)} with {places}" for places, minutes in total["wall_minutes"].items()]
        rows.append(("time", f"{', '.join(wall)} side by side; {duration(total['training_minutes'])} of training"))
    if total["gpu_hours"]:
        rows.append(("GPU hours", f"{total['gpu_hours']:,g}"))
    if total["price"] is not None:
        rows.append(("price", f"{total['price']:,.2f}"))
    if total["storage_megabytes"] is not None:
        rows.append(("storage", f"up to {total['storage_megabytes']:,g} MB"))
    return rows


def status(console: Console, data: Row) -> None:
    """Where a study stands, and one line an experiment."""
    _state(console, data)
    if data["experiments_table"]:
        console.print()
        experiments(console, data["experiments_table"], whole=False)


def _state(console: Console, data: Row) -> None:
    counts, epochs, found = data["experiments"], data["epochs"], data["best"]
    open_state = data["state"] in {"running", "judging"}
    planned = f" of {counts['planned']}" if open_state else ""
    parts = [f"{counts['success'] + counts['stopped']}{planned} ended well"]
    parts += [
        f"{counts[name]} {word}" for name, word in (("failure", "failed"), ("running", "training")) if counts[name]
    ]
    open_ones = counts["waiting"] + counts["pending"]
    parts += [f"{open_ones} under way"] if open_ones else []
    best_text = "none yet"
    if found:
        best_text = f"{data['metric']['name']} {number(found['value'])}, experiment {found['experiment']}"
        best_text += " (the defaults)" if found["defaults"] else ""
    rows = [
        ("study", f"{data['study']} in {data['store']}"),
        ("state", data["state"]),
        ("experiments", ", ".join(parts)),
        ("epochs", f"{epochs['done']} done, {epochs['pending']} pending"),
        ("time left", left(data["minutes_left"], data["minutes_left_80"]) if open_state else ""),
        ("best", best_text),
    ]
    write_pairs(console, [row for row in rows if row[1]])


def experiments(console: Console, table: Sequence[Row], *, whole: bool) -> None:
    """The table of experiments; whole: with values and reasons on as many lines as they take, else cut to one."""
    names = ("experiment", "stage", "status", "epochs", "value")
    shown = plain_table(*names, right=("experiment", "epochs", "value"))
    for name, column in zip(names, shown.columns, strict=True):  # a long line of values would squeeze them to a letter
        cells = (number(row[name]) if name == "value" else str(row[name]) for row in table)
        column.min_width = max(map(len, (name, *cells)))
    shown.add_column("values", overflow="fold" if whole else "ellipsis", no_wrap=not whole)
    for row in table:
        # why it failed is what the reader looks for, so it comes before what a narrow terminal cuts off
        failure = [row["reason"]] if row["status"] == "failure" else []
        tail = "; ".join([*failure, _values(row["values"])])
        add_row(shown, row["experiment"], row["stage"], row["status"], row["epochs"], number(row["value"]), tail)
    console.print(shown)


def best(console: Console, definition: Definition, data: Row) -> None:
    """The best experiment."""
    write_pairs(
        console,
        [
            ("experiment", f"{data['experiment']}{' (the defaults)' if data['defaults'] else ''}"),
            (definition.metric_rule.name, f"{number(data['value'])} at epoch {data['epoch']}"),
            ("proposed", data["reason"]),
            *((name, setting(value)) for name, value in data["values"].items()),
        ],
    )


def finished(console: Console, definition: Definition, data: Row, study: str) -> None:
    """The end of a run: the defaults beside the best, and where the files are."""
    counts = data["experiments"]
    failed = f", {counts['failure']} failed" if counts["failure"] else ""
    console.print()
    _line(console, data["study"], f": {counted(len(data['experiments_table']), 'experiment')}{failed}")
    console.print()
    _verdict(console, definition, data)
    console.print()
    write_pairs(
        console,
        [
            ("best model", f"{data['store']}/best_model"),
            ("report", f"{data['store']}/report.html, or: automl report {study}"),
        ],
    )


def report(console: Console, definition: Definition, data: Row) -> None:
    """The whole report: state, verdict, every experiment."""
    _state(console, data)
    console.print()
    _verdict(console, definition, data)
    console.print()
    experiments(console, data["experiments_table"], whole=True)


def _verdict(console: Console, definition: Definition, data: Row) -> None:
    """The defaults and the best side by side: metric, fresh trainings, values; then who won, in words."""
    found, verdict = data["best"], data["verdict"]
    if found is None:
        console.print(f"no experiment has succeeded ({data['state']})")
        return
    rows = {row["experiment"]: row for row in data["experiments_table"]}
    sides = {"default": rows.get(0), "best": rows[found["experiment"]]}
    if found["defaults"]:
        del sides["default"]
    metric = definition.metric_rule.name
    columns = [f"{side}: {row['experiment']}" for side, row in sides.items() if row]
    table = plain_table("experiment", *(columns if len(sides) > 1 else ["defaults: 0"]), right=columns)
    add_row(table, f"{metric}, in the search", *(number(row["best"]) for row in sides.values() if row))
    add_row(table, "epochs, in the search", *(row["epochs"] for row in sides.values() if row))
    if verdict:
        on = f"{metric}, {verdict['judged_on']}, fresh seed"
        values = [verdict[side]["values"] or verdict["default"]["values"] for side in sides]
        add_row(table, on, *(", ".join(number(value) for value in each) for each in values))
    names = dict.fromkeys(name for row in sides.values() if row for name in row["values"])
    for name in names:
        cells = [setting(row["values"][name]) if name in row["values"] else "-" for row in sides.values() if row]
        add_row(table, name, *cells, style="bold" if len(set(cells)) > 1 else "")
    console.print(table)
    console.print()
    _line(console, _conclusion(definition, found, verdict), "")


def _conclusion(definition: Definition, found: Row, verdict: Row | None) -> str:
    if found["defaults"]:
        return "the defaults are the best: the search found nothing above them"
    if all(stage.kind != "final" for stage in definition.plan.stages):
        return "these are the search's own values: 'final: {repeats: 0}' asks for no judgement with fresh seeds"
    if verdict is None or verdict["gain"] is None:
        return "the final judgement is still to come" if verdict is None else "the final judgement has failed"
    gain, on = verdict["gain"], verdict["judged_on"]
    if gain == 0:
        return f"the best is as good as the defaults on {on}"
    return f"the best is {number(abs(gain))} {'better' if gain > 0 else 'worse'} than the defaults on {on}"


def networks(console: Console, data: Sequence[Row]) -> None:
    """The list of networks."""
    table = plain_table("name", "task", "framework", "trains like", "metric", "searched", "title", right=("searched",))
    for row in data:
        title = f"{row['title']}; also {', '.join(row['aliases'])}" if row["aliases"] else row["title"]
        searched = f"{row['searched']} + {row['on_request']}"
        if row["refused"]:
            title, searched = f"{title}; refused: {row['refused']}", "none"
        goal = {"maximize": "max", "minimize": "min"}[row["goal"]]
        first = (row["name"], row["task"], row["framework"] or "", row["trains_like"] or "")
        add_row(table, *first, f"{goal} {row['metric']}", searched, title)
    console.print(table)
    console.print("searched: parameters by default + those on request", style="dim")
    console.print("trains like: ours that does the same task, for which no image of NVIDIA is needed", style="dim")


def parameters(console: Console, data: Sequence[Row]) -> None:
    """A network's table of parameters."""
    words = {True: "searched", False: "never", None: "on request"}
    table = plain_table("name", "search", "kind", "default", "range", "conditions")
    for row in data:
        options = row.get("options")
        span = _options(options) if options else f"{row.get('low')} ... {row.get('high')}"
        if row["kind"] == "bool":
            span = "true, false"
        elif not options and row.get("low") is None:
            span = "yours to give" if row["automl_enabled"] is None else ""
        span += f" by {row['step']}" if row.get("step") else ""
        span += " (log)" if row.get("log") else ""
        conditions = [str(each) for each in row.get("conditions", ())]
        if row.get("active_when"):
            switch = row["active_when"]
            conditions.append(f"if {switch['parameter']} is {' or '.join(map(str, switch['values']))}")
        default, search = setting(row.get("default")), words[row["automl_enabled"]]
        default = default if len(default) <= _LONGEST_DEFAULT else f"{default[: _LONGEST_DEFAULT - 3]}..."
        add_row(table, row["name"], search, row["kind"] or "", default, span, ", ".join(conditions))
    console.print(table)


def _options(options: Sequence[object]) -> str:
    """The first of them; '-o json' has all."""
    shown = ", ".join(map(str, options[:_MOST_OPTIONS]))
    return shown if len(options) <= _MOST_OPTIONS else f"{shown}, ... ({len(options)} in all)"


def files(console: Console, data: Row) -> None:
    """The files of a best model that was copied into a folder."""
    shown = plain_table("file", "bytes", right=("bytes",))
    for each in data["files"]:
        add_row(shown, each["file"], f"{each['bytes']:,}")
    console.print(shown)


def _values(values: Row) -> str:
    return ", ".join(f"{name.rsplit('.', 1)[-1]}={setting(value)}" for name, value in values.items())


def plain_table(*columns: str, right: Iterable[str] = ()) -> Table:
    """A table without lines; its first column is never broken."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        justify: Any = "right" if name in right else "left"
        table.add_column(Text(name), justify=justify, overflow="fold", no_wrap=place == 0)
    return table


def add_row(table: Table, *cells: object, style: str = "") -> None:
    """A row of plain texts: brackets in them are no markup."""
    table.add_row(*(Text(str(cell)) for cell in cells), style=style or None)


def _line(console: Console, head: str, rest: str) -> None:
    console.print(Text(head, style="bold") + Text(rest))


def write_pairs(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        add_row(table, name, value)
    console.print(table)
