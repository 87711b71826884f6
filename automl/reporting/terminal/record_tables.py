"""Tables of the commands that read a study's record, from the data that the other output forms print unchanged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from automl.analysis.explain import Explanation
from automl.reporting.rows import setting_rows
from automl.reporting.terminal.tables import add_row, plain_table, write_pairs
from automl.text.formatting import counted, number

Row = Mapping[str, Any]


def replay(console: Console, data: Row) -> None:
    """Whether the decisions are the same, or where the first difference is."""
    rows = [("study", f"{data['study']} in {data['store']}")]
    difference = data["difference"]
    if difference is None:
        write_pairs(
            console, [*rows, ("decisions", f"all {data['decisions']} are the same when they are computed again")]
        )
        return
    decision = f"{difference['decision']} (stage {difference['stage']})"
    rows.append(("differs", f"{decision}, the first of {data['decisions']} that does"))
    rows += [("field", difference["field"])] if difference["field"] else []
    rows += [("stored", _as_written(difference["stored"])), ("computed", _as_written(difference["computed"]))]
    recorded, current = data["software"]["then"], data["software"]["now"]
    changed = [
        f"{name} {recorded.get(name, 'unknown')} then, {current[name]} now"
        for name in current
        if recorded.get(name) != current[name]
    ]
    software = (
        ", ".join(changed) or "the same versions as then, so the record was changed, or the machine rounds differently"
    )
    write_pairs(console, [*rows, ("software", software)])


def why(console: Console, explanation: Explanation) -> None:
    """What an experiment is, then its story with one line for each event."""
    name = f"{explanation.experiment}{' (the defaults)' if explanation.is_defaults else ''}, stage {explanation.stage}"
    rows = [("experiment", name), ("state", explanation.state.value), *setting_rows(explanation.values)]
    write_pairs(console, rows)
    console.print()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for index, line in enumerate(explanation.story, 1):
        table.add_row(Text(f"{index}."), Text(line))
    console.print(table)


def verify(console: Console, data: Row) -> None:
    """What was checked, and which object has which problem."""
    checked = ", ".join(f"{count} {name}" for name, count in data["checked"].items())
    problems = len(data["problems"])
    verdict = "nothing wrong" if data["whole"] else counted(problems, "problem")
    write_pairs(console, [("study", f"{data['study']} in {data['store']}"), ("checked", checked), ("found", verdict)])
    for group, word in (("problems", "problem"), ("notes", "note")):
        if data[group]:
            console.print()
            table = plain_table("object", word)
            for item in data[group]:
                add_row(table, item["object"], item[word])
            console.print(table)


def gc(console: Console, data: Row, study: str) -> None:
    """What is removed and what stays, by reason, and the command that removes it."""
    goes = data["remove"]
    table = plain_table("", "checkpoints", "objects", "MB", "reason", right=("checkpoints", "objects", "MB"))
    for name, side in (("removed" if data["removed"] else "to remove", goes), ("kept", data["stay"])):
        for group in side["by_reason"]:
            add_row(table, name, group["checkpoints"], group["objects"], f"{group['megabytes']:,g}", group["reason"])
    console.print(table)
    console.print()
    amount = f"{counted(goes['checkpoints'], 'checkpoint')} in {counted(goes['objects'], 'object')}"
    size = f"{goes['megabytes']:,g} MB"
    if not goes["checkpoints"]:
        console.print("there is nothing to remove")
    elif data["removed"]:
        console.print(Text(f"removed {amount}, {size}"))
    else:
        keep = "" if data["keep"] == "best" else f" --keep {data['keep']}"
        console.print(
            Text(f"would remove {amount}, {size}; nothing was removed. To do it: automl gc {study}{keep} --yes")
        )


def diff(console: Console, data: Row, *, every: bool = False) -> None:
    """Two studies next to each other, then the settings that differ.

    Those of two different networks are only counted, unless `every` one is to be listed.
    """
    a, b = data["a"], data["b"]
    table = plain_table("", "A", "B")
    for name, cell_of in _DIFF_ROWS:
        add_row(table, name, cell_of(a), cell_of(b))
    add_row(table, "decisions", data["decisions"]["a"], data["decisions"]["b"])
    console.print(table)
    console.print()
    console.print(Text(_where_decisions_differ(data["decisions"])))
    gains = data.get("gains", {} if data["gain"] is None else {data["a"]["metric"]["name"]: data["gain"]})
    if gains:
        console.print(Text(_which_is_better(gains)))
    console.print()
    if not data["settings"]:
        console.print("all settings are the same")
        return
    networks = None if every else data["networks"]
    table = plain_table("setting", "A", "B")
    for row in data["settings"]:
        if networks is None or not row["setting"].startswith("network "):
            add_row(table, row["setting"], _as_written(row["a"]), _as_written(row["b"]))
    console.print(table)
    if networks is not None:
        console.print()
        console.print(Text(_how_networks_differ(networks)))


def _how_networks_differ(networks: Row) -> str:
    """How many settings of two different networks differ, by section of their files."""
    sections = dict(networks["sections"])
    parts = [f"{sections.pop(name)} under {name}" for name in ("parameters", "spec") if name in sections]
    parts += [f"{sum(sections.values())} others"] if parts else []
    counts = f" ({', '.join(parts)})" if parts else ""
    return (
        f"the networks {networks['a']} and {networks['b']} differ in {counted(networks['settings'], 'setting')}"
        f"{counts}; --all lists them"
    )


def _which_is_better(gains: Mapping[str, float]) -> str:
    """Which of two bests is better, by how much, and of several metrics in which."""
    if not any(gains.values()):
        return "the best of both are equal"
    if len(gains) == 1:
        (gain,) = gains.values()
        return f"the best of {'B' if gain > 0 else 'A'} is {number(abs(gain))} better"
    parts = [
        f"{number(abs(gain))} {'better' if gain > 0 else 'worse'} in {name}" if gain else f"equal in {name}"
        for name, gain in gains.items()
    ]
    return f"the best of B is {', '.join(parts)}"


def _where_decisions_differ(decisions: Row) -> str:
    difference = decisions["first_difference"]
    if difference is None:
        return "all decisions are the same"
    where = difference["decision"] + (f", {difference['field']}" if difference["field"] else "")
    sides = f"{_as_written(difference['a'])} in A, {_as_written(difference['b'])} in B"
    return f"decisions differ after {decisions['same_until_the_first_difference']}: {where}: {sides}"


def _as_written(value: Any) -> str:
    """A setting as it stands in a study file."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _best(side: Row) -> str:
    best = side["best"]
    if best is None:
        return "none yet"
    values = side.get("values") or {side["metric"]["name"]: best["value"]}
    text = ", ".join(f"{name} {number(value)}" for name, value in values.items())
    text += f", experiment {best['experiment']}"
    return f"{text} (the defaults)" if best["defaults"] else text


def _gain(side: Row) -> str:
    gain = side["gain_over_defaults"]
    of = f", in {side['gain_is_of']}" if "gain_is_of" in side else ""
    return "-" if gain is None else f"{number(gain)} on {side['judged_on']}{of}"


_DIFF_ROWS = (
    ("study", lambda side: side["study"]),
    ("store", lambda side: side["store"]),
    ("state", lambda side: side["state"]),
    ("best", _best),
    ("gain over the defaults", _gain),
)
