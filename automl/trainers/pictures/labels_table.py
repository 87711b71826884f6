"""A user's pictures with a table of labels: `labels.csv` in their folder, a row a picture, in three parts.

    file,colour,kind,part
    a/1.jpg,red,car,train
    a/2.jpg,blue,van,val

`file` is relative to the folder. `part` is train, val or test; without that column the parts are drawn by the files'
names. All other columns are labels.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.errors import SpecError
from automl.trainers.loop.data_digest import digest_of_files

NAME = "labels.csv"
_PARTS = {"train": "train", "val": "validation", "validation": "validation", "test": "held_out", "held_out": "held_out"}
_FILE, _PART = "file", "part"


@dataclass(frozen=True)
class Row:
    """A picture and its labels, in the order of the table's columns."""

    file: Path
    labels: tuple[str, ...]


@dataclass(frozen=True)
class LabelsTable:
    """parts: train, validation and, where there is one, held_out. digest: of the training part, see data_digest."""

    columns: tuple[str, ...]
    parts: dict[str, list[Row]]
    digest: str


def read_table(folder: Path, validation_share: float) -> LabelsTable:
    """Reads folder/labels.csv. Raises SpecError for what is missing or empty, with the line where there is one."""
    path = folder / NAME
    if not folder.is_dir():
        raise SpecError(f"data.path is {str(folder)!r}, and there is no such folder")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            lines = [(reader.line_num, line) for line in reader]
            names = tuple(reader.fieldnames or ())
    except FileNotFoundError as error:
        raise SpecError(
            f"data.path: {folder} has no {NAME}", allowed=f"a table with columns {_FILE}, labels"
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"the table {path} cannot be read ({error})") from error
    columns = tuple(name for name in names if name not in {_FILE, _PART})
    if _FILE not in names or not columns:
        raise SpecError(f"{path} has the columns {', '.join(names) or 'none'}", allowed=f"{_FILE}, labels, and {_PART}")
    rows: dict[str, list[Row]] = {"train": [], "validation": [], "held_out": []}
    rows_read = [(_row(line, columns, folder, f"{path}, line {at}"), line, at) for at, line in lines]
    if _PART in names:
        for row, line, at in rows_read:
            rows[_part(line[_PART], f"{path}, line {at}")].append(row)
    else:
        rows = _drawn([row for row, _, _ in rows_read], validation_share)
    for part in ("train", "validation"):
        if not rows[part]:
            raise SpecError(f"{path} has no pictures for the {part} part", advice=f"see the column {_PART}")
    text = "\n".join(f"{row.file.relative_to(folder).as_posix()} {row.labels}" for row in rows["train"])
    digest = digest_of_files(folder, [row.file for row in rows["train"]], text=text)
    parts = {part: those for part, those in rows.items() if those}
    return LabelsTable(columns, parts, digest)


def _row(line: dict[str, str | None], columns: Sequence[str], folder: Path, where: str) -> Row:
    labels = tuple((line[name] or "").strip() for name in columns)
    if None in line or not line[_FILE] or not all(labels):
        raise SpecError(f"{where}: a label is missing or one too many", allowed=f"{_FILE}, {', '.join(columns)}")
    file = folder / str(line[_FILE])
    if not file.is_file():
        raise SpecError(f"{where}: there is no file {file}", advice=f"{_FILE} is relative to {folder}")
    return Row(file, labels)


def _part(name: str | None, where: str) -> str:
    part = _PARTS.get((name or "").strip().lower())
    if part is None:
        raise SpecError(f"{where}: {_PART} is {name!r}", allowed="train, val or test")
    return part


def _drawn(rows: list[Row], share: float) -> dict[str, list[Row]]:
    """By the files' names, so that a new picture moves no other from part to part more than it must."""
    drawn = sorted(rows, key=lambda row: hashlib.sha256(row.file.name.encode()).digest())
    part = min(max(1, round(share * len(rows))), max(0, len(rows) - 1) // 2)
    return {"validation": drawn[:part], "held_out": drawn[part : 2 * part], "train": drawn[2 * part :]}
