"""A training that goes wrong is a failed experiment with a reason; the study goes on, unless nothing succeeds."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import automl, read_terminal, refused_at_last
from tests.small_network import write_small_study

FULL_TRAININGS = "name: study\nnetwork: small.yaml\nalgorithm: random\nmax_recommendations: 3\nfinal: {repeats: 0}\n"
FAULTS = {
    "nan": ("nan", "not finite: score = nan at epoch 3"),
    "infinity": ("inf", "not finite: score = inf at epoch 3"),
    "a crash": ("crash", "exit code 1: it crashed"),
    "a metric that is missing": ("no_metric", "no metric: score was never reported in status.json, 3 lines read"),
    "a checkpoint that is missing": ("no_checkpoint", "no checkpoint: no file model_{epoch}.json of epoch 3"),
}


@pytest.mark.parametrize(("fault", "says"), FAULTS.values(), ids=FAULTS.keys())
def test_a_failed_experiment_says_why_and_the_study_goes_on(fault: str, says: str, tmp_path: Path) -> None:
    write_small_study(tmp_path, f"train_spec: {{train.fault: {fault}}}\n", FULL_TRAININGS)

    ran = automl("run", "study.yaml", "-j", "2", "-o", "json", cwd=tmp_path)
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["state"] == "done"
    assert found["best"]["experiment"] == 0
    assert [row["status"] for row in found["experiments_table"]] == ["success", "failure", "failure"]
    for command, times in (("status", 1), ("report", 2)):  # status has each reason once
        text = automl(command, "study.yaml", cwd=tmp_path).out
        assert "1 succeeded, 2 failed" in text
        assert text.count(says) == times
    end = automl("run", "study.yaml", cwd=tmp_path).out  # there is nothing left to train
    assert f"experiments 1 and 2 failed: {says}" in end
    if fault == "crash":  # the others print nothing
        assert f"  | it crashed\n  log: {tmp_path}/study/experiment_1/log.txt\n" in end
        assert (tmp_path / "study/experiment_1/log.txt").is_file()


@pytest.mark.parametrize("fault", ["nan", "inf", "no_metric", "no_checkpoint", "crash"])
def test_a_study_in_which_all_fail_ends_with_one_error_and_code_5(fault: str, tmp_path: Path) -> None:
    write_small_study(tmp_path, f"train_spec: {{train.fault: {fault}, train.fault_in: all}}\n", FULL_TRAININGS)

    ran = automl("run", "study.yaml", "-j", "2", "-o", "json", cwd=tmp_path)
    assert ran.code == 5
    assert ran.out == ""
    assert "automl: none of the 3 experiments succeeded" in ran.err.splitlines()[-1]
    assert sum(line.startswith("automl: ") for line in ran.err.splitlines()) == 1
    refused_at_last(automl("best", "study.yaml", cwd=tmp_path), "no experiment has succeeded", "automl status")
    assert json.loads(automl("status", "study.yaml", "-o", "json", cwd=tmp_path).out)["state"] == "failed"


def test_a_checkpoint_that_cannot_be_read_fails_the_experiment_that_goes_on_from_it(tmp_path: Path) -> None:
    write_small_study(tmp_path, "train_spec: {train.fault: torn, train.fault_in: all}\n")

    ran = automl("run", "study.yaml", "-j", "2", "-o", "json", cwd=tmp_path)
    assert ran.code == 0, ran.err
    text = automl("report", "study.yaml", cwd=tmp_path).out
    assert "exit code 1: the checkpoint cannot be read" in text


def test_an_error_during_a_live_view_is_printed_when_the_view_is_gone(tmp_path: Path) -> None:
    write_small_study(tmp_path, "train_spec: {train.fault: nan, train.fault_in: all}\n", FULL_TRAININGS)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "automl.cli", "run", "study.yaml", "-j", "2"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    with subprocess.Popen(command, cwd=tmp_path, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        text = read_terminal(ours).decode()
    os.close(ours)

    assert process.returncode == 5
    view, shown_again, after = text.rpartition("\x1b[?25h")  # the cursor comes back when the view has gone
    assert shown_again
    assert "best so far" in view
    assert "none of the 3 experiments" not in view
    assert "none of the 3 experiments succeeded" in after


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; skips where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not mount or not umount:
        pytest.skip("there is no mount")
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("nothing can be mounted here")
    yield disk
    subprocess.run([umount, str(disk)], check=True)


def test_a_full_disk_is_one_clear_error_and_the_study_goes_on_when_there_is_space(
    small_disk: Path, tmp_path: Path
) -> None:
    write_small_study(tmp_path, "train_spec: {train.kilobytes: 40}\n")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1024 * 900)

    ran = automl("run", "study.yaml", "--store", str(small_disk / "study"), "-j", "1", "-o", "json", cwd=tmp_path)
    refused_at_last(ran, "No space left on device", "the same command again", "intact")

    ballast.unlink()
    ran = automl("run", "study.yaml", "--store", str(small_disk / "study"), "-j", "1", "-o", "json", cwd=tmp_path)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    assert found["state"] == "done"
    assert found["experiments"]["failure"] == 0
