"""Files are followed while they grow, however their writer treats them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from automl.execution.status_readers import Follower, StatusRule


def follower(folder: Path, start: int = 0, **rule: Any) -> Follower:
    return Follower(StatusRule(**rule), folder, folder / "log.txt", "loss", start)


def losses(following: Follower) -> dict[int, float]:
    following.read()
    return following.readings.values.get("loss", {})


def row(epoch: int, loss: float) -> str:
    return f'{{"epoch": {epoch}, "loss": {loss}}}\n'


@pytest.fixture
def lines(tmp_path: Path) -> Follower:
    return follower(tmp_path, reader="json_lines", path="m.jsonl")


def test_a_file_that_comes_late_and_grows(lines: Follower) -> None:
    path = lines.results / "m.jsonl"
    assert losses(lines) == {}
    with path.open("a") as file:
        file.write(row(1, 0.5))
        file.write(row(2, 0.4)[:9])
        file.flush()
        assert losses(lines) == {1: 0.5}
        file.write(row(2, 0.4)[9:])
        file.flush()
        assert losses(lines) == {1: 0.5, 2: 0.4}


def test_a_file_that_is_cut_off_or_replaced_is_read_anew(lines: Follower) -> None:
    path = lines.results / "m.jsonl"
    path.write_text(row(1, 0.5) + row(2, 0.4))
    assert losses(lines) == {1: 0.5, 2: 0.4}
    path.write_text(row(1, 0.7))  # shorter
    assert losses(lines) == {1: 0.7}
    path.write_text(row(1, 0.8) + row(2, 0.6) + row(3, 0.5))  # longer, but another
    assert losses(lines) == {1: 0.8, 2: 0.6, 3: 0.5}


def test_a_file_that_is_written_anew_for_every_epoch_with_what_was_there(lines: Follower) -> None:
    text = ""
    for epoch in (1, 2, 3):
        text += row(epoch, 1 / epoch)
        fresh = lines.results / "fresh"
        fresh.write_text(text)
        fresh.replace(lines.results / "m.jsonl")
        assert losses(lines)[epoch] == 1 / epoch
    assert lines.readings.lines == 3  # and nothing was read twice


def test_a_table_whose_header_changes_is_read_anew(tmp_path: Path) -> None:
    """Lightning's CSVLogger writes its file again when a metric is new."""
    table = follower(tmp_path, reader="csv", path="version_*/metrics.csv")
    path = tmp_path / "version_0" / "metrics.csv"
    path.parent.mkdir()
    path.write_text("epoch,lr\n1,0.1\n")
    assert losses(table) == {}
    path.write_text("epoch,loss,lr\n1,,0.1\n1,0.5,\n")
    assert losses(table) == {1: 0.5}


def test_several_files_are_one(tmp_path: Path) -> None:
    several = follower(tmp_path, reader="json_lines", path="**/metrics*.jsonl")
    (tmp_path / "b").mkdir()
    (tmp_path / "metrics.1.jsonl").write_text(row(1, 0.5))
    (tmp_path / "b" / "metrics.jsonl").write_text(row(2, 0.4))
    (tmp_path / "other.jsonl").write_text(row(3, 0.3))
    assert losses(several) == {1: 0.5, 2: 0.4}
    (tmp_path / "metrics.1.jsonl").unlink()  # rotated away: what was read is known
    assert losses(several) == {1: 0.5, 2: 0.4}


def test_patterns_read_the_log_unless_a_file_is_named(tmp_path: Path) -> None:
    patterns = (r"(?P<epoch>\d+): (?P<loss>\S+)",)
    (tmp_path / "log.txt").write_text("1: 0.5\n")
    (tmp_path / "out.txt").write_text("1: 0.7\n")
    assert losses(follower(tmp_path, reader="regex", patterns=patterns)) == {1: 0.5}
    assert losses(follower(tmp_path, reader="regex", patterns=patterns, path="out.txt")) == {1: 0.7}


def test_only_what_tells_something_new_says_when_the_program_wrote(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    following = follower(tmp_path, reader="regex", patterns=(r"(?P<epoch>\d+): (?P<loss>\S+)",))
    log.write_text("1: 0.5\n")
    os.utime(log, ns=(10**18, 10**18))
    following.read()
    assert following.written == 10**18
    with log.open("a") as file:
        file.write("10%|#\n")
    following.read()
    assert following.written == 10**18


def test_a_file_that_cannot_be_read_is_trouble_and_no_crash(tmp_path: Path) -> None:
    following = follower(tmp_path, reader="json_lines", path="m.jsonl")
    (tmp_path / "m.jsonl").mkdir()
    following.read()
    assert following.trouble == "m.jsonl cannot be read: Is a directory"


def test_an_unchanged_file_is_not_opened(lines: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    (lines.results / "m.jsonl").write_text(row(1, 0.5))
    lines.read()

    def refuse(*_arguments: object, **_more: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(Path, "open", refuse)
    assert losses(lines) == {1: 0.5}


def test_a_look_takes_a_bounded_part_of_what_is_written_faster_than_it_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    following = follower(tmp_path, reader="regex", patterns=(r"(?P<epoch>\d+): (?P<loss>\S+)",))
    log.write_text("1: 0.5\n" + "a line of a log\n" * 200_000 + "2: 0.4\n")
    looks = 0
    while looks == 0 or following.is_behind:
        following.read(1 << 20)
        looks += 1
        assert following.readings.values["loss"][1] == 0.5
        assert (2 in following.readings.values["loss"]) != following.is_behind
    assert looks == 4  # of 3.2 MB
    following.read(1)
    assert not following.is_behind
