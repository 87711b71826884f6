"""The default study, as `automl init` writes it, with its real trainings in the pods of a real Argo."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from automl.operations.verify import verify
from automl.stores import open_store
from tests.cluster.clusters import BRAIN, Images, begun, command, ended, nodes, outputs, replayed, trainings
from tests.cluster.trainer_image import TrainerImage, trainer_image


@pytest.fixture(scope="module")
def trainer(images: Images, tmp_path_factory: pytest.TempPathFactory) -> TrainerImage:
    return trainer_image(tmp_path_factory.mktemp("trainer"))


def submitted(folder: Path, study: dict[str, Any], trainer: TrainerImage, memory: str) -> str:
    """The name of the workflow of this study, whose trainings run in the trainer's image."""
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    cluster = {"brain_image": BRAIN, "endpoint": endpoint, "cpu": 0.1, "memory": memory, **trainer.settings}
    (folder / "there.yaml").write_text(yaml.safe_dump({**study, "cluster": cluster}))
    command("automl", "compile", str(folder / "there.yaml"), "-o", str(folder / "workflow.yaml"))
    return begun("submit", str(folder / "workflow.yaml"))


def test_the_default_study_trains_in_pods_and_replays(trainer: TrainerImage, tmp_path: Path, bucket: str) -> None:
    torch = pytest.importorskip("torch")
    command("automl", "init", str(tmp_path / "default.yaml"))
    study = yaml.safe_load((tmp_path / "default.yaml").read_text())
    assert (study["network"], study["algorithm"], study["R"]) == ("fashion_mnist", "hyperband", 9)
    study["final"] = {"candidates": 1, "repeats": 1}  # the whole race takes longer than the search
    study["run"] = {"store": bucket, "jobs": 3}
    workflow = ended(submitted(tmp_path, study, trainer, "1Gi"))
    assert workflow["status"]["phase"] == "Succeeded"

    there = open_store(bucket)
    opened = replayed(there)
    assert verify(opened, lambda _part: None).findings.problems == []
    assert [rung.size for rung in opened.definition.plan.search[0].rungs] == [9, 3, 1, 3, 1]
    assert len(trainings(there)) == len(there.list("results/")) == 17 + opened.definition.plan.finals[0].runs
    assert len(nodes(workflow, "turn", "DAG")) == 17
    best = json.loads(outputs(workflow)["best"])
    assert best["value"] > 0.6  # of ten classes: it has learned
    (checkpoint,) = [key for key in there.list("best_model/") if key.endswith(".pt")]
    assert there.fetch(checkpoint, tmp_path / "best.pt")
    assert torch.load(tmp_path / "best.pt", weights_only=True)


def test_a_network_of_the_extra_trainers_trains_in_the_same_image(
    trainer: TrainerImage, tmp_path: Path, bucket: str
) -> None:
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
    }
    workflow = ended(submitted(tmp_path, study, trainer, "2Gi"))
    assert workflow["status"]["phase"] == "Succeeded"
    found = sorted(Path(key).suffix for key in open_store(bucket).list("best_model/checkpoint"))
    assert found == [".png", ".pt"]
