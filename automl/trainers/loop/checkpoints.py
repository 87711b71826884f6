"""What a checkpoint of a training holds, how it is read, and which one a run goes on from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from automl import training
from automl.errors import SpecError
from automl.trainers.failures import CheckpointFileError

FORMAT = 1


@dataclass(frozen=True)
class TrainingState:
    """The state of a training after `epoch` epochs; tensors and plain values only, so that loading runs no code.

    `settings` are those that shape the weights, by dotted path. `metrics` are those of that epoch. `network` and
    `update_rule` are state dictionaries.
    """

    epoch: int
    settings: Mapping[str, int | float | str | None]
    metrics: Mapping[str, float]
    network: Mapping[str, Any]
    update_rule: Mapping[str, Any]


def path_of(results: Path, epoch: int) -> Path:
    """Where the checkpoint of an epoch lies."""
    return results / f"checkpoint_epoch_{epoch:03d}.pt"


def write(path: Path, checkpoint: TrainingState) -> None:
    """Writes the file whole or not at all."""
    content = {
        "format": FORMAT,
        "epoch": checkpoint.epoch,
        "settings": dict(checkpoint.settings),
        "metrics": dict(checkpoint.metrics),
        "network": dict(checkpoint.network),
        "update_rule": dict(checkpoint.update_rule),
    }
    training.save_atomically(path, lambda file: torch.save(content, file))


def read(path: Path, device: torch.device) -> TrainingState:
    """The checkpoint in a file, its tensors on `device`. Raises CheckpointFileError."""
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch.load raises whatever the damaged bytes lead it to; all of it means the same here
        reason = str(error).partition("\n")[0]
        raise CheckpointFileError(
            f"the checkpoint {path} cannot be read ({type(error).__name__}: {reason})",
            advice="remove it to resume from an earlier one, or fetch it again",
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        version = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise CheckpointFileError(f"the checkpoint {path} has the format {version!r}", allowed=f"format {FORMAT}")
    try:
        return TrainingState(**{name: content[name] for name in content if name != "format"})
    except TypeError as error:
        raise CheckpointFileError(f"the checkpoint {path} does not hold what it should ({error})") from error


@dataclass(frozen=True)
class Start:
    """The checkpoint to go on from; `is_named` where it is the one that the spec names, not one of its own folder."""

    state: TrainingState
    is_named: bool


def to_go_on_from(results: Path, resume_from: str | None, device: torch.device) -> Start | None:
    """The newest checkpoint of the results folder and of the file that the spec names; None when there is neither.

    The named file may be gone once the folder has one of its own. Raises CheckpointFileError, and SpecError when the
    named file does not exist.
    """
    named = Path(resume_from) if resume_from else None
    own = training.latest_checkpoint(results)
    if named is not None and own is None and not named.is_file():
        raise SpecError(f"train.resume_from is {str(named)!r}, and there is no such file")
    starts = [
        Start(read(path, device), is_named)
        for path, is_named in ((own, False), (named, True))
        if path is not None and path.is_file()
    ]
    return max(starts, key=lambda start: start.state.epoch, default=None)


def check_same_training(
    start: Start,
    settings: Mapping[str, int | float | str | None],
    last_epoch: int,
    moving: Collection[str] = (),
) -> None:
    """Raises SpecError when going on would not be the training that the checkpoint belongs to.

    Who names a checkpoint may go on from it with other values of the `moving` settings, which fit its weights.
    """
    checkpoint = start.state
    differing = [
        f"{path} was {checkpoint.settings.get(path)!r} and is {value!r}"
        for path, value in settings.items()
        if checkpoint.settings.get(path) != value and not (start.is_named and path in moving)
    ]
    if differing:
        raise SpecError(
            f"the checkpoint of epoch {checkpoint.epoch} is of another training: {', '.join(differing)}",
            advice="give the same settings, or start with an empty results folder and train.resume_from null",
        )
    if checkpoint.epoch > last_epoch:
        raise SpecError(
            f"train.epochs is {last_epoch}, but there is a checkpoint of epoch {checkpoint.epoch}",
            advice="raise train.epochs, or start with an empty results folder",
        )
