"""Where the reason of a failure is looked for. Which line it is, in logs of every kind: tests/corpus/logs."""

from __future__ import annotations

from pathlib import Path

from automl.execution.steps.last_words import last_words


def test_a_huge_log_is_read_at_its_end_only(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"ValueError: long ago\n" + b"x" * 79 + b"\n" * 1000 + b"\xff\xfe\nthe data are gone\n")
    assert last_words(log) == "the data are gone"


def test_a_log_that_is_not_there_has_no_words(tmp_path: Path) -> None:
    assert last_words(tmp_path / "log.txt") == ""
