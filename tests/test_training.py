"""The functions that a training program calls."""

from __future__ import annotations

import ast
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from automl import training


def lines(results: Path) -> list[dict[str, Any]]:
    """The status lines, each of strict JSON."""

    def refuse(name: str) -> float:
        raise AssertionError(f"{name} is not JSON")

    text = (results / "status.json").read_text()
    return [json.loads(line, parse_constant=refuse) for line in text.splitlines() if line.strip()]


def test_the_file_imports_the_standard_library_only() -> None:
    tree = ast.parse(Path(training.__file__).read_text())
    everywhere = {name for node in ast.walk(tree) for name in _imported(node)}
    at_import = {name for node in tree.body for name in _imported(node)}
    assert everywhere - {"yaml"} <= sys.stdlib_module_names
    assert "yaml" not in at_import


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    return [(node.module or ".").partition(".")[0]] if isinstance(node, ast.ImportFrom) else []


class TestSpec:
    @pytest.mark.parametrize(
        ("name", "text"), [("spec.json", '{"train": {"lr": 0.1}}'), ("spec.yaml", "train:\n  lr: 0.1\n")]
    )
    def test_json_and_yaml_are_read(self, tmp_path: Path, name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        assert training.load_spec(tmp_path / name) == {"train": {"lr": 0.1}}

    def test_without_pyyaml_json_is_read_whatever_its_name_and_yaml_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "yaml", None)  # makes `import yaml` fail
        (tmp_path / "spec.yaml").write_text('{"lr": 1}')
        assert training.load_spec(tmp_path / "spec.yaml") == {"lr": 1}
        (tmp_path / "spec.yaml").write_text("lr: 1")
        with pytest.raises(ValueError, match="install pyyaml or give a JSON file"):
            training.load_spec(tmp_path / "spec.yaml")

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("spec.json", "lr: 1", "is not JSON"),
            ("spec.yaml", "a: [", "neither JSON nor YAML"),
            ("spec.yaml", "- 1", "holds a list"),
            ("spec.yaml", "", "holds a NoneType"),
            ("spec.yaml", "!!python/object/apply:os.getcwd []", "neither JSON nor YAML"),
        ],
    )
    def test_anything_else_is_refused(self, tmp_path: Path, name: str, text: str, message: str) -> None:
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=message):
            training.load_spec(tmp_path / name)


class TestStatusLines:
    def test_a_run_writes_started_epochs_success(self, tmp_path: Path) -> None:
        training.started(tmp_path / "new")
        training.report(tmp_path / "new", 1, max_epoch=3, metrics={"loss": 2}, seconds=1.5, learning_rate=0.1)
        training.finished(tmp_path / "new")
        first, epoch, last = lines(tmp_path / "new")
        assert (first["status"], last["status"]) == ("STARTED", "SUCCESS")
        assert epoch["status"] == "RUNNING"
        assert (epoch["epoch"], epoch["max_epoch"]) == (1, 3)
        assert (epoch["time_per_epoch"], epoch["eta"]) == ("0:00:01.500000", "0:00:03")
        assert epoch["kpi"] == {"loss": 2.0}
        assert epoch["learning_rate"] == 0.1
        assert {"date", "time", "message"} <= epoch.keys()

    def test_a_failure_says_why(self, tmp_path: Path) -> None:
        training.failed(tmp_path, "out of memory")
        assert lines(tmp_path)[0]["status"] == "FAILURE"
        assert lines(tmp_path)[0]["message"] == "out of memory"

    def test_nan_and_infinity_are_texts_wherever_they_stand(self, tmp_path: Path) -> None:
        bad = {"loss": float("nan"), "a": float("inf"), "b": float("-inf")}
        training.report(tmp_path, 1, metrics=bad, seen=[float("nan")])
        line = lines(tmp_path)[0]
        assert line["kpi"] == {"loss": "nan", "a": "inf", "b": "-inf"}
        assert line["seen"] == ["nan"]

    def test_half_a_line_of_a_killed_run_does_not_spoil_the_next(self, tmp_path: Path) -> None:
        training.started(tmp_path)
        with (tmp_path / "status.json").open("ab") as file:
            file.write(b'{"status": "RUNN')
        training.failed(tmp_path, "x")
        assert (tmp_path / "status.json").read_text().splitlines()[1] == '{"status": "RUNN'
        assert json.loads((tmp_path / "status.json").read_text().splitlines()[2])["status"] == "FAILURE"

    def test_epochs_count_from_1(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="epochs count from 1"):
            training.report(tmp_path, 0, metrics={})
        assert not (tmp_path / "status.json").exists()

    def test_an_extra_member_may_not_overwrite_one(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=r"^kpi, status: the line has such a member"):
            training.report(tmp_path, 1, metrics={}, status="SUCCESS", kpi={})


class TestCheckpoints:
    def test_a_file_takes_its_name_when_it_is_whole(self, tmp_path: Path) -> None:
        target = tmp_path / "folder" / "checkpoint_epoch_001.pt"

        def write(file: BinaryIO) -> None:
            file.write(b"half")
            file.flush()
            assert not target.exists()
            assert training.latest_checkpoint(target.parent) is None
            file.write(b" and half")

        training.save_atomically(target, write)
        assert target.read_bytes() == b"half and half"
        assert list(target.parent.iterdir()) == [target]

    def test_a_failed_write_leaves_what_was_there(self, tmp_path: Path) -> None:
        target = tmp_path / "checkpoint_epoch_001.pt"
        target.write_bytes(b"old")

        def write(file: BinaryIO) -> None:
            file.write(b"new")
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            training.save_atomically(target, write)
        assert target.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [target]

    def test_the_latest_is_the_one_of_the_greatest_epoch(self, tmp_path: Path) -> None:
        for name in ("epoch_9.pt", "epoch_010.pt", "epoch_best.pt", "epoch_11.pt.tmp", ".epoch_12.pt"):
            (tmp_path / name).touch()
        assert training.latest_checkpoint(tmp_path, "epoch_*.pt") == tmp_path / "epoch_010.pt"
        assert training.latest_checkpoint(tmp_path) is None
        assert training.latest_checkpoint(tmp_path / "missing") is None

    @pytest.mark.parametrize("pattern", ["checkpoint.pt", "*_epoch_*.pt"])
    def test_a_pattern_has_one_star(self, tmp_path: Path, pattern: str) -> None:
        with pytest.raises(ValueError, match=r"exactly one \*"):
            training.latest_checkpoint(tmp_path, pattern)


_PROGRAM = """
import sys, time
import training
training.handle_preemption()
training.started(".")
while not training.preempted():
    time.sleep(0.01)
sys.exit(training.PREEMPTED)
"""


def test_a_program_with_a_copy_of_the_file_exits_75_on_sigterm(tmp_path: Path) -> None:
    shutil.copy(training.__file__, tmp_path)
    with subprocess.Popen(
        [sys.executable, "-S", "-c", _PROGRAM], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        while not (tmp_path / "status.json").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 75
