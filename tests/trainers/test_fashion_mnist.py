"""The Fashion-MNIST program, really training: small sets of pictures, small networks, the same code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from automl import training
from automl.trainers.fashion_mnist import main
from tests.test_training import lines

SMALL: dict[str, dict[str, Any]] = {
    "train": {"epochs": 3, "batch_size": 32, "lr": 0.01, "threads": 1, "device": "cpu"},
    "model": {"width": 2, "dropout": 0.2},
    "data": {"limit": 160},
}
REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _own_signal_handler_and_threads() -> Iterator[None]:
    handler, threads = signal.getsignal(signal.SIGTERM), torch.get_num_threads()
    yield
    signal.signal(signal.SIGTERM, handler)
    torch.set_num_threads(threads)


def write_spec(folder: Path, **changes: dict[str, Any]) -> Path:
    """A file with SMALL, changed: write_spec(folder, train={"epochs": 1})."""
    spec = {section: values | changes.get(section, {}) for section, values in SMALL.items()}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    return path


def train(folder: Path, **changes: dict[str, Any]) -> int:
    """Runs the program in this process, its results in `folder`; gives the exit code."""
    return main(["--spec", str(write_spec(folder, **changes)), "--results", str(folder)])


def checkpoint(folder: Path, epoch: int) -> dict[str, Any]:
    content = torch.load(folder / f"checkpoint_epoch_{epoch:03d}.pt", weights_only=True)
    assert isinstance(content, dict)
    return content


def same(first: object, second: object) -> bool:
    """Equal to the bit, tensors included."""
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second, strict=True))
    return type(first) is type(second) and first == second


def kpis(folder: Path) -> list[tuple[int, dict[str, Any]]]:
    return [(line["epoch"], line["kpi"]) for line in lines(folder) if "epoch" in line]


def failure(folder: Path) -> str:
    assert lines(folder)[-1]["status"] == "FAILURE"
    return str(lines(folder)[-1]["message"])


SGD_ONE_CYCLE = {"optimizer": "sgd", "momentum": 0.8, "schedule": "one-cycle", "lr": 0.1}
ADAMW_COSINE = {"optimizer": "adamw", "schedule": "cosine"}


class TestGoingOn:
    @pytest.mark.parametrize("how", [SGD_ONE_CYCLE, ADAMW_COSINE])
    def test_from_a_named_checkpoint_is_as_if_never_stopped(self, tmp_path: Path, how: dict[str, Any]) -> None:
        assert train(tmp_path / "whole", train=how) == 0
        assert train(tmp_path / "rung", train=how | {"epochs": 1}) == 0
        named = str(tmp_path / "rung" / "checkpoint_epoch_001.pt")
        assert train(tmp_path / "promoted", train=how | {"resume_from": named}) == 0
        assert same(checkpoint(tmp_path / "whole", 3), checkpoint(tmp_path / "promoted", 3))
        assert kpis(tmp_path / "whole") == kpis(tmp_path / "promoted")  # the line of epoch 1 is repeated

    def test_in_the_same_folder_is_as_if_never_stopped(self, tmp_path: Path) -> None:
        assert train(tmp_path / "whole") == 0
        for epochs in (1, 2, 3, 3):
            assert train(tmp_path / "parts", train={"epochs": epochs}) == 0
        assert same(checkpoint(tmp_path / "whole", 3), checkpoint(tmp_path / "parts", 3))
        assert dict(kpis(tmp_path / "whole")) == dict(kpis(tmp_path / "parts"))

    def test_the_folders_newer_checkpoint_goes_before_the_named_one_even_if_that_is_gone(self, tmp_path: Path) -> None:
        named = tmp_path / "named" / "checkpoint_epoch_001.pt"
        assert train(tmp_path / "named", train={"epochs": 1}) == 0
        assert train(tmp_path / "own", train={"epochs": 2, "resume_from": str(named)}) == 0
        assert [epoch for epoch, _ in kpis(tmp_path / "own")] == [1, 2]
        assert train(tmp_path / "own", train={"resume_from": str(named)}) == 0
        named.unlink()
        assert train(tmp_path / "own", train={"resume_from": str(named)}) == 0
        assert [epoch for epoch, _ in kpis(tmp_path / "own")] == [1, 2, 2, 3, 3]

    def test_a_named_checkpoint_is_trained_on_with_other_values_that_are_no_size_of_the_network(
        self, tmp_path: Path
    ) -> None:
        how = {"optimizer": "sgd", "schedule": "cosine"}
        other = {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.001, "batch_size": 32}
        assert train(tmp_path / "first", train=how | {"epochs": 1}) == 0
        named = {"resume_from": str(tmp_path / "first" / "checkpoint_epoch_001.pt")}
        assert train(tmp_path / "same", train=how | named | {"epochs": 2}) == 0
        assert train(tmp_path / "moved", train=how | named | other | {"epochs": 2}) == 0
        assert dict(kpis(tmp_path / "moved"))[2] != dict(kpis(tmp_path / "same"))[2], "the values were taken"
        assert train(tmp_path / "first", train=how | other) == 2
        assert "is of another training: train.lr was" in failure(tmp_path / "first"), "in its own folder it is a slip"
        assert train(tmp_path / "larger", train=how | named, model={"width": 12}) == 2
        assert "model.width was" in failure(tmp_path / "larger")

    def test_a_named_checkpoint_that_is_not_there_is_a_wrong_spec(self, tmp_path: Path) -> None:
        assert train(tmp_path, train={"resume_from": str(tmp_path / "gone.pt")}) == 2
        assert "there is no such file" in failure(tmp_path)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"train": {"lr": 0.02}}, "train.lr was 0.01 and is 0.02"),
            ({"train": {"seed": 2}}, "train.seed was 1 and is 2"),
            ({"model": {"width": 3}}, "model.width was 2 and is 3"),
            ({"data": {"limit": 161}}, "data.limit was 160 and is 161, the data's sha256 was"),
            ({"train": {"epochs": 1}}, "train.epochs is 1, but there is a checkpoint of epoch 2"),
        ],
    )
    def test_as_another_training_is_refused(
        self, tmp_path: Path, changes: dict[str, dict[str, Any]], message: str
    ) -> None:
        assert train(tmp_path, train={"epochs": 2}) == 0
        before = (tmp_path / "checkpoint_epoch_002.pt").read_bytes()
        assert train(tmp_path, **changes) == 2
        assert message in failure(tmp_path)
        assert (tmp_path / "checkpoint_epoch_002.pt").read_bytes() == before

    def test_checkpoints_come_every_interval_and_at_the_end(self, tmp_path: Path) -> None:
        assert train(tmp_path, train={"checkpoint_interval": 2}) == 0
        assert sorted(tmp_path.glob("*.pt")) == [tmp_path / f"checkpoint_epoch_00{epoch}.pt" for epoch in (2, 3)]


def test_the_schedule_spans_its_own_epochs_not_each_epoch_nor_the_run(tmp_path: Path) -> None:
    falling = {"schedule": "cosine", "schedule_epochs": 3, "optimizer": "sgd", "momentum": 0}
    assert train(tmp_path / "whole", train=falling) == 0
    first, second, third = (checkpoint(tmp_path / "whole", epoch)["network"]["14.weight"] for epoch in (1, 2, 3))
    assert (third - second).norm() < 0.5 * (second - first).norm()  # the mean rates of the two are as 0.09 to 0.5
    assert train(tmp_path / "rung", train=falling | {"epochs": 1}) == 0
    assert same(checkpoint(tmp_path / "whole", 1), checkpoint(tmp_path / "rung", 1))


class TestDamagedCheckpoints:
    def test_a_torn_one_is_a_failure_that_names_it(self, tmp_path: Path) -> None:
        assert train(tmp_path, train={"epochs": 1}) == 0
        path = tmp_path / "checkpoint_epoch_001.pt"
        path.write_bytes(path.read_bytes()[:-100])
        assert train(tmp_path) == 1
        assert f"the checkpoint {path} cannot be read" in failure(tmp_path)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ({"format": 2}, "has the format 2; allowed: format 1"),
            ([1], "has the format 'list'"),
            ({"format": 1, "epoch": 1}, "does not hold what it should"),
        ],
    )
    def test_one_of_another_form_is_refused(self, tmp_path: Path, content: object, message: str) -> None:
        torch.save(content, tmp_path / "checkpoint_epoch_001.pt")
        assert train(tmp_path) == 1
        assert message in failure(tmp_path)

    def test_one_that_would_run_code_is_refused_and_runs_none(self, tmp_path: Path) -> None:
        torch.save(_MakesAFolder(tmp_path / "made"), tmp_path / "checkpoint_epoch_001.pt")
        assert train(tmp_path) == 1
        assert "cannot be read" in failure(tmp_path)
        assert not (tmp_path / "made").exists()

    def test_one_whose_tensors_do_not_fit_is_refused(self, tmp_path: Path) -> None:
        assert train(tmp_path, train={"epochs": 1}) == 0
        content = checkpoint(tmp_path, 1)
        content["network"]["0.weight"] = torch.zeros(1)
        torch.save(content, tmp_path / "checkpoint_epoch_001.pt")
        assert train(tmp_path) == 1
        assert "does not fit the network" in failure(tmp_path)


class _MakesAFolder:
    """What an attacker puts into a checkpoint: unpickling it calls os.mkdir."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (self._path,))


_REPORTING_DYNAMO = """
import sys
from automl.trainers.fashion_mnist import main
code = main(sys.argv[1:])
print("dynamo" if "torch._dynamo" in sys.modules else "no dynamo", file=sys.stderr)
sys.exit(code)
"""


def test_another_process_trains_the_same_and_without_what_makes_torch_slow_to_start(tmp_path: Path) -> None:
    assert train(tmp_path / "here", train=SGD_ONE_CYCLE) == 0
    spec = write_spec(tmp_path / "there", train=SGD_ONE_CYCLE)
    command = [sys.executable, "-c", _REPORTING_DYNAMO, "--spec", str(spec), "--results", str(tmp_path / "there")]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    assert same(checkpoint(tmp_path / "here", 3), checkpoint(tmp_path / "there", 3))
    assert kpis(tmp_path / "here") == kpis(tmp_path / "there")
    assert done.stderr == "no dynamo\n"


def test_sigterm_ends_with_75_at_a_batchs_end_and_the_next_run_goes_on_exactly(tmp_path: Path) -> None:
    longer = {"epochs": 900, "schedule_epochs": 900, "schedule": "cosine", "batch_size": 4}
    spec = write_spec(tmp_path / "stopped", train=longer)
    command = [sys.executable, "-m", "automl.trainers.fashion_mnist"]
    with subprocess.Popen(
        [*command, "--spec", str(spec), "--results", str(tmp_path / "stopped")],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("epoch 1 of 900")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == training.PREEMPTED
    assert "run again to resume" in errors
    assert {line["status"] for line in lines(tmp_path / "stopped")} == {"STARTED", "RUNNING"}
    newest = training.latest_checkpoint(tmp_path / "stopped")
    assert newest is not None
    last = int(newest.stem[-3:]) + 1
    assert train(tmp_path / "stopped", train=longer | {"epochs": last}) == 0
    assert train(tmp_path / "whole", train=longer | {"epochs": last}) == 0
    assert same(checkpoint(tmp_path / "stopped", last), checkpoint(tmp_path / "whole", last))


class TestFailures:
    def test_an_unknown_key_is_a_wrong_spec_and_a_near_miss_is_named(self, tmp_path: Path) -> None:
        assert train(tmp_path, train={"momentun": 0.9}) == 2
        assert "did you mean 'train.momentum'" in failure(tmp_path)

    def test_a_spec_that_is_not_there(self, tmp_path: Path) -> None:
        assert main(["--spec", str(tmp_path / "none.yaml"), "--results", str(tmp_path)]) == 2
        assert "cannot be read" in failure(tmp_path)

    def test_a_diverged_loss_is_reported_as_nan_and_fails(self, tmp_path: Path) -> None:
        assert train(tmp_path, train={"optimizer": "sgd", "lr": 1e30}) == 1
        ((epoch, kpi),) = kpis(tmp_path)
        assert epoch == 1
        assert kpi["val_accuracy"] == kpi["val_loss"] == "nan"
        assert kpi["train_loss"] in {"nan", "inf"}
        assert failure(tmp_path) == "loss is not finite at epoch 1"
        assert training.latest_checkpoint(tmp_path) is None

    def test_more_pictures_in_a_batch_than_there_are(self, tmp_path: Path) -> None:
        assert train(tmp_path, train={"batch_size": 161}) == 2
        assert "allowed: 2 to 160" in failure(tmp_path)

    @pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 torn", b"text"])
    def test_data_that_cannot_be_read(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "data.npz"
        if content is not None:
            path.write_bytes(content)
        assert train(tmp_path, data={"path": str(path)}) == 2
        assert f"the data file {path} cannot be read" in failure(tmp_path)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
    def test_a_device_that_is_not_there(self, tmp_path: Path) -> None:
        assert train(tmp_path, train={"device": "cuda"}) == 2
        assert "torch sees no CUDA device" in failure(tmp_path)

    def test_a_bug_leaves_a_failure_line_and_its_traceback(self, tmp_path: Path) -> None:
        (tmp_path / "checkpoint_epoch_001.pt").mkdir()  # read as none, but nothing can be written there
        with pytest.raises(OSError, match="checkpoint_epoch_001"):
            train(tmp_path)
        assert failure(tmp_path).startswith("IsADirectoryError: ")


def test_it_learns_and_reports_the_held_out_part_at_the_end(tmp_path: Path) -> None:
    longer = {"epochs": 2, "lr": 0.005, "optimizer": "adamw"}
    assert train(tmp_path, train=longer, model={"width": 8}, data={"limit": 1500, "held_out": True}) == 0
    (_, first), (_, last) = kpis(tmp_path)
    assert "held_out_accuracy" not in first
    assert last["held_out_accuracy"] > 0.65
    assert last["val_accuracy"] > 0.65
    assert abs(last["held_out_accuracy"] - last["val_accuracy"]) < 0.08
    assert last["train_loss"] < first["train_loss"]


@pytest.mark.parametrize(("said", "threads"), [("", 1), ("2", 2), ("3,1", 3), ("many", 1), ("0", 1)])
def test_threads_are_what_openmp_is_told(said: str, threads: int) -> None:
    from automl.trainers.loop.machine import threads as threads_of

    assert threads_of({"OMP_NUM_THREADS": said}) == threads


_LIMITED = """
import resource, sys, torch
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
from automl.trainers.fashion_mnist import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits the address space")
def test_a_batch_beyond_the_memory_is_a_failure_that_names_it(tmp_path: Path) -> None:
    spec = {"train": {"batch_size": 4096, "device": "cpu", "threads": 1}, "model": {"width": 256}}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-c", _LIMITED, "--spec", str(tmp_path / "spec.json"), "--results", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    said = lines(tmp_path)[-1]
    assert said["status"] == "FAILURE"
    assert said["message"].startswith("out of memory with train.batch_size 4096 (")
    assert "lower train.batch_size" in said["message"]
