"""The loop of all programs that train by Lightning: stopped, diverging, out of memory, in lower precision."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from automl import training
from automl.trainers.classification import main
from automl.trainers.loop.epoch_by_epoch import EpochByEpoch
from tests.test_training import lines
from tests.trainers.lightning_programs import Spec, assert_same, checkpoint, failure, kpis, train
from tests.trainers.test_classification import SMALL
from tests.trainers.test_own_data import folders


def test_sigterm_within_an_epoch_ends_with_75_and_the_next_run_goes_on_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train(main, tmp_path / "whole", SMALL, train={"epochs": 3}) == 0
    batches = []

    def sigterm_at_the_fourth(self: EpochByEpoch, batch: Any) -> torch.Tensor:
        batches.append(batch)
        if len(batches) == 4:  # of three in an epoch
            os.kill(os.getpid(), signal.SIGTERM)
        return self.task.training_loss(batch)

    with monkeypatch.context() as patch:
        patch.setattr(EpochByEpoch, "training_step", sigterm_at_the_fourth)
        assert train(main, tmp_path / "stopped", SMALL, train={"epochs": 3}) == training.PREEMPTED
    assert len(batches) == 4
    assert list(kpis(tmp_path / "stopped")) == [1]
    assert [line["status"] for line in lines(tmp_path / "stopped")] == ["STARTED", "RUNNING"]  # it has not failed
    assert train(main, tmp_path / "stopped", SMALL, train={"epochs": 3}) == 0
    assert_same(checkpoint(tmp_path / "whole", 3), checkpoint(tmp_path / "stopped", 3))


def test_a_training_that_diverges_reports_nan_and_fails(tmp_path: Path) -> None:
    assert train(main, tmp_path, SMALL, train={"optimizer": "sgd", "lr": 1e30, "epochs": 3}) == 1
    last = max(kpis(tmp_path))
    assert kpis(tmp_path)[last]["val_accuracy"] == "nan"
    assert failure(tmp_path) == f"loss is not finite at epoch {last}"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits the address space")
def test_pictures_beyond_the_memory_are_out_of_memory(tmp_path: Path) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), before[1]))
    try:
        code = train(main, tmp_path, SMALL, model={"image_size": 4096})
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert code == 1
    assert failure(tmp_path).startswith("out of memory with train.batch_size 16 (")


def test_bfloat16_trains_other_weights_than_float32_and_goes_on_to_the_bit(tmp_path: Path) -> None:
    few: Spec = {  # slow on a CPU that has no instructions for it
        "data": {"path": str(folders(tmp_path / "data", "train", "val")), "limit": 8},
        "model": {"image_size": 32},  # of 16 pixels a layer sees one: its statistics over a batch may overflow
    }
    for name, precision, runs in (("parts", "bf16-mixed", (1, 2)), ("whole", "bf16-mixed", (2,)), ("full", "32", (2,))):
        for epochs in runs:
            how = {"precision": precision, "epochs": epochs, "batch_size": 4}
            assert train(main, tmp_path / name, SMALL, train=how, **few) == 0
    assert_same(checkpoint(tmp_path / "whole", 2), checkpoint(tmp_path / "parts", 2))
    weights = [checkpoint(tmp_path / name, 2)["network"]["fc.weight"] for name in ("whole", "full")]
    assert weights[0].dtype == weights[1].dtype == torch.float32
    assert not torch.equal(*weights)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "16-mixed"}, "train.precision is '16-mixed', which needs a GPU"),
        ({"precision": "16"}, "allowed: 32 or bf16-mixed or 16-mixed"),
        ({"devices": 0}, "train.devices is 0"),
        ({"strategy": "fsdp"}, "train.strategy is 'fsdp'"),
    ],
)
def test_what_a_cpu_cannot_do_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    assert train(main, tmp_path, SMALL, train=changes) == 2
    assert message in failure(tmp_path)
