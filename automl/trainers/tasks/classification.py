"""One class for a picture: the loss and the judgement, and the pictures. Needs timm and Lightning."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

from automl.trainers.classification import Settings
from automl.trainers.pictures.augmentation import as_numbers, augmented
from automl.trainers.pictures.picture_data import classified
from automl.trainers.tasks.base import Parts, Task
from automl.trainers.tasks.timm_networks import network


class Classification(Task):
    """A batch: pictures, uint8 (n, channels, size, size), and their classes (n,)."""

    def __init__(self, settings: Settings, *, channels: int, classes: int) -> None:
        super().__init__(network(settings.model, channels=channels, classes=classes))
        self._settings = settings
        self.accuracy, self.loss = MulticlassAccuracy(classes, average="micro"), MeanMetric()

    def training_loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, labels = batch
        logits = self.network(augmented(as_numbers(images), self._settings.augment))
        return nn.functional.cross_entropy(logits, labels, label_smoothing=self._settings.train.label_smoothing)

    def judge(self, batch: tuple[Tensor, Tensor]) -> None:
        images, labels = batch
        logits = self.network(as_numbers(images))
        self.accuracy.update(logits, labels)
        self.loss.update(nn.functional.cross_entropy(logits, labels), len(labels))

    def metrics(self) -> Mapping[str, float]:
        metrics = {"accuracy": float(self.accuracy.compute()), "loss": float(self.loss.compute())}
        self.accuracy.reset()
        self.loss.reset()
        return metrics


def prepare(settings: Settings) -> tuple[Task, Parts]:
    """The network with its first weights, and the pictures. Raises SpecError."""
    data = classified(settings.data, settings.model.image_size)
    task = Classification(settings, channels=data.channels, classes=len(data.classes))
    return task, Parts(data.train, data.validation, data.held_out, data.digest)
