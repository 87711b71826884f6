"""The networks of ours that classify and read are searched, with few pictures, and each search ends with its best."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from automl import strict_json

from ..command_line import automl

FEW = {"data.limit": 200, "train.batch_size": 32}
PLATES = {"data.plates": 96, "model.channels": 8, "model.recurrent": 16, "train.batch_size": 32}


@pytest.mark.parametrize(
    ("network", "spec", "metric"),
    [
        ("image_classification", FEW, "val_accuracy"),
        ("multitask_image_classification", FEW, "val_mean_accuracy"),
        ("plate_recognition", PLATES, "val_plate_accuracy"),
    ],
)
def test_a_search_ends_with_the_best_of_its_experiments(
    tmp_path: Path, network: str, spec: dict[str, object], metric: str
) -> None:
    study = {
        "name": "study",
        "network": network,
        "algorithm": "random",
        "max_recommendations": 2,
        "max_epochs": 2,
        "remove_default_automl_parameters": ["train.batch_size"],
        "train_spec": spec,
        "final": {"repeats": 0},
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    ran = automl("run", "study.yaml", "-j", "1", cwd=tmp_path)
    assert ran.code == 0, ran.err
    made = strict_json.load((tmp_path / "study" / "controller.json").read_bytes(), "controller.json")
    default, other = (each["results"][-1]["best_value"] for each in made["experiments"])
    best = strict_json.load((tmp_path / "study" / "best_model" / "manifest.json").read_bytes(), "manifest.json")
    assert best["metric"] == metric
    assert best["value"] == max(default, other) >= default
    assert automl("verify", "study", cwd=tmp_path).code == 0
