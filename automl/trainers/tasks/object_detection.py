"""Boxes and classes of objects: the detector and the pictures. Needs torchvision and Lightning."""

from __future__ import annotations

from pathlib import Path

from automl.trainers.object_detection import Settings
from automl.trainers.pictures import coco_pictures
from automl.trainers.pictures.instances import collate
from automl.trainers.pictures.scenes import Scenes
from automl.trainers.tasks.base import Parts, Task
from automl.trainers.tasks.detection import Detection
from automl.trainers.tasks.detectors import DETECTORS, Shape


def prepare(settings: Settings) -> tuple[Task, Parts]:
    """The network with its first weights, and the pictures. Raises SpecError."""
    data, model = settings.data, settings.model
    if data.path is None:
        classes, parts = data.classes, _scenes(settings)
    else:
        pictures = coco_pictures.parts(Path(data.path), masks=False, flips=data.flips)
        classes = len(pictures.train.classes)
        parts = Parts(
            pictures.train, pictures.validation, pictures.held_out, pictures.digest, collate, judged_at_once=4
        )
    size = (data.scene if data.path is None else 320) if model.size is None and model.name == "ssdlite" else model.size
    shape = Shape(
        classes,
        backbone=model.backbone,
        channels=model.channels,
        head=model.head,
        proposals=model.proposals,
        anchor=model.anchor,
        size=size,
    )
    return Detection(DETECTORS[model.name](shape), "bbox"), parts


def _scenes(settings: Settings) -> Parts:
    data = settings.data
    few = max(1, data.scenes // 4)
    train = Scenes("train", count=data.scenes, size=data.scene, classes=data.classes, flips=data.flips)
    validation, held_out = (
        Scenes(part, count=few, size=data.scene, classes=data.classes) for part in ("validation", "held_out")
    )
    return Parts(train, validation, held_out, train.digest(), collate, judged_at_once=16)
