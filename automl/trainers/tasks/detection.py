"""What all detectors of torchvision have in common as tasks: their losses, their judgement, and a picture of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, from_numpy, nn
from torchmetrics.detection import MeanAveragePrecision
from torchvision.utils import draw_bounding_boxes

from automl.trainers.pictures.instances import Target, on_cpu
from automl.trainers.pictures.strips import MOST, compared, shown
from automl.trainers.tasks.base import Task

_SURE = 0.5  # what is less sure is not drawn; it counts in the metric all the same


class Detection(Task):
    """A batch: a list of pictures (3, h, w) and a list of targets (instances.Target).

    judged_by: `bbox` judges the boxes, `segm` the masks.
    """

    metric = "map50"

    def __init__(self, network: nn.Module, judged_by: Literal["bbox", "segm"]) -> None:
        super().__init__(network)
        self._judged_by = judged_by
        self.precision = MeanAveragePrecision(iou_type=judged_by, iou_thresholds=[0.5], backend="pycocotools")
        self._panels: list[NDArray[np.uint8]] = []
        self._begun = False  # with what `metrics` gives next

    def training_loss(self, batch: tuple[list[Tensor], list[Target]]) -> Tensor:
        images, targets = batch
        losses: dict[str, Tensor] = self.network(images, targets)
        return sum(losses.values(), start=images[0].new_zeros(()))

    def judge(self, batch: tuple[list[Tensor], list[Target]]) -> None:
        images, targets = batch
        predictions = self.network(images)
        if self._judged_by == "segm":
            predictions = [{**prediction, "masks": prediction["masks"][:, 0] > 0.5} for prediction in predictions]
            targets = [{**target, "masks": target["masks"].bool()} for target in targets]
        predictions, targets = on_cpu(predictions), on_cpu(targets)
        self.precision.update(predictions, targets)
        if not self._begun:
            self._begun = True
            self._panels = self._drawn(images[0], targets[0], predictions[0])

    def metrics(self) -> Mapping[str, float]:
        """map50: the average precision at an overlap of 0.5 (VOC, COCO), the mean over the classes that are there."""
        metrics = {"map50": float(self.precision.compute()["map_50"])}
        self.precision.reset()
        self._begun = False
        return metrics

    def picture(self) -> list[NDArray[np.uint8]]:
        return self._panels

    def _drawn(self, image: Tensor, truth: Target, prediction: Target) -> list[NDArray[np.uint8]]:
        sure = {name: values[prediction["scores"] >= _SURE] for name, values in prediction.items()}
        if self._judged_by == "segm":
            return [shown(image), *compared(_flat(truth["masks"]), _flat(sure["masks"]))]
        return [_boxed(image, truth), _boxed(image, sure)]


def _flat(masks: Tensor) -> NDArray[np.int64]:
    """1 where any of the masks (n, h, w) is."""
    flat: NDArray[np.int64] = masks.any(0).long().numpy()
    return flat


_COLOURS = ("red", "lime", "deepskyblue", "yellow", "magenta", "orange", "cyan", "white", "pink", "brown")


def _boxed(image: Tensor, target: Target) -> NDArray[np.uint8]:
    """The picture with its boxes, a colour for each class; enlarged three times, so that lines are thin."""
    pixels = shown(image).repeat(3, 0).repeat(3, 1)[: 3 * MOST, : 3 * MOST]
    colours = [_COLOURS[(int(label) - 1) % len(_COLOURS)] for label in target["labels"]]
    if not colours:
        return pixels
    whole = from_numpy(pixels.transpose(2, 0, 1).copy())
    drawn = draw_bounding_boxes(whole, (3 * target["boxes"]).round(), colors=colours)
    return np.ascontiguousarray(drawn.numpy().transpose(1, 2, 0))
