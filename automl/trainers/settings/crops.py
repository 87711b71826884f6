"""The section `data` of programs that train on crops of pictures with masks."""

from __future__ import annotations

from dataclasses import dataclass

from automl.trainers.settings import train
from automl.trainers.settings.spec import choice, whole

CHANGES = ("none", "flips", "flips-and-turns")


@dataclass(frozen=True)
class CropData(train.Data):
    """The pictures: the nuclei that come with the package, or a folder."""

    crops: int = whole(2, "crops that are trained on in an epoch, from all training pictures in turn", 48)
    crop: int = whole(16, "side of a crop in pixels", 96)
    changes: str = choice(CHANGES, "how crops are changed by chance: mirrored, turned by quarters", "flips-and-turns")
