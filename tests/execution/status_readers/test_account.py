"""A training that reported nothing fails with a reason: the file, what it holds, and the setting that helps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from automl.execution.status_readers import Follower, StatusRule, why_no_epoch, why_no_metric

CSV = {"reader": "csv", "path": "metrics.csv"}
JSON = {"reader": "json_lines", "path": "m.jsonl"}
LOG = {"reader": "regex", "patterns": (r"epoch (?P<epoch>\S+)", r"acc=(?P<acc>\S+)")}
EPOCHS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "the file has another name": (
        CSV,
        {"Metrics.csv": "epoch,acc\n1,0.5\n", "a/model.pt": ""},
        "no file metrics.csv in the results folder, there are: Metrics.csv, a/model.pt; see status.path",
    ),
    "nothing was written": (CSV, {}, "no file metrics.csv in the results folder, it is empty; see status.path"),
    "a pattern that fits no file": (
        {"reader": "tensorboard"},
        {"log.csv": "x"},
        "no file **/*tfevents* in the results folder, there are: log.csv; see status.path",
    ),
    "an empty file": (CSV, {"metrics.csv": ""}, "metrics.csv is empty"),
    "other names of columns": (
        CSV,
        {"metrics.csv": "Epoch,val\n1,0.5\n2,0.6\n"},
        "metrics.csv: 3 lines read, none with 'epoch'; its columns are Epoch, val; see status.epoch",
    ),
    "a header and no more": (
        CSV,
        {"metrics.csv": "Epoch,val\n"},
        "no line of metrics.csv could be read: its columns are Epoch, val",
    ),
    "a table cut at blanks": (
        CSV,
        {"metrics.csv": "epoch acc\n1 0.5\n"},
        "metrics.csv: 2 lines read, none with 'epoch'; its columns are epoch acc; see status.epoch",
    ),
    "two columns of epochs": (
        CSV,
        {"metrics.csv": "epoch,acc,epoch\n1,0.5,1\n"},
        "metrics.csv: 2 columns are named 'epoch', and which of them counts is unknown",
    ),
    "an epoch that is text": (
        CSV,
        {"metrics.csv": "epoch,acc\n1/3,0.5\n"},
        "metrics.csv: the epoch '1/3' is no number; status.epoch names another one",
    ),
    "epochs that are fractions": (
        CSV,
        {"metrics.csv": "epoch,acc\n0.99,0.5\n1.99,0.6\n"},
        "metrics.csv: epochs such as 0.99 are no whole numbers; set status.round_epochs: true",
    ),
    "no JSON": (
        JSON,
        {"m.jsonl": "epoch 1\nepoch 2\n"},
        "no line of m.jsonl could be read: 0 lines read, 2 could not be",
    ),
    "JSON of other members": (
        JSON,
        {"m.jsonl": '{"step": 1, "acc": 0.5}\ntorn\n'},
        "m.jsonl: 1 line read, 1 could not be, none with 'epoch'; its members are step, acc; see status.epoch",
    ),
    "a log that no pattern fits": (
        LOG,
        {"log.txt": "starting\nEpoch 1\n"},
        "none of the 2 lines of log.txt matches a pattern; see status.patterns",
    ),
    "a log without epochs": (
        LOG,
        {"log.txt": "acc=0.5\n"},
        "log.txt: 1 line read, and no pattern found an epoch there; see status.patterns",
    ),
}


def follower(folder: Path, rule: dict[str, Any], files: dict[str, str]) -> Follower:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    following = Follower(StatusRule.model_validate(rule), folder, folder / "log.txt", "acc", 0)
    following.close()
    return following


@pytest.mark.parametrize(("rule", "files", "reason"), EPOCHS.values(), ids=EPOCHS)
def test_why_no_epoch_was_read(rule: dict[str, Any], files: dict[str, str], reason: str, tmp_path: Path) -> None:
    assert why_no_epoch(follower(tmp_path, rule, files)) == f"acc was never reported: {reason}"


METRICS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "a percentage": (LOG, {"log.txt": "epoch 1\nacc=87.5%\n"}, "as a number: log.txt says '87.5%'"),
    "a tensor": (LOG, {"log.txt": "epoch 1\nacc=tensor(0.87)\n"}, "as a number: log.txt says 'tensor(0.87)'"),
    "a cell with a decimal comma": (
        CSV,
        {"metrics.csv": "epoch;acc\n1;0,87\n"},
        "as a number: metrics.csv says '0,87'",
    ),
    "text in JSON": (JSON, {"m.jsonl": '{"epoch": 1, "acc": "good"}\n'}, "as a number: m.jsonl says 'good'"),
    "another metric": (
        JSON,
        {"m.jsonl": '{"epoch": 1, "loss": 1, "lr": 2}\n'},
        "in m.jsonl, 1 line read; reported were: loss, lr",
    ),
    "a pattern that finds it not": (
        LOG,
        {"log.txt": "epoch 1\naccuracy=0.5\n"},
        ": no pattern found it in log.txt, 2 lines read",
    ),
}


@pytest.mark.parametrize(("rule", "files", "reason"), METRICS.values(), ids=METRICS)
def test_why_the_metric_was_not_read(rule: dict[str, Any], files: dict[str, str], reason: str, tmp_path: Path) -> None:
    following = follower(tmp_path, rule, files)
    assert why_no_epoch(following) == ""
    assert why_no_metric(following) in {f"acc was never reported {reason}", f"acc was never reported{reason}"}


def test_two_columns_of_one_name_are_refused_and_the_others_are_read(tmp_path: Path) -> None:
    following = follower(tmp_path, CSV, {"metrics.csv": "epoch,acc,acc,loss\n1,0.5,0.6,2\n"})
    assert following.readings.values == {"loss": {1: 2.0}}
    assert (
        why_no_metric(following) == "acc cannot be read: 2 columns are named 'acc', and which of them counts is unknown"
    )


def test_a_pipe_in_place_of_the_file_blocks_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "metrics.csv")
    following = follower(tmp_path, CSV, {})
    assert why_no_epoch(following) == "acc was never reported: metrics.csv cannot be read: it is no plain file"


def test_a_link_that_leads_nowhere_or_to_itself_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").symlink_to("metrics.csv")
    assert "no file metrics.csv in the results folder" in why_no_epoch(follower(tmp_path, CSV, {}))


def test_a_name_whose_bytes_are_no_text_can_be_said(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/mod\xe8le.csv")).write_text("")
    assert r"there are: mod\xe8le.csv" in why_no_epoch(follower(tmp_path, CSV, {}))
