"""From the first epoch, or a checkpoint, to the last: trains, saves, reports. Needs torch."""

from __future__ import annotations

import os
import time
from pathlib import Path

import torch

from automl import training
from automl.trainers.failures import Diverged
from automl.trainers.loop import checkpoints, machine
from automl.trainers.settings.fashion_mnist import Settings
from automl.trainers.settings.spec import moving
from automl.trainers.tasks.convnet import Training, load_pictures


def run(settings: Settings, results: Path) -> None:
    """Trains until `train.epochs` epochs are finished in total.

    Raises training.Preempted after SIGTERM, Diverged, OutOfMemory, CheckpointFileError, and SpecError for what the
    machine or the results folder cannot do.
    """
    with machine.enough_memory(settings.train.batch_size, "lower train.batch_size or model.width"):
        _run(settings, results)


def _run(settings: Settings, results: Path) -> None:
    torch.set_num_threads(settings.train.threads or machine.threads(os.environ))
    torch.backends.cudnn.deterministic = True
    device = machine.chosen_device(settings.train.device)
    running = Training(settings, load_pictures(settings.data.path, settings.data.limit, device), device)
    last = settings.train.epochs
    if start := checkpoints.to_go_on_from(results, settings.train.resume_from, device):
        checkpoints.check_same_training(start, running.identity(), last, moving(Settings))
        running.restore(start.state)
        _report(running, settings, results, seconds=None)  # again: a run killed right after saving did not report it
    while running.epoch < last:
        began = time.perf_counter()
        try:
            running.train_epoch(training.preempted)
        except Diverged as error:
            training.report(results, error.epoch, max_epoch=last, metrics=error.metrics)
            raise
        if running.epoch % settings.train.checkpoint_interval == 0 or running.epoch == last:
            checkpoints.write(checkpoints.path_of(results, running.epoch), running.checkpoint())
        _report(running, settings, results, seconds=time.perf_counter() - began)


def _report(running: Training, settings: Settings, results: Path, *, seconds: float | None) -> None:
    last = settings.train.epochs
    metrics = dict(running.metrics)
    if settings.data.held_out and running.epoch == last:
        metrics["held_out_accuracy"] = running.held_out_accuracy()
    training.report(results, running.epoch, max_epoch=last, metrics=metrics, seconds=seconds)
    shown = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
    print(f"epoch {running.epoch} of {last}  {shown}", flush=True)
