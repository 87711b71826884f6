"""A small network for 28 x 28 pictures and its training loop: the file of the default example that needs torch.

Everything drawn in epoch n (the order of the pictures, dropout) comes from (seed, n) alone, so a run that goes on from
a checkpoint is, on one CPU thread, the same to the bit as one that was never stopped.
"""

from __future__ import annotations

import hashlib
import math
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automl import training
from automl.errors import SpecError
from automl.trainers.failures import CheckpointFileError, Diverged
from automl.trainers.loop.checkpoints import TrainingState
from automl.trainers.loop.learning_rates import SCHEDULES
from automl.trainers.loop.machine import epoch_seed
from automl.trainers.loop.update_rules import SGD, AdamW, UpdateRule
from automl.trainers.settings.fashion_mnist import PACKAGED_DATA, Settings
from automl.trainers.settings.train import Train, identity

CLASSES = 10
_PARTS = ("train", "validation", "held_out")
_EVALUATION_BATCH = 500  # pictures in a forward pass without gradients


class Part(NamedTuple):
    """images: float32 (n, 1, 28, 28), normalised. labels: int64 (n,)."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Pictures:
    """The three parts on the device. digest: sha256 of the training pictures and labels as they lie in the file."""

    train: Part
    validation: Part
    held_out: Part
    digest: str


def load_pictures(path: str | None, limit: int | None, device: torch.device) -> Pictures:
    """Reads the .npz file (None: the packaged one), normalised by mean and deviation of its training pictures.

    Raises SpecError when the file is missing or holds something else.
    """
    file_path = Path(path) if path else PACKAGED_DATA
    allowed = "an .npz file as scripts/make_fashion_mnist.py makes it"
    try:
        with file_path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: (file[f"{name}_images"], file[f"{name}_labels"]) for name in _PARTS}
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise SpecError(f"the data file {file_path} cannot be read ({error})", allowed=allowed) from error
    for name, (images, labels) in arrays.items():
        if images.dtype != np.uint8 or images.shape != (len(labels), 28, 28) or not 0 <= labels.max() < CLASSES:
            raise SpecError(f"the data file {file_path} has {name} pictures of another kind", allowed=allowed)
    images, labels = arrays["train"][0][:limit], arrays["train"][1][:limit]
    arrays["train"] = (images, labels)
    mean, deviation = float(images.mean()), float(images.std())
    parts = {name: _part(*both, mean, deviation, device) for name, both in arrays.items()}
    return Pictures(**parts, digest=hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest())


def _part(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], mean: float, deviation: float, device: torch.device
) -> Part:
    pixels = torch.from_numpy(images).to(device).unsqueeze(1).float().sub_(mean).div_(deviation)
    return Part(pixels, torch.from_numpy(labels).to(device).long())


def convnet(width: int, dropout: float) -> nn.Sequential:
    """Three times 3x3 convolution, batch normalisation, ReLU and 2x2 maximum; then dropout and a linear layer.

    Takes (n, 1, 28, 28), gives logits (n, 10).
    """
    layers: list[nn.Module] = []
    for before, after in ((1, width), (width, 2 * width), (2 * width, 4 * width)):
        layers += [
            nn.Conv2d(before, after, 3, padding=1, bias=False),  # no bias: the normalisation takes it away again
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), nn.Linear(4 * width * 3 * 3, CLASSES))


class Training:
    """A network in training, one epoch at a time. `epoch` epochs are finished; `metrics` are those of the last one."""

    def __init__(self, settings: Settings, pictures: Pictures, device: torch.device) -> None:
        self.epoch = 0
        self.metrics: dict[str, float] = {}
        self._settings, self._pictures, self._device = settings, pictures, device
        self._steps = len(pictures.train.labels) // settings.train.batch_size  # an incomplete last batch is left out
        if self._steps == 0:
            raise SpecError(
                f"train.batch_size is {settings.train.batch_size}, more than there are training pictures",
                allowed=f"2 to {len(pictures.train.labels)}",
            )
        torch.manual_seed(epoch_seed(settings.train.seed, 0))
        self._network = convnet(settings.model.width, settings.model.dropout).to(
            device=device,
            memory_format=torch.channels_last,  # type: ignore[call-overload]  # missing in torch's stub; a third less time
        )
        self._rule = _update_rule(settings.train, self._network)

    def train_epoch(self, stop: Callable[[], bool]) -> None:
        """Trains one epoch and evaluates. Raises Diverged, and Preempted when `stop()` is true at a batch's end."""
        settings, pictures = self._settings.train, self._pictures.train
        torch.manual_seed(epoch_seed(settings.seed, self.epoch + 1))  # for dropout, on every device
        order = torch.randperm(len(pictures.labels)).to(self._device)
        schedule = SCHEDULES[settings.schedule]
        self._network.train()
        total = 0.0
        for step in range(self._steps):
            rows = order[step * settings.batch_size : (step + 1) * settings.batch_size]
            loss = nn.functional.cross_entropy(self._network(pictures.images[rows]), pictures.labels[rows])
            self._network.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            self._rule.step(
                schedule(settings.lr, self.epoch * self._steps + step, settings.schedule_epochs * self._steps)
            )
            total += loss.item()
            if stop():
                raise training.Preempted(f"stopped in epoch {self.epoch + 1}; run again to resume")
            if not math.isfinite(total):
                break
        self._finish_epoch(total / self._steps)

    def _finish_epoch(self, train_loss: float) -> None:
        accuracy, loss = self.evaluate(self._pictures.validation) if math.isfinite(train_loss) else (math.nan, math.nan)
        self.epoch += 1
        if not math.isfinite(loss):
            accuracy = math.nan  # the class of a NaN is a guess, not a prediction
        self.metrics = {"val_accuracy": accuracy, "val_loss": loss, "train_loss": train_loss}
        if not math.isfinite(loss):
            raise Diverged(self.epoch, self.metrics)

    def held_out_accuracy(self) -> float:
        """Share of the held-out pictures that is classified rightly."""
        return self.evaluate(self._pictures.held_out)[0]

    @torch.inference_mode()
    def evaluate(self, part: Part) -> tuple[float, float]:
        """Accuracy and mean cross entropy on a part."""
        self._network.eval()
        right, loss = 0, 0.0
        for start in range(0, len(part.labels), _EVALUATION_BATCH):
            images, labels = (tensor[start : start + _EVALUATION_BATCH] for tensor in part)
            logits = self._network(images)
            right += int((logits.argmax(1) == labels).sum())
            loss += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
        return right / len(part.labels), loss / len(part.labels)

    def identity(self) -> dict[str, int | float | str | None]:
        """What must be the same when a run goes on from a checkpoint."""
        return identity(self._settings, self._pictures.digest)

    def checkpoint(self) -> TrainingState:
        """The state now; it shares its tensors, so write it before the next epoch."""
        return TrainingState(self.epoch, self.identity(), self.metrics, self._network.state_dict(), self._rule.state())

    def restore(self, checkpoint: TrainingState) -> None:
        """Takes over a checkpoint of this training. Raises CheckpointFileError."""
        try:
            self._network.load_state_dict(dict(checkpoint.network))
            self._rule.restore(checkpoint.update_rule)
        except (KeyError, RuntimeError) as error:
            raise CheckpointFileError(
                f"the checkpoint of epoch {checkpoint.epoch} does not fit the network ({error})",
                advice="start with an empty results folder and train.resume_from null",
            ) from error
        self.epoch, self.metrics = checkpoint.epoch, dict(checkpoint.metrics)


def _update_rule(settings: Train, network: nn.Module) -> UpdateRule:
    if settings.optimizer == "sgd":
        return SGD(network.parameters(), momentum=settings.momentum, weight_decay=settings.weight_decay)
    return AdamW(network.parameters(), weight_decay=settings.weight_decay)
