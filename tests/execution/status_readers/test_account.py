"""A training that reported nothing fails with a reason, whatever stands in place of the file: tests/corpus/logs too."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from automl.execution.status_readers import Follower, StatusRule, why_no_epoch

CSV = {"reader": "csv", "path": "metrics.csv"}


def follower(folder: Path, rule: dict[str, Any], files: dict[str, str]) -> Follower:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    following = Follower(StatusRule.model_validate(rule), folder, folder / "log.txt", "acc", 0)
    following.close()
    return following


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
