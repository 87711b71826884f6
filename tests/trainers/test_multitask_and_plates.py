"""The programs for several labels of a picture and for number plates, really training tiny networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.trainers import multitask_classification, plate_recognition
from tests.trainers.lightning_programs import Main, Spec, assert_going_on_is_exact, failure, train

_TRAIN = {"epochs": 1, "schedule_epochs": 3, "schedule": "cosine", "batch_size": 16, "threads": 1, "device": "cpu"}
MULTITASK: Spec = {
    "train": _TRAIN | {"balance": "uncertainty"},
    "model": {"name": "test_resnet", "dropout": 0.2},
    "data": {"limit": 48},
}
PLATES: Spec = {"train": _TRAIN, "model": {"channels": 4, "recurrent": 8}, "data": {"plates": 64}}
PROGRAMS = [(multitask_classification.main, MULTITASK), (plate_recognition.main, PLATES)]


@pytest.mark.parametrize(("main", "small"), PROGRAMS, ids=["multitask", "plates"])
def test_going_on_is_as_if_never_stopped(tmp_path: Path, main: Main, small: Spec) -> None:
    assert_going_on_is_exact(main, tmp_path, small)


@pytest.mark.parametrize(("main", "small"), PROGRAMS, ids=["multitask", "plates"])
def test_an_unknown_key_is_a_wrong_spec_and_a_near_miss_is_named(tmp_path: Path, main: Main, small: Spec) -> None:
    assert train(main, tmp_path, small, train={"optimzer": "sgd"}) == 2
    assert "did you mean 'train.optimizer'" in failure(tmp_path)
