"""What is stored of a log is bounded, and so is the memory that it takes. Huge logs are in tests/corpus/logs."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from automl.execution.plain_files import free_space
from automl.execution.status_readers import Follower, StatusRule
from automl.execution.steps.diagnosis import Ended
from automl.execution.steps.last_words import last_words
from automl.execution.steps.printed import FIRST, LAST, MIB, free_the_middle, printed, reported
from automl.execution.steps.propose import propose
from automl.reporting import views
from automl.stores.memory import MemoryStore
from automl.study.experiments import experiments
from automl.study.record import Record
from tests.execution.steps.attempts import Attempt
from tests.simulation.studies import RANDOM, study

LINE = b"a line of a log that goes on and on\n"
REASON = b"ValueError: the picture is broken\n"


@pytest.mark.parametrize("size", [0, 1, FIRST, FIRST + LAST])
def test_a_log_that_is_no_longer_is_stored_as_it_stands(size: int, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"x" * size)
    assert printed(log) == b"x" * size


def test_gigabytes_take_no_memory(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with log.open("wb") as file:
        file.truncate(5_000_000_000)  # the disk holds nothing of it
    following = Follower(StatusRule(reader="regex", patterns=(r"(?P<loss>{number})",)), tmp_path, log, "loss", 0)
    tracemalloc.start()
    try:
        stored = printed(log)
        following.read(64 * MIB)
        assert last_words(log) == ""
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert stored is not None
    assert b" of 5,000,000,000 " in stored
    assert peak < 80 * MIB
    assert following.is_behind


def test_the_disk_space_of_what_is_not_stored_is_given_back_while_the_program_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl.execution.steps.printed.FREED_FROM", 2 * MIB)
    log = tmp_path / "log.txt"
    with log.open("ab") as file:
        file.write(b"".join(b"loss=0.5\n" + b"." * 100_000 + b"\n" for _ in range(260)))
        file.flush()
        (tmp_path / "probe").write_bytes(b"x")
        if not free_space(tmp_path / "probe", 0, 1):
            pytest.skip("this file system cannot give the space of a part of a file back")
        follower = Follower(StatusRule(reader="regex", patterns=(r"(?P<loss>{number})",)), tmp_path, log, "loss", 0)
        before, space = printed(log), log.stat().st_blocks
        assert free_the_middle(log, 0, follower.log_position, 0) == 0  # nothing of it is read
        follower.read(4 * MIB)
        freed = free_the_middle(log, 0, follower.log_position, 0)
        assert freed == follower.log_position
        assert (space - log.stat().st_blocks) * 512 == pytest.approx(freed - FIRST, abs=2 * 4096)
        assert free_the_middle(log, 0, follower.log_position, freed) == freed  # too little more
        assert printed(log) == before
        file.write(REASON)
        file.flush()
        follower.read()
        assert follower.readings.lines == 260
    assert last_words(log) == REASON.decode().strip()
    assert free_the_middle(log, 0, None, freed) == log.stat().st_size - LAST


def test_a_pipe_a_folder_and_nothing_are_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert [printed(tmp_path / name) for name in ("pipe", ".", "nothing")] == [None, None, None]


def test_long_status_lines_are_stored_an_epoch_a_line(tmp_path: Path) -> None:
    line = json.dumps({"epoch": 1, "kpi": {"loss": 0.5}, "message": "x" * 1000}) + "\n"
    (tmp_path / "status.json").write_text(line * 20_000)
    following = Follower(StatusRule(), tmp_path, tmp_path / "log.txt", "loss", 0)
    following.read()
    assert reported(following) == b'{"status": "RUNNING", "epoch": 1, "kpi": {"loss": 0.5}}\n'
    (tmp_path / "status.json").write_text(line)
    assert reported(following) == line.encode()


def test_a_view_repeats_the_end_of_a_long_log_and_names_what_holds_the_rest(tmp_path: Path) -> None:
    record, definition = Record(MemoryStore()), study(RANDOM)
    attempt = Attempt(tmp_path / "a1", record, definition, propose(record, definition, 0, 0).issued[0])
    attempt.launch.log.write_bytes(LINE * 100_000 + REASON)
    attempt.observer.finish(Ended(1), 1.0)
    history = record.history(definition)
    views.write_experiments(record, definition, history, experiments(history, definition.plan))
    whole, view = (record.store.get(f"experiment_0/{name}log.txt") or b"" for name in ("rung_0/a1/", ""))
    assert whole == LINE * 100_000 + REASON
    first, rest = view.split(b"\n", 1)
    assert first.startswith(b"[automl: 2,")
    assert first.endswith(
        b"of 3,600,034 bytes are left out here; all that is stored is in experiment_0/rung_0/a1/log.txt]"
    )
    assert whole.endswith(rest)
    assert MIB - len(LINE) < len(rest) <= MIB
