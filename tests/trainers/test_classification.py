"""The classification program, really training tiny networks on few pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.trainers.classification import main
from tests.trainers.lightning_programs import Spec, assert_going_on_is_exact

SMALL: Spec = {
    "train": {"epochs": 1, "schedule_epochs": 3, "batch_size": 16, "lr": 0.01, "threads": 1, "device": "cpu"},
    "model": {"name": "test_resnet", "image_size": 32, "dropout": 0.2},
    "data": {"limit": 48},
}


@pytest.mark.parametrize("how", [{"optimizer": "sgd", "schedule": "one-cycle"}, {"schedule": "cosine"}])
def test_going_on_is_as_if_never_stopped(tmp_path: Path, how: dict[str, Any]) -> None:
    assert_going_on_is_exact(main, tmp_path, SMALL | {"train": SMALL["train"] | how})
