"""A class for every pixel: the U-Net, its losses and judgement, and the pictures. Needs smp and Lightning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import segmentation_models_pytorch as smp
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics import MeanMetric
from torchmetrics.classification import MulticlassJaccardIndex

from automl.errors import SpecError, nearest
from automl.trainers.loop.data_digest import digest_of_files
from automl.trainers.pictures.crops import Crops, Source, Wholes, checked
from automl.trainers.pictures.nuclei import digest_of_nuclei, nuclei
from automl.trainers.pictures.picture_files import pairs, read_mask, read_picture
from automl.trainers.pictures.strips import compared, shown
from automl.trainers.semantic_segmentation import Data, Model, Settings
from automl.trainers.tasks.base import Parts, Task


class SemanticSegmentation(Task):
    """A batch: pictures (n, 3, h, w), standardised, and the classes of their pixels (n, h, w)."""

    metric = "iou"

    def __init__(self, settings: Settings) -> None:
        kind, classes = settings.train.loss, settings.data.classes
        super().__init__(network(settings.model, outputs=classes + 1 if kind == "ce" else 1))
        self._loss, self._kind = LOSSES[kind], kind
        self.overlap, self.loss = MulticlassJaccardIndex(classes + 1, average="none", validate_args=False), MeanMetric()
        self._panels: list[NDArray[np.uint8]] = []
        self._begun = False  # with what `metrics` gives next

    def training_loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, classes = batch
        return self._loss(self.network(images), classes)

    def judge(self, batch: tuple[Tensor, Tensor]) -> None:
        images, classes = batch
        height, width = classes.shape[-2:]
        outputs = self.network(images)[..., :height, :width]
        predicted = outputs.argmax(1) if self._kind == "ce" else (outputs[:, 0] > 0).long()
        self.overlap.update(predicted, classes)
        self.loss.update(self._loss(outputs, classes), len(classes))
        if not self._begun:
            self._begun = True
            image = shown(images[0, :, :height, :width])
            self._panels = [image, *compared(classes[0].cpu().numpy(), predicted[0].cpu().numpy())]

    def metrics(self) -> Mapping[str, float]:
        """iou: the intersection over union of each class over all pixels that are judged, the mean without background.

        A class that is neither there nor found has none and counts as 0 (torchmetrics).
        """
        metrics = {"iou": float(self.overlap.compute()[1:].mean()), "loss": float(self.loss.compute())}
        self.overlap.reset()
        self.loss.reset()
        self._begun = False
        return metrics

    def picture(self) -> list[NDArray[np.uint8]]:
        return self._panels


def network(model: Model, *, outputs: int) -> nn.Module:
    """The U-Net of Ronneberger et al. (2015) with another encoder, as smp builds it. Raises SpecError."""
    names = smp.encoders.get_encoder_names()
    if model.encoder not in names and not model.encoder.startswith("tu-"):
        raise SpecError(
            f"model.encoder is {model.encoder!r}", allowed="an encoder of smp", advice=nearest(model.encoder, names)
        )
    of_timm = model.encoder.startswith("tu-")  # whose weights have no other name than the encoder's
    try:
        built: nn.Module = smp.Unet(
            model.encoder,
            encoder_depth=model.depth,
            encoder_weights=True if of_timm and model.pretrained else model.pretrained,
            decoder_channels=[model.width * 2**stage for stage in reversed(range(model.depth))],
            in_channels=3,
            classes=outputs,
        )
    except OSError as error:
        if model.pretrained is None:
            raise
        reason = str(error).partition("\n")[0]
        raise SpecError(
            f"model.pretrained is {model.pretrained!r}, and these weights of {model.encoder} cannot be had ({reason})",
            advice="set it to null, or try again where they can be downloaded",
        ) from error
    except (KeyError, ValueError, RuntimeError) as error:
        raise SpecError(f"smp cannot build the network ({error})", advice="see model.* in --help") from error
    return built


def bce(outputs: Tensor, classes: Tensor) -> Tensor:
    """Binary cross entropy of every pixel. outputs: (n, 1, h, w)."""
    return nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], (classes > 0).float())


def bce_and_dice(outputs: Tensor, classes: Tensor) -> Tensor:
    """With 1 - the Dice coefficient (Milletari et al. 2016) of the whole batch added."""
    truth, predicted = (classes > 0).float(), outputs[:, 0].sigmoid()
    dice = (2 * (truth * predicted).sum() + 1) / (truth.sum() + predicted.sum() + 1)
    return bce(outputs, classes) + 1 - dice


def ce(outputs: Tensor, classes: Tensor) -> Tensor:
    """Cross entropy of every pixel. outputs: (n, classes + 1, h, w). torch's own is not deterministic on a GPU."""
    likely = outputs.log_softmax(1)
    return -(likely * nn.functional.one_hot(classes, outputs.shape[1]).movedim(-1, 1)).sum(1).mean()


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"bce": bce, "bce+dice": bce_and_dice, "ce": ce}


def prepare(settings: Settings) -> tuple[Task, Parts]:
    """The network with its first weights, and the pictures. Raises SpecError."""
    data = settings.data
    if data.path is None:
        sources: dict[str, list[Source] | None] = {part: [_kept(part)] for part in ("train", "validation", "held_out")}
        digest = digest_of_nuclei()
    else:
        sources, digest = _of_folder(Path(data.path), data)
    train, validation, held_out = (sources[part] for part in ("train", "validation", "held_out"))
    assert train is not None
    assert validation is not None
    multiple = 2**settings.model.depth
    return SemanticSegmentation(settings), Parts(
        Crops(train, count=data.crops, size=data.crop, changes=data.changes),
        Wholes(validation, multiple=multiple),
        None if held_out is None else Wholes(held_out, multiple=multiple),
        digest,
        judged_at_once=1,  # they may be of several sizes
    )


def _kept(part: Any) -> Source:
    """A packaged part, read once; there is one class, so a nucleus's number is no matter."""
    image, numbers = nuclei(part)
    both = (image, (numbers > 0).astype(np.int64))
    return lambda: both


def _of_folder(folder: Path, data: Data) -> tuple[dict[str, list[Source] | None], str]:
    sources: dict[str, list[Source] | None] = {}
    digest = ""
    for part, name in (("train", "train"), ("validation", "val"), ("held_out", "test")):
        images, masks = folder / "images" / name, folder / "masks" / name
        if part == "held_out" and not images.exists():
            sources[part] = None
            continue
        both = pairs(images, masks)
        sources[part] = [partial(_read, image, mask, data.classes) for image, mask in both]
        if part == "train":
            digest = digest_of_files(folder, (image for image, _ in both), truth=(mask for _, mask in both))
    return sources, digest


def _read(image: Path, mask: Path, classes: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    numbers = read_mask(mask)
    if classes == 1:
        numbers = (numbers > 0).astype(np.int64)
    elif numbers.max() > classes:
        raise SpecError(
            f"the mask {mask} has a pixel of class {numbers.max()}", allowed=f"0 to {classes}, which data.classes says"
        )
    return checked(read_picture(image), numbers, image.name)
