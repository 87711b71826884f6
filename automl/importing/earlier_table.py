"""The finished trials in a table: `automl export --to csv`, the file of `automl import`, or any CSV.

Any other table has a column for each parameter and one that is named as the metric.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Mapping
from pathlib import Path

from automl.errors import InvalidInput, nearest
from automl.export.rows import FORMULA, VALUES
from automl.importing.finished import Finished, Reading, scored_trials
from automl.study.definition import Definition

_KEPT, _OF_EXPORT = "best_value", {"experiment", "status", "epochs"}  # columns of our own tables


def finished_in_table(path: Path, definition: Definition) -> Finished:
    """The rows that have a number in the metric's column; by the study's own goal. Raises InvalidInput."""
    header, rows = _read(path)
    metrics = [rule.metric() for rule in definition.metric_rules]
    metric = metrics[0].name
    is_ours = any(name.startswith(VALUES) for name in header) and set(header) >= _OF_EXPORT
    column = metric if metric in header else _KEPT if is_ours and _KEPT in header else None
    if column is None:
        raise InvalidInput(
            f"it has no column {metric}, the metric of this study",
            allowed=f"columns: {', '.join(header)}",
            advice=nearest(metric, header) or "rename the column of the metric",
        )
    columns = {metric: column} | {one.name: _column_of(one.name, header, is_ours=is_ours) for one in metrics[1:]}
    names = set() if is_ours else {name for name in columns.values() if name is not None}
    nothing = {parameter.name for parameter in definition.space.parameters if None in parameter.options}
    trials: dict[str, Mapping[str, str | None]] = {}
    readings = []
    for number, row in enumerate(rows):
        if is_ours and row.get("kind") == "final":  # the judgement trains some of the others again
            continue
        trial = row["experiment"] if is_ours else str(number)
        trials[trial] = _values(_of_export(row) if is_ours else row, nothing, names)
        measured = {name: None if cell is None else _number(row[cell]) for name, cell in columns.items()}
        readings.append(Reading(trial, int(_number(row["epochs"]) or 0) if is_ours else 0, measured))
    return Finished(
        kind="a table",
        trials=scored_trials(trials, readings, metrics),
        total=len(trials),
        notes=(f"it does not name its metric: {_KEPT} is taken for {metric}",) if column == _KEPT != metric else (),
    )


def _column_of(metric: str, header: Collection[str], *, is_ours: bool) -> str | None:
    """The column of a further metric: that of its name, in our own table that of the checkpoint that is kept."""
    kept = f"{_KEPT}.{metric}"
    return kept if is_ours and kept in header else metric if metric in header else None


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The names of the columns, and the rows by them. Raises InvalidInput for what is no table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = list(csv.reader(file, strict=True)) or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"it is no CSV in UTF-8 ({error})") from error
    rows = [row for row in rows if row]
    if len(header) < 2 or len(set(header)) < len(header):
        what = "one column" if len(header) == 1 else "a name twice" if header else "nothing"
        raise InvalidInput(f"its first row has {what}", allowed="the names of its columns, with commas between them")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InvalidInput(f"row {number} has {len(row)} cells", allowed=f"{len(header)}, as the first row")
    return header, [dict(zip(header, row, strict=True)) for row in rows]


def _of_export(row: Mapping[str, str]) -> dict[str, str]:
    """The cells of our own table that hold parameters, by their names."""
    return {name.removeprefix(VALUES): text for name, text in row.items() if name.startswith(VALUES)}


def _values(cells: Mapping[str, str], nothing: Collection[str], metrics: Collection[str]) -> dict[str, str | None]:
    """The cells of a row by the names of parameters, without those of metrics.

    An empty one is none; of the parameters `nothing`, which have such an option, it is null.
    """
    values: dict[str, str | None] = {}
    for name, text in cells.items():
        if name not in metrics and (text or name in nothing):
            values[name] = (text[1:] if text.startswith(_escaped()) else text) or None
    return values


def _escaped() -> tuple[str, ...]:
    """How the texts begin that were kept from being computed by a spreadsheet."""
    return tuple(f"'{sign}" for sign in FORMULA)


def _number(text: str) -> float | None:
    """A finite number, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
