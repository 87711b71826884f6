"""The default study, as `automl init` writes it, with its real trainings in the pods of a real Argo."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from automl.stores import open_store

from .clusters import BRAIN, begun, command, decisions, ended, outputs
from .trainer_image import trainer_image


@pytest.mark.usefixtures("images")
def test_the_default_study_trains_in_pods_and_decides_as_here(tmp_path: Path, bucket: str) -> None:
    torch = pytest.importorskip("torch")
    image = trainer_image(tmp_path)
    command("automl", "init", str(tmp_path / "here.yaml"))
    study = yaml.safe_load((tmp_path / "here.yaml").read_text())
    assert (study["network"], study["algorithm"], study["R"]) == ("fashion_mnist", "hyperband", 9)
    study["run"] = {"store": bucket, "jobs": 3}
    study["cluster"] = {
        "brain_image": BRAIN,
        "image": image,
        "endpoint": os.environ["AWS_ENDPOINT_URL"],
        "cpu": 0.1,
        "memory": "1Gi",
    }
    (tmp_path / "there.yaml").write_text(yaml.safe_dump(study))
    command("automl", "compile", str(tmp_path / "there.yaml"), "-o", str(tmp_path / "workflow.yaml"))
    name = begun("submit", str(tmp_path / "workflow.yaml"))
    command("automl", "run", str(tmp_path / "here.yaml"), "--jobs", "1")  # while the cluster trains
    workflow = ended(name)
    assert workflow["status"]["phase"] == "Succeeded"

    here, there = open_store(str(tmp_path / study["name"])), open_store(bucket)
    assert decisions(there) == decisions(here)
    assert len(decisions(there)) == 6
    best = json.loads(outputs(workflow)["best"])
    assert best["value"] > 0.6  # of ten classes: it has learned
    (checkpoint,) = [key for key in there.list("best_model/") if key.endswith(".pt")]
    assert there.fetch(checkpoint, tmp_path / "best.pt")
    assert there.get(checkpoint) == here.get(checkpoint)
    assert torch.load(tmp_path / "best.pt", weights_only=True)


@pytest.mark.usefixtures("images")
def test_a_network_of_the_extra_trainers_trains_in_the_same_image(tmp_path: Path, bucket: str) -> None:
    image = trainer_image(tmp_path)
    small = {"model.name": "faster_rcnn", "model.backbone": "test_resnet", "model.channels": 16, "model.head": 16}
    study = {
        "name": "detectors",
        "network": "object_detection",
        "algorithm": "random",
        "max_recommendations": 2,
        "max_epochs": 1,
        "remove_default_automl_parameters": ["train.batch_size"],
        "train_spec": {**small, "train.batch_size": 2, "data.scenes": 8, "data.scene": 64, "data.classes": 2},
        "final": {"repeats": 0},
        "run": {"store": bucket, "jobs": 2},
        "cluster": {
            "brain_image": BRAIN,
            "image": image,
            "endpoint": os.environ["AWS_ENDPOINT_URL"],
            "cpu": 0.1,
            "memory": "2Gi",
        },
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    command("automl", "compile", str(tmp_path / "study.yaml"), "-o", str(tmp_path / "workflow.yaml"))
    workflow = ended(begun("submit", str(tmp_path / "workflow.yaml")))
    assert workflow["status"]["phase"] == "Succeeded"
    found = sorted(Path(key).suffix for key in open_store(bucket).list("best_model/checkpoint"))
    assert found == [".png", ".pt"]
