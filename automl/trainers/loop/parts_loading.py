"""Batches of the parts for Lightning: which examples come in which order in an epoch, on which device."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any, cast

import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader, Dataset, Sampler

from automl.errors import SpecError
from automl.trainers.loop.machine import epoch_seed
from automl.trainers.settings.loop import Train
from automl.trainers.tasks.base import Parts


def size(part: Dataset[Any]) -> int:
    """The examples of a part."""
    return len(cast(Sized, part))


class EpochOrder(Sampler[int]):
    """The examples of an epoch in an order drawn from (seed, epoch); of `devices` devices each gets every n-th."""

    def __init__(self, examples: int, seed: int, epochs_before: int, rank: int, devices: int) -> None:
        self._examples, self._seed, self._before = examples, seed, epochs_before
        self._rank, self._devices = rank, devices
        self.generator = torch.Generator()  # a DataLoader seeds its worker processes from it
        self.set_epoch(0)

    def set_epoch(self, epochs_of_this_run: int) -> None:
        """Lightning calls it before every epoch, with the epochs that this run has finished."""
        self._epoch_seed = epoch_seed(self._seed, self._before + epochs_of_this_run + 1)
        self.generator.manual_seed(self._epoch_seed)

    def __iter__(self) -> Iterator[int]:
        order = torch.randperm(self._examples, generator=torch.Generator().manual_seed(self._epoch_seed))
        return iter(order[self._rank :: self._devices][: len(self)].tolist())

    def __len__(self) -> int:
        return self._examples // self._devices


class Loading(LightningDataModule):
    """The loaders. `held_out`: judge on that part instead of the validation part."""

    held_out = False

    def __init__(self, settings: Train, parts: Parts, epochs_before: int) -> None:
        super().__init__()
        self._settings, self._parts, self._before = settings, parts, epochs_before

    def train_dataloader(self) -> DataLoader[Any]:
        trainer = self.trainer
        assert trainer is not None
        examples, at_once = size(self._parts.train) // trainer.world_size, self._settings.batch_size
        if at_once > examples:
            raise SpecError(
                f"train.batch_size is {at_once}, more than there are training examples", allowed=f"2 to {examples}"
            )
        order = EpochOrder(
            size(self._parts.train), self._settings.seed, self._before, trainer.global_rank, trainer.world_size
        )
        return DataLoader(
            self._parts.train,
            batch_size=at_once,
            sampler=order,
            drop_last=True,  # an incomplete last batch is left out
            num_workers=self._settings.workers,
            collate_fn=self._parts.collate,
            generator=order.generator,
        )

    def val_dataloader(self) -> DataLoader[Any]:
        trainer, part = self.trainer, self._parts.held_out if self.held_out else self._parts.validation
        assert trainer is not None
        assert part is not None
        return DataLoader(
            part,
            batch_size=self._parts.judged_at_once,
            sampler=range(trainer.global_rank, size(part), trainer.world_size),
            num_workers=self._settings.workers,
            collate_fn=self._parts.collate,
            generator=torch.Generator().manual_seed(epoch_seed(self._settings.seed, 0)),
        )
