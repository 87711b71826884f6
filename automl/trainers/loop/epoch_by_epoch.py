"""The epochs of a training as Lightning calls them: seeds, learning rate, loss, judgement, checkpoints, status."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer

from automl import training
from automl.trainers.failures import CheckpointFileError, Diverged
from automl.trainers.loop import checkpoints, machine
from automl.trainers.loop.checkpoints import TrainingState
from automl.trainers.loop.learning_rates import SCHEDULES
from automl.trainers.pictures.picture_files import write_strip
from automl.trainers.settings.loop import Train
from automl.trainers.settings.spec import Plain
from automl.trainers.tasks.base import Task

_STEPS_BETWEEN_LOOKS = 10  # at the loss on the device, for which the program has to wait


class EpochByEpoch(LightningModule):
    """A task in training. `epoch` epochs are finished, those of earlier runs too; `metrics` are of the last one.

    `start` is the checkpoint to go on from. `reports_the_last` is false when more is judged before the last line.
    Raises CheckpointFileError when the checkpoint does not fit, from the hooks Diverged, and Preempted after SIGTERM.
    """

    def __init__(
        self,
        settings: Train,
        task: Task,
        results: Path,
        identity: Mapping[str, Plain],
        start: TrainingState | None,
        *,
        reports_the_last: bool = True,
    ) -> None:
        super().__init__()
        self.task = task
        self.epoch = start.epoch if start else 0
        self.metrics: dict[str, float] = dict(start.metrics) if start else {}
        self.judged: dict[str, float] = {}  # what Task.metrics gave last
        self._settings, self._results, self._identity, self._start = settings, results, identity, start
        self._reports_the_last = reports_the_last
        self._on_sigterm = signal.getsignal(signal.SIGTERM)
        self._seconds: float | None = None
        if start is not None:
            _restored(start, lambda: task.network.load_state_dict(dict(start.network)))

    # -- training -----------------------------------------------------------------------------------------------------

    def configure_optimizers(self) -> Optimizer:
        settings, parameters = self._settings, self.task.network.parameters()
        if settings.optimizer == "sgd":
            return SGD(parameters, settings.lr, momentum=settings.momentum, weight_decay=settings.weight_decay)
        return AdamW(parameters, settings.lr, weight_decay=settings.weight_decay)

    def on_train_start(self) -> None:
        signal.signal(signal.SIGTERM, self._on_sigterm)  # Lightning has put its own in front, which ends with no 75
        if (start := self._start) is not None:
            rule = start.update_rule
            _restored(start, lambda: self._optimizer.load_state_dict(rule["optimizer"]))
            for group in self._optimizer.param_groups:  # with the settings of the checkpoint, which may be others
                group["weight_decay"] = self._settings.weight_decay
                if "momentum" in group:
                    group["momentum"] = self._settings.momentum
            _restored(start, lambda: self.trainer.precision_plugin.load_state_dict(rule["precision"]))

    def on_train_epoch_start(self) -> None:
        machine.seed_everything(self._settings.seed, self.epoch + 1, self.global_rank)
        self._began = time.perf_counter()
        self._loss = torch.zeros((), device=self.device)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002  Lightning gives it
        settings, steps = self._settings, int(self.trainer.num_training_batches)
        rate = SCHEDULES[settings.schedule](
            settings.lr, self.epoch * steps + batch_idx, settings.schedule_epochs * steps
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def training_step(self, batch: Any) -> Tensor:
        return self.task.training_loss(batch)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        self._loss += outputs["loss"].detach()
        if batch_idx % _STEPS_BETWEEN_LOOKS == 0 and not math.isfinite(self._loss.item()):
            self._diverged({"train_loss": self._loss.item()})
        self._stop_if_asked()

    def on_train_epoch_end(self) -> None:
        loss = float(self.trainer.strategy.reduce(self._loss, reduce_op="mean")) / int(
            self.trainer.num_training_batches
        )
        metrics = {**{f"val_{name}": value for name, value in self.judged.items()}, "train_loss": loss}
        if not all(map(math.isfinite, metrics.values())):
            self._diverged(metrics)
        self.epoch, self.metrics, self._seconds = self.epoch + 1, metrics, time.perf_counter() - self._began
        last = self._settings.epochs
        if self.trainer.is_global_zero:
            if self.epoch % self._settings.checkpoint_interval == 0 or self.epoch == last:
                self._save()
            if self.epoch < last or self._reports_the_last:
                self.report()
        if self.epoch < last:
            self._stop_if_asked()

    # -- judgement ----------------------------------------------------------------------------------------------------

    def validation_step(self, batch: Any) -> None:
        self.task.judge(batch)

    def on_validation_batch_end(self, *_args: Any, **_kwargs: Any) -> None:
        if (
            self.trainer.world_size == 1
        ):  # on several devices the parts may differ by a batch, so they cannot agree here
            self._stop_if_asked()

    def on_validation_epoch_end(self) -> None:
        self.judged = {name: float(value) for name, value in self.task.metrics().items()}

    # -- what is written ----------------------------------------------------------------------------------------------

    def report(self, held_out: Mapping[str, float] | None = None) -> None:
        """Appends the status line of the last finished epoch, and prints it."""
        last = self._settings.epochs
        metrics = self.metrics | {f"held_out_{name}": value for name, value in (held_out or {}).items()}
        training.report(self._results, self.epoch, max_epoch=last, metrics=metrics, seconds=self._seconds)
        shown = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        print(f"epoch {self.epoch} of {last}  {shown}", flush=True)

    def _save(self) -> None:
        rule = {"optimizer": self._optimizer.state_dict(), "precision": self.trainer.precision_plugin.state_dict()}
        content = TrainingState(self.epoch, self._identity, self.metrics, self.task.network.state_dict(), rule)
        path = checkpoints.path_of(self._results, self.epoch)
        if panels := self.task.picture():
            write_strip(path.with_suffix(".png"), panels)  # first: a network file may ask for both
        checkpoints.write(path, content)

    def _diverged(self, metrics: dict[str, float]) -> None:
        """Reports the epoch with NaN for the metric, which is no prediction any more, and ends the training."""
        name, epoch = f"val_{self.task.metric}", self.epoch + 1
        metrics = {**metrics, name: math.nan}
        if self.trainer.is_global_zero:
            training.report(self._results, epoch, max_epoch=self._settings.epochs, metrics=metrics)
        raise Diverged(epoch, metrics)

    def _stop_if_asked(self) -> None:
        stop = training.preempted()
        if self.trainer.world_size > 1:  # all or none: who goes on alone waits for the others for ever
            stop = self.trainer.strategy.reduce_boolean_decision(stop, all=False)
        if stop:
            raise training.Preempted(f"stopped after {self.epoch} finished epochs; run again to resume")

    @property
    def _optimizer(self) -> Optimizer:
        (optimizer,) = self.trainer.optimizers
        return optimizer


def _restored(start: TrainingState, restore: Any) -> None:
    try:
        restore()
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointFileError(
            f"the checkpoint of epoch {start.epoch} does not fit the network ({error})",
            advice="start with an empty results folder and train.resume_from null",
        ) from error
