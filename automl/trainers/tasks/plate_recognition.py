"""Reading a plate: network, loss, judgement, data. Needs Lightning and Pillow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset
from torchmetrics import MeanMetric, SumMetric
from torchmetrics.functional.text import edit_distance

from automl.errors import SpecError
from automl.trainers.loop.data_digest import digest_of_arrays
from automl.trainers.pictures.augmentation import as_numbers
from automl.trainers.pictures.labels_table import NAME, LabelsTable, read_table
from automl.trainers.pictures.picture_files import read_pixels
from automl.trainers.pictures.plate_drawing import DIGITS, LETTERS, drawn_plates
from automl.trainers.plate_recognition import Model, Settings
from automl.trainers.tasks.base import Parts, Task

_TEXT = "text"  # the column of the table of labels


class CRNN(nn.Module):
    """Plates (n, 1, height, width) to the logarithms of probabilities (steps, n, characters + 1), float32; 0 is blank.

    Three blocks of convolution, of which the first two halve the width, a recurrent layer in both directions, and a
    linear layer: Shi et al. 2015, An End-to-End Trainable Neural Network for Image-based Sequence Recognition.
    """

    def __init__(self, settings: Model, characters: int) -> None:
        super().__init__()
        widths = [1, *(settings.channels * factor for factor in (1, 2, 4))]
        blocks: list[nn.Module] = []
        for before, after, pool in zip(widths, widths[1:], ((2, 2), (2, 2), (2, 1)), strict=False):
            blocks += [
                nn.Conv2d(before, after, 3, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(pool),
            ]
        self.convolutions = nn.Sequential(*blocks)
        features = widths[-1] * (settings.height // 8)
        self.recurrent = nn.GRU(features, settings.recurrent, bidirectional=True)
        self.dropout = nn.Dropout(settings.dropout)
        self.last = nn.Linear(2 * settings.recurrent, characters + 1)

    def forward(self, plates: Tensor) -> Tensor:
        columns = self.convolutions(plates).flatten(1, 2).permute(2, 0, 1)
        read, _ = self.recurrent(columns)
        scores: Tensor = self.last(self.dropout(read))
        return scores.float().log_softmax(2)


class Plates(Dataset[tuple[Tensor, str]]):
    """plates: uint8 (n, height, width)."""

    def __init__(self, plates: Tensor, texts: Sequence[str]) -> None:
        self.plates, self.texts = plates, texts

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> tuple[Tensor, str]:
        return self.plates[index].unsqueeze(0), self.texts[index]


class PlateRecognition(Task):
    """A batch: plates, uint8 (n, 1, height, width), and their n texts."""

    metric = "plate_accuracy"

    def __init__(self, settings: Settings, alphabet: str) -> None:
        super().__init__(CRNN(settings.model, len(alphabet)))
        self._alphabet = alphabet
        self.right, self.loss = MeanMetric(), MeanMetric()
        self.edits, self.characters = SumMetric(), SumMetric()

    def training_loss(self, batch: tuple[Tensor, Sequence[str]]) -> Tensor:
        plates, texts = batch
        return self._loss(self.network(as_numbers(plates)), texts)

    def judge(self, batch: tuple[Tensor, Sequence[str]]) -> None:
        plates, texts = batch
        read = self.network(as_numbers(plates))
        said = self._decoded(read)
        self.loss.update(self._loss(read, texts), len(texts))
        self.right.update(sum(map(str.__eq__, said, texts)) / len(texts), len(texts))
        self.edits.update(edit_distance(said, list(texts), reduction="sum"))
        self.characters.update(sum(map(len, texts)))

    def _loss(self, read: Tensor, texts: Sequence[str]) -> Tensor:
        targets = torch.tensor([1 + self._alphabet.index(character) for text in texts for character in text])
        lengths = torch.tensor([len(text) for text in texts])
        steps = torch.full((len(texts),), read.shape[0])
        return nn.functional.ctc_loss(read, targets.to(read.device), steps, lengths, zero_infinity=True)

    def _decoded(self, read: Tensor) -> list[str]:
        """The likeliest character of every step, repeats and blanks left out."""
        rows = read.argmax(2).T.tolist()
        return [
            "".join(self._alphabet[at - 1] for at, before in zip(row, [0, *row], strict=False) if at not in {0, before})
            for row in rows
        ]

    def metrics(self) -> Mapping[str, float]:
        errors = float(self.edits.compute()) / float(self.characters.compute())
        metrics = {
            "plate_accuracy": float(self.right.compute()),
            "character_accuracy": max(0.0, 1.0 - errors),  # more edits than characters are possible
            "loss": float(self.loss.compute()),
        }
        for metric in (self.right, self.loss, self.edits, self.characters):
            metric.reset()
        return metrics


def prepare(settings: Settings) -> tuple[Task, Parts]:
    """The network with its first weights, and the plates. Raises SpecError."""
    data, limit = settings.data, settings.data.limit
    size = (settings.model.width, settings.model.height)
    if data.path is None:
        train, others = min(data.plates, limit or data.plates), data.plates // 4
        alphabet, parts = LETTERS + DIGITS, {}
        for part, count in {"train": train, "validation": others, "held_out": others}.items():
            pictures, texts = drawn_plates(part, count, size, data.distortion)
            parts[part] = Plates(torch.from_numpy(pictures), texts)
        digest = digest_of_arrays(parts["train"].plates.numpy())
    else:
        table = read_table(Path(data.path), data.validation_share)
        table.parts["train"] = table.parts["train"][:limit]
        alphabet, parts = _of_table(table, Path(data.path), size)
        digest = table.digest
    task = PlateRecognition(settings, alphabet)
    return task, Parts(parts["train"], parts["validation"], parts.get("held_out"), digest)


def _of_table(table: LabelsTable, folder: Path, size: tuple[int, int]) -> tuple[str, dict[str, Plates]]:
    """The characters of the training part, and the parts, in memory. Raises SpecError."""
    if _TEXT not in table.columns:
        raise SpecError(f"{folder / NAME} has the labels {', '.join(table.columns)}", allowed=f"a column {_TEXT!r}")
    column, most = table.columns.index(_TEXT), size[0] // 4
    alphabet = "".join(sorted({character for row in table.parts["train"] for character in row.labels[column]}))
    parts = {}
    for part, rows in table.parts.items():
        for row in rows:
            text = row.labels[column]
            if unknown := sorted(set(text) - set(alphabet)):
                raise SpecError(
                    f"{folder / NAME}: {row.file.name} has the character {unknown[0]!r}, which no training plate has",
                    allowed=alphabet,
                )
            if len(text) + sum(map(str.__eq__, text, text[1:])) > most:  # a blank must stand between equal ones
                raise SpecError(
                    f"{folder / NAME}: {text!r} is too long for model.width {size[0]}",
                    advice="raise model.width: a character takes 4 pixels, and two equal ones take 12",
                )
        pictures = np.concatenate([read_pixels(row.file, size, "L") for row in rows])
        parts[part] = Plates(torch.from_numpy(pictures), [row.labels[column] for row in rows])
    return alphabet, parts
