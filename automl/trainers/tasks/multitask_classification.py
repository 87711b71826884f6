"""Several classes for a picture, one a task: network, loss, judgement, data. Needs timm and Lightning.

Without data of a user's own, a picture is two articles of Fashion-MNIST that overlap, and the tasks are which lies at
the top left and which at the bottom right: Multi-Fashion of Lin et al. 2019 (Pareto Multi-Task Learning), made as
MultiMNIST of Sabour et al. 2017.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassAccuracy

from automl.errors import SpecError
from automl.trainers.loop.data_digest import digest_of_arrays
from automl.trainers.multitask_classification import Settings
from automl.trainers.pictures.augmentation import as_numbers, augmented
from automl.trainers.pictures.labels_table import NAME, read_table
from automl.trainers.pictures.picture_data import FASHION, PictureFiles, PicturesInMemory, fashion_mnist, resized
from automl.trainers.tasks.base import Parts, Task
from automl.trainers.tasks.timm_networks import network

_CANVAS, _ARTICLE = 36, 28  # pixels in each direction
_Tasks = Mapping[str, tuple[str, ...]]  # name -> its classes


class BackboneWithHeads(nn.Module):
    """Pictures (n, channels, size, size) to logits, (n, classes) for each task, in order.

    log_variances: of the tasks' losses, learned where the loss uses them.
    """

    def __init__(self, backbone: nn.Module, example: Tensor, classes: list[int]) -> None:
        super().__init__()
        self.backbone = backbone.eval()
        with torch.no_grad():
            features = backbone(example).shape[1]
        self.heads = nn.ModuleList(nn.Linear(features, count) for count in classes)
        self.log_variances = nn.Parameter(torch.zeros(len(classes)))
        self.train()

    def forward(self, images: Tensor) -> list[Tensor]:
        features = self.backbone(images)
        return [head(features) for head in self.heads]


class MultitaskClassification(Task):
    """A batch: pictures, uint8 (n, channels, size, size), and the classes (n, tasks)."""

    metric = "mean_accuracy"

    def __init__(self, settings: Settings, tasks: _Tasks, channels: int) -> None:
        size, counts = settings.model.image_size, [len(classes) for classes in tasks.values()]
        backbone = network(settings.model, channels=channels, classes=0)
        super().__init__(BackboneWithHeads(backbone, torch.zeros(1, channels, size, size), counts))
        self._settings, self._names = settings, list(tasks)
        self._accuracies = [MulticlassAccuracy(count, average="micro") for count in counts]
        self.accuracies = nn.ModuleList(self._accuracies)  # so that they move to the device
        self.loss = MeanMetric()

    def training_loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, labels = batch
        losses = self._losses(self.network(augmented(as_numbers(images), self._settings.augment)), labels)
        variances = self.network.log_variances
        assert isinstance(variances, Tensor)
        if self._settings.train.balance == "equal":
            return losses.mean() + 0.0 * variances.sum()  # a parameter without a gradient is an error on many devices
        return (losses * torch.exp(-variances) + 0.5 * variances).mean()

    def judge(self, batch: tuple[Tensor, Tensor]) -> None:
        images, labels = batch
        logits = self.network(as_numbers(images))
        for task, accuracy in enumerate(self._accuracies):
            accuracy.update(logits[task], labels[:, task])
        self.loss.update(self._losses(logits, labels).mean(), len(labels))

    def _losses(self, logits: list[Tensor], labels: Tensor) -> Tensor:
        smoothing = self._settings.train.label_smoothing
        return torch.stack(
            [
                nn.functional.cross_entropy(
                    task_logits, labels[:, task], label_smoothing=smoothing if self.training else 0.0
                )
                for task, task_logits in enumerate(logits)
            ]
        )

    def metrics(self) -> Mapping[str, float]:
        accuracies = [float(accuracy.compute()) for accuracy in self._accuracies]
        loss = float(self.loss.compute())
        for metric in (*self._accuracies, self.loss):
            metric.reset()
        named = {f"accuracy_{name}": value for name, value in zip(self._names, accuracies, strict=True)}
        return {"mean_accuracy": sum(accuracies) / len(accuracies), "loss": loss, **named}


def prepare(settings: Settings) -> tuple[Task, Parts]:
    """The network with its first weights, and the pictures. Raises SpecError."""
    data = settings.data
    if data.path is None:
        tasks, channels, parts = _packaged(data.limit, settings.model.image_size)
    else:
        tasks, channels, parts = _of_folder(Path(data.path), settings)
    return MultitaskClassification(settings, tasks, channels), parts


def _packaged(limit: int | None, size: int) -> tuple[_Tasks, int, Parts]:
    drawn = {part: two_articles(part) for part in ("train", "validation", "held_out")}
    drawn["train"] = (drawn["train"][0][:limit], drawn["train"][1][:limit])
    digest = digest_of_arrays(*drawn["train"])
    parts = {
        part: PicturesInMemory(resized(torch.from_numpy(images), size), torch.from_numpy(labels))
        for part, (images, labels) in drawn.items()
    }
    tasks = {"top_left": FASHION, "bottom_right": FASHION}
    return tasks, 1, Parts(parts["train"], parts["validation"], parts["held_out"], digest)


def two_articles(part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures (n, 36, 36) and labels (n, 2), top left and bottom right; n as in the part of Fashion-MNIST.

    Every article stands once at either place. Where two overlap, the brighter pixel is seen. Partners are drawn by the
    part's name, the same for every training.
    """
    images, labels = fashion_mnist(part)
    partners = np.random.default_rng(list(part.encode())).permutation(len(labels))
    canvas = np.zeros((2, len(labels), _CANVAS, _CANVAS), np.uint8)
    canvas[0, :, :_ARTICLE, :_ARTICLE] = images
    canvas[1, :, -_ARTICLE:, -_ARTICLE:] = images[partners]
    return canvas.max(axis=0), np.stack([labels, labels[partners]], axis=1).astype(np.int64)


def _of_folder(folder: Path, settings: Settings) -> tuple[_Tasks, int, Parts]:
    table = read_table(folder, settings.data.validation_share)
    rows = table.parts["train"] = table.parts["train"][: settings.data.limit]
    tasks = {name: tuple(sorted({row.labels[at] for row in rows})) for at, name in enumerate(table.columns)}
    parts = {}
    for part, of_part in table.parts.items():
        for row in of_part:
            for (name, classes), label in zip(tasks.items(), row.labels, strict=True):
                if label not in classes:
                    raise SpecError(
                        f"{folder / NAME}: {row.file.name} has {name} {label!r}, which no training picture has",
                        allowed=", ".join(classes),
                    )
        labels = [
            [classes.index(label) for classes, label in zip(tasks.values(), row.labels, strict=True)] for row in of_part
        ]
        parts[part] = PictureFiles([row.file for row in of_part], torch.tensor(labels), settings.model.image_size)
    return tasks, 3, Parts(parts["train"], parts["validation"], parts.get("held_out"), table.digest)
