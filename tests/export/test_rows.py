"""CSV and JSON lines: one row for every run, read back by the standard library and by pandas."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd

from automl.export.rows import rows, write_csv, write_jsonl
from automl.frames import experiments_frame
from automl.stores.folder import FolderStore
from automl.stores.memory import MemoryStore
from tests.recorded_studies import MIXED, mixed, recorded, runs
from tests.simulation.studies import HYPERBAND_9


def test_one_row_for_every_run_and_all_with_the_same_names() -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition, failing=(3,))
    table = list(rows(definition, study))
    assert [(row["experiment"], row["rung"]) for row in table] == runs(definition, study)
    assert {tuple(row) for row in table} == {tuple(table[0])}
    assert {f"values.{name}" for name in MIXED} <= set(table[0])


def test_a_run_without_a_result_has_a_row() -> None:
    definition = mixed(HYPERBAND_9)
    record, _ = recorded(MemoryStore(), definition, decisions=1)
    record.store.delete("results/4/0.json")
    study = record.history(definition)
    row = list(rows(definition, study))[4]
    assert (row["status"], row["value"], row["failure"]) == ("pending", None, None)


def test_csv_is_rfc_4180_and_no_text_is_a_formula(tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition, failing=(3,))
    path = tmp_path / "a.csv"
    count = write_csv(definition, study, path)
    data = path.read_bytes()
    assert data.endswith(b"\r\n")
    assert data.count(b"\r\n") == data.count(b"\n") == count + 1
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file, strict=True))
    wanted = list(rows(definition, study))
    assert len(table) == len(wanted) == count
    for got, row in zip(table, wanted, strict=True):
        for name, value in row.items():
            if value is None:
                assert got[name] == ""
            elif isinstance(value, str):
                assert got[name] == (f"'{value}" if value[0] in "=+-@" else value)
            elif not isinstance(value, bool | list):
                assert type(value)(got[name]) == value
            else:
                assert json.loads(got[name]) == value
    (failed,) = (row for row in table if row["failure"])
    assert (failed["experiment"], failed["message"]) == ("3", "'=it was killed, -9")


def test_json_lines_hold_the_rows(tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition)
    path = tmp_path / "a.jsonl"
    assert write_jsonl(definition, study, path) == len(runs(definition, study))
    assert [json.loads(line) for line in path.read_text().splitlines()] == list(rows(definition, study))


def test_a_frame_of_pandas_has_the_same_rows(tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(FolderStore(tmp_path / "study"), definition, failing=(3,))
    frame = experiments_frame(str(tmp_path / "study"))
    assert isinstance(frame, pd.DataFrame)
    assert list(zip(frame["experiment"], frame["rung"], strict=True)) == runs(definition, study)
    assert frame["values.train.lr"].between(0.001, 0.4).all()
    assert frame.loc[frame["experiment"] == 3, "value"].isna().all()
