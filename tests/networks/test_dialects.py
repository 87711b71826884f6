"""What the programs of TAO's thirteen networks, and of the newer ones, write is read to metric, epoch and checkpoint.

Each writes three epochs, into the results folder that its network file expects, in its own dialect: epochs from 0 or 1,
the metric on the line of the epoch, after it or before it, numbers as text, old values on later lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from automl.execution.steps.diagnosis import Ended
from automl.execution.steps.observe import Observer
from automl.execution.steps.stage_in import Launch, stage_in
from automl.networks import Network, load_network
from automl.search.history import Recommendation, Result
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.options import StudyFile
from automl.study.record import Record

EPOCHS = 3
VALUES = (0.25, 0.75, 0.5)  # of the metric, by epoch
Line = dict[str, Any]


def detectnet(metric: str) -> Iterable[Line]:
    """TF1's session hooks: epochs from 0, then the validation, which sticks to the next line; last the model's size."""
    yield {"status": "STARTED", "message": "Starting DetectNet_v2 Training job"}
    kpi: dict[str, float] = {}
    for epoch, value in enumerate(VALUES):
        yield {"epoch": epoch, "max_epoch": 3, "eta": "0:00:01.5", "graphical": {"loss": 0.1}, "kpi": kpi}
        kpi = {metric: value, "validation cost": 0.01}
        yield {"message": "Evaluation metrics generated.", "kpi": kpi, "categorical": {"average_precision": {"car": 1}}}
    yield {"status": "SUCCESS", "kpi": {"size": 42.9, "param_count": 11.2}}


def estimator(metric: str) -> Iterable[Line]:
    """TF1's estimators: epochs from 1, then the validation, which sticks."""
    kpi: dict[str, float] = {}
    for epoch, value in enumerate(VALUES, 1):
        yield {"epoch": epoch, "max_epoch": 3, "graphical": {"loss": 0.1, "learning_rate": 1e-3}, "kpi": kpi}
        kpi = {metric: value, "AP": value / 2}
        yield {"message": "Evaluation metrics generated.", "kpi": kpi}
    yield {"status": "SUCCESS", "message": "finished", "kpi": kpi}


def keras(metric: str) -> Iterable[Line]:
    """Epochs from 1, numbers as text on the line of the epoch; the validation before it has numbers."""
    for epoch, value in enumerate(VALUES, 1):
        numbers = {metric: str(value), "loss": "0.1", "learning_rate": "nan"}
        yield {"epoch": epoch, "max_epoch": 3, "time_per_epoch": "0:00:01", "graphical": numbers, "kpi": numbers}
    yield {"status": "SUCCESS", "message": "Training finished successfully."}


def keras_that_validates_on_its_own(metric: str) -> Iterable[Line]:
    """The line of the epoch has nan, and a line without an epoch follows."""
    for epoch, value in enumerate(VALUES, 1):
        yield {"epoch": epoch, "max_epoch": 3, "graphical": {"loss": "0.1"}, "kpi": {metric: "nan"}}
        yield {"message": "Evaluation metrics generated.", "graphical": {metric: value}, "kpi": {metric: value}}
    yield {"status": "SUCCESS", "message": "Training finished successfully."}


def unet(metric: str) -> Iterable[Line]:
    """Of the training alone."""
    for epoch, value in enumerate(VALUES, 1):
        yield {"epoch": epoch, "max_epoch": 3, "ETA": "0:01", "mini_batch_loss": 0.9, "graphical": {metric: value}}
    yield {"status": "SUCCESS", "message": "Unet training complete"}


def only_at_the_end(metric: str) -> Iterable[Line]:
    for epoch in (1, 2, 3):
        yield {"epoch": epoch, "max_epoch": 3, "graphical": {"loss": "0.1", "base_color_acc": "0.5"}, "kpi": {}}
    yield {"status": "SUCCESS", "message": "finished successfully", "kpi": {metric: VALUES[-1], "base_color": 0.6}}


def tf2(metric: str) -> Iterable[Line]:
    yield {"status": "STARTED", "message": "Starting training."}
    for epoch, value in enumerate(VALUES, 1):
        yield {"epoch": epoch, "max_epoch": 3, "graphical": {"loss": 0.1}}
        yield {"message": "Evaluation finished.", "kpi": {metric: value}}
    yield {"status": "RUNNING", "message": "Training finished successfully."}


def pytorch(metric: str) -> Iterable[Line]:
    """The validation, then the line of the epoch, from 0, which repeats it; the end is RUNNING."""
    yield {"status": "STARTED", "message": "Starting Training Loop."}
    yield {"status": "RUNNING", "message": "x" * 10_000}
    for epoch, value in enumerate(VALUES):
        yield {"message": "Eval metrics generated.", "kpi": {metric: value, "val_loss": 2.1}}
        yield {"epoch": epoch, "step": 25, "max_epoch": 2, "max_step": 75, "kpi": {metric: value, "val_loss": 2.1}}
        yield {"message": "Train metrics generated.", "kpi": {"train_loss": 1.9}}
    yield {"message": "Train finished successfully.", "kpi": {metric: VALUES[-1]}}


Dialect = Callable[[str], Iterable[Line]]
# name -> dialect; the checkpoint's files of epochs 2 and 3, below the results folder; what a program goes on from
CASES: dict[str, tuple[Dialect, list[str], list[str], str]] = {
    "detectnet_v2": (
        detectnet,
        ["model.epoch-2.ckzip", "model.epoch-2.hdf5"],
        ["model.epoch-3.ckzip", "model.epoch-3.hdf5"],
        "in place",
    ),
    "efficientdet": (estimator, ["model.epoch-2.tlt"], ["model.epoch-3.tlt"], "in place"),
    "faster_rcnn": (
        keras,
        ["frcnn_resnet_18.epoch_2.hdf5"],
        ["frcnn_resnet_18.epoch_3.hdf5"],
        "training_config.resume_from_model",
    ),
    "retinanet": (
        keras_that_validates_on_its_own,
        ["weights/retinanet_resnet18_epoch_002.hdf5"],
        ["weights/retinanet_resnet18_epoch_003.hdf5"],
        "training_config.resume_model_path",
    ),
    "ssd": (
        keras_that_validates_on_its_own,
        ["weights/ssd_resnet18_epoch_002.hdf5"],
        ["weights/ssd_resnet18_epoch_003.hdf5"],
        "--resume_model_weights {} --initial_epoch 4",
    ),
    "yolo3": (
        keras,
        ["weights/yolov3_resnet18_epoch_002.hdf5"],
        ["weights/yolov3_resnet18_epoch_003.hdf5"],
        "training_config.resume_model_path",
    ),
    "yolo4": (
        keras,
        ["weights/yolov4_resnet18_epoch_002.hdf5"],
        ["weights/yolov4_resnet18_epoch_003.hdf5"],
        "training_config.resume_model_path",
    ),
    "yolo4_tiny": (
        keras_that_validates_on_its_own,
        ["weights/yolov4_cspdarknet_tiny_epoch_002.hdf5"],
        ["weights/yolov4_cspdarknet_tiny_epoch_003.hdf5"],
        "training_config.resume_model_path",
    ),
    "mask_rcnn": (estimator, ["model.epoch-2.tlt"], ["model.epoch-3.tlt"], "in place"),
    "lprnet": (
        keras_that_validates_on_its_own,
        ["weights/lprnet_epoch-002.hdf5"],
        ["weights/lprnet_epoch-003.hdf5"],
        "--resume_model_weights {} --initial_epoch 4",
    ),
    "multiclass_classification": (
        keras,
        ["weights/resnet_002.hdf5"],
        ["weights/resnet_003.hdf5"],
        "--init_epoch 4",
    ),
    "multitask_classification": (
        only_at_the_end,
        ["weights/multitask_cls_resnet10_epoch_002.hdf5"],
        ["weights/multitask_cls_resnet10_epoch_003.hdf5"],
        "training_config.resume_model_path",
    ),
    "unet": (
        unet,
        ["model.epoch-2.tlt/checkpoint", "model.epoch-2.tlt/model.ckpt.data-00000-of-00001"],
        ["model.epoch-3.tlt/checkpoint", "model.epoch-3.tlt/model.ckpt.data-00000-of-00001"],
        "in place",
    ),
    "efficientdet_tf2": (
        tf2,
        ["train/efficientdet-d0_002.tlt"],
        ["train/efficientdet-d0_003.tlt"],
        "train.resume_training_checkpoint_path",
    ),
    "classification_pyt": (
        pytorch,
        ["train/model_epoch_001.pth"],
        ["train/model_epoch_002.pth"],
        "train.resume_training_checkpoint_path",
    ),
    "segformer": (
        pytorch,
        ["train/model_epoch_001_step_00050.pth"],
        ["train/model_epoch_002_step_00075.pth"],
        "train.resume_training_checkpoint_path",
    ),
}
# what else lies there, and is none
OTHERS = ("weights/model.hdf5", "weights/model.tlt/saved_model.pb", "train/model_latest.pth", "model.epoch-3.tlt.tmp")


def definition_of(network: Network) -> Definition:
    settings: dict[str, Any] = {"algorithm": "random", "max_recommendations": 2, "max_epochs": EPOCHS}
    if network.dataset.files or network.fields.dataset:
        settings["dataset"] = "/data"
    return Definition(StudyFile.model_validate({"name": "s", "network": network.name, **settings}), network)


def trained(
    record: Record, definition: Definition, folder: Path, lines: Iterable[Line], files: list[str]
) -> tuple[Launch, Observer, Result | None]:
    """A training of three epochs that ends well."""
    asked = Recommendation(0, {}, EPOCHS, EPOCHS, 7, "a test")
    launch = stage_in(record, definition, asked, 0, folder)
    for name in [*files, *OTHERS]:
        path = launch.results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    status = definition.network.status_rule.path or "status.json"
    path = launch.results / status.replace("**", "train")
    path.parent.mkdir(parents=True, exist_ok=True)
    common = {"date": "11/24/2026", "time": "9:5:1", "status": "RUNNING", "verbosity": "INFO"}
    path.write_text("".join(json.dumps(common | line) + "\n" for line in lines))
    observer = Observer(record, definition, asked, 0, launch)
    return launch, observer, observer.finish(Ended(0), 1.0)


@pytest.mark.parametrize("name", CASES)
def test_its_lines_and_checkpoints_are_read_to_metric_epoch_and_resume(name: str, tmp_path: Path) -> None:
    dialect, second, third, resume = CASES[name]
    network = load_network(name, Path("/nowhere"))
    definition, record = definition_of(network), Record(MemoryStore())
    _, observer, result = trained(record, definition, tmp_path / "a1", dialect(network.metric.name), second + third)
    assert result is not None
    assert result.failure is None, result.message
    expected = {3: VALUES[2]} if dialect is only_at_the_end else dict(enumerate(VALUES, 1))
    assert dict(result.history) == expected
    assert observer.follower.readings.bad_lines == 0
    assert result.value == VALUES[-1]
    best = max if network.metric.goal == "maximize" else min
    assert result.best_value == best(value for epoch, value in expected.items() if epoch > 1)  # of those saved
    assert result.last is not None
    manifest = record.manifest(result.last.manifest)
    assert manifest is not None
    assert (manifest.epoch, [file.name for file in manifest.files]) == (3, third)

    # and from there, in another folder
    promoted = Recommendation(0, {}, 6, 6, 7, "a test", resume_epoch=3)
    launch = stage_in(record, definition, promoted, 1, tmp_path / "a2")
    here = launch.folder / "resume" / third[0]
    assert launch.resume is not None
    assert launch.resume.epoch == 3
    if resume == "in place":
        assert all((launch.results / each).is_file() for each in third)
    elif resume.startswith("--"):
        assert resume.format(here) in " ".join(launch.argv)
    else:
        assert here.is_file()
        assert str(here) in next(launch.folder.glob("spec.*")).read_text()


def test_every_one_of_taos_thirteen_is_here() -> None:
    text = """detectnet_v2 efficientdet faster_rcnn retinanet ssd yolo3 yolo4 yolo4_tiny mask_rcnn lprnet
    multiclass_classification multitask_classification unet"""
    assert set(text.split()) <= set(CASES)
