"""The pixels of every object: Mask R-CNN and the pictures. Needs torchvision and Lightning."""

from __future__ import annotations

from pathlib import Path

from automl.trainers.instance_segmentation import Settings
from automl.trainers.pictures import coco_pictures
from automl.trainers.pictures.crops import Crops, Source, Wholes
from automl.trainers.pictures.instances import Instances, collate
from automl.trainers.pictures.nuclei import Part, digest_of_nuclei, nuclei
from automl.trainers.tasks.base import Parts, Task
from automl.trainers.tasks.detection import Detection
from automl.trainers.tasks.detectors import Shape, mask_rcnn


def prepare(settings: Settings) -> tuple[Task, Parts]:
    """The network with its first weights, and the pictures. Raises SpecError."""
    data, model = settings.data, settings.model
    if data.path is None:
        classes = 1
        train = Crops([_kept("train")], count=data.crops, size=data.crop, changes=data.changes)
        validation, held_out = (Instances(Wholes([_kept(part)])) for part in ("validation", "held_out"))
        parts = Parts(Instances(train), validation, held_out, digest_of_nuclei(), collate, judged_at_once=1)
    else:
        pictures = coco_pictures.parts(Path(data.path), masks=True, flips=data.changes != "none")
        classes = len(pictures.train.classes)
        parts = Parts(
            pictures.train, pictures.validation, pictures.held_out, pictures.digest, collate, judged_at_once=1
        )
    shape = Shape(
        classes,
        backbone=model.backbone,
        channels=model.channels,
        head=model.head,
        proposals=model.proposals,
        anchor=model.anchor,
        size=model.size,
        standardised=data.path is None,
    )
    return Detection(mask_rcnn(shape), "segm"), parts


def _kept(part: Part) -> Source:
    """A packaged part, read once."""
    both = nuclei(part)
    return lambda: both
