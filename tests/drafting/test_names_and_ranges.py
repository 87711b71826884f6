"""What a setting is by its name, and what range it gets by its name and value."""

from __future__ import annotations

from typing import Any

import pytest

from automl.drafting.names import Role, role
from automl.drafting.ranges import guess
from automl.problem.search_space import Parameter

ROLES = {
    "epochs": Role.EPOCHS,
    "num_train_epochs": Role.EPOCHS,
    "trainer.max_epochs": Role.EPOCHS,
    "n-epochs": Role.EPOCHS,
    "numEpochs": Role.EPOCHS,
    "EPOCHS": Role.EPOCHS,
    "seed": Role.SEED,
    "random-state": Role.SEED,
    "seed_everything": Role.SEED,
    "output_dir": Role.RESULTS,
    "save-dir": Role.RESULTS,
    "workdir": Role.RESULTS,
    "trainer.default_root_dir": Role.RESULTS,
    "resume": Role.CHECKPOINT,
    "ckpt_path": Role.CHECKPOINT,
    "WANDB_API_KEY": Role.SECRET,
    "hf-token": Role.SECRET,
    "AWS_SECRET_ACCESS_KEY": Role.SECRET,
    "password": Role.SECRET,
    "num-workers": Role.FIXED,
    "log_interval": Role.FIXED,
    "test-batch-size": Role.FIXED,
    "data_dir": Role.FIXED,
    "gpus": Role.FIXED,
    "lr": None,
    "weight_decay": None,
    "batch-size": None,
    "optimizer.beta1": None,
    "hidden_size": None,
    "epsilon": None,
}


@pytest.mark.parametrize(("name", "expected"), ROLES.items())
def test_the_role_of_a_name(name: str, expected: Role | None) -> None:
    assert role(name) is expected


def test_a_file_is_no_folder_and_a_text_is_no_number_of_epochs() -> None:
    assert role("save", "model.pt") is None
    assert role("output", "model.pt") is not Role.RESULTS
    assert role("output", "runs/a") is Role.RESULTS
    assert role("epochs", "many") is not Role.EPOCHS


RANGES: dict[tuple[str, Any], dict[str, Any] | None] = {
    ("lr", 0.001): {"low": 1e-5, "high": 0.01, "log": True, "default": 0.001},
    ("learning_rate", 5e-5): {"low": 1e-6, "high": 1e-3, "log": True, "default": 5e-5},
    ("lr", 1.0): {"low": 0.01, "high": 10.0, "log": True, "default": 1.0},
    ("lr", 0.5): {"low": 0.01, "high": 1.0, "log": True, "default": 0.5},
    ("lr", None): {"low": 1e-5, "high": 0.1, "log": True},
    ("lr", 0): None,
    ("weight-decay", 0.0): {"options": [0.0, 1e-5, 1e-4, 1e-3, 1e-2], "default": 0.0},
    ("wd", 1e-4): {"low": 1e-6, "high": 0.01, "log": True, "default": 1e-4},
    ("momentum", 0.9): {"low": 0.0, "high": 0.99, "default": 0.9},
    ("dropout", 0.1): {"low": 0.0, "high": 0.5, "default": 0.1},
    ("dropout", 0.7): {"low": 0.0, "high": 1.0, "default": 0.7},
    ("adam_beta2", 0.999): {"low": 0.8, "high": 0.9999, "default": 0.999},
    ("gamma", 0.7): {"low": 0.7, "high": 0.9999, "default": 0.7},
    ("batch-size", 32): {"options": [8, 16, 32, 64, 128], "default": 32},
    ("per_device_train_batch_size", 1): {"options": [1, 2, 4], "default": 1},
    ("batch_size", 100): {"options": [32, 64, 100, 128, 256, 512], "default": 100},
    ("hidden_size", 128): {"options": [32, 64, 128, 256, 512], "default": 128},
    ("num_layers", 3): {"low": 1, "high": 6, "default": 3},
    ("alpha", 0.3): {"low": 0.0, "high": 1.0, "default": 0.3},
    ("tau", 5): {"low": 1, "high": 20, "default": 5},
    ("n_estimators", 100): {"low": 25, "high": 400, "log": True, "default": 100},
    ("flip", True): None,
    ("arch", "resnet18"): None,
}


@pytest.mark.parametrize(("given", "row"), RANGES.items(), ids=str)
def test_the_range_of_a_name_and_a_value(given: tuple[str, Any], row: dict[str, Any] | None) -> None:
    found = guess(*given)
    assert (None if found is None else dict(found.row)) == row


@pytest.mark.parametrize("name", ["lr", "weight_decay", "momentum", "beta", "dropout", "batch_size", "depth", "x"])
@pytest.mark.parametrize("value", [1, 2, 7, 64, 1000, 1e-9, 0.0, 0.5, 0.99, 1.0, 1.5, 1e6, None])
def test_every_range_is_one_that_a_study_can_have(name: str, value: float | None) -> None:
    found = guess(name, value)
    if found is not None:
        kind = "ordered" if "options" in found.row else "float"
        parameter = Parameter.from_mapping(name, {"type": kind, **found.row})
        assert value is None or parameter.default == value


@pytest.mark.parametrize("name", ["lr", "weight_decay", "momentum", "batch_size", "depth", "x"])
@pytest.mark.parametrize(
    "value", [[1], (1, 2), {"a": 1}, "text", True, b"1", 1j, float("nan"), float("inf"), 10**400, -1]
)
def test_a_default_that_is_no_usual_number_gets_no_range(name: str, value: Any) -> None:
    assert guess(name, value) is None


def test_choices_are_options_and_numbers_where_they_are() -> None:
    found = guess("opt", "adam", ("sgd", "adam"))
    assert found is not None
    assert found.row == {"options": ["sgd", "adam"], "default": "adam"}
    found = guess("size", 2, ("1", "2"))
    assert found is not None
    assert found.row == {"options": [1, 2], "default": 2}
