"""From the first epoch, or a checkpoint, to the last, by Lightning's Trainer: trains, judges, saves, reports.

task.py says what a task must bring. What the loop promises: everything drawn in epoch n comes from (seed, n) alone, and
a checkpoint has the state of weights, optimizer and precision. So on one CPU thread a run that goes on is the same to
the bit as one that was never stopped; on a GPU it is so as far as the network's operations are deterministic there.

The checkpoint is ours and not Lightning's, which needs pickle to be read. One thing of Lightning's is put aside: its
handling of SIGTERM, since the contract has its own.
"""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning.pytorch import Trainer

from automl.errors import SpecError
from automl.trainers.loop import checkpoints, machine
from automl.trainers.loop.epoch_by_epoch import EpochByEpoch
from automl.trainers.loop.parts_loading import Loading
from automl.trainers.settings.loop import Settings, Train
from automl.trainers.settings.spec import moving
from automl.trainers.settings.train import identity
from automl.trainers.tasks.base import Parts, Task

_CPU = torch.device("cpu")


def run(settings: Settings, prepare: Callable[[], tuple[Task, Parts]], results: Path) -> None:
    """Trains until `train.epochs` epochs are finished in total.

    `prepare` makes the network and reads the data. It is called when the generators of the first weights are seeded.
    Raises training.Preempted after SIGTERM, Diverged, OutOfMemory, CheckpointFileError, and SpecError for what the
    machine or the results folder cannot do.
    """
    advice = "lower train.batch_size, take smaller pictures, a smaller model, or precision bf16-mixed"
    with _quiet(), _threads_and_determinism(settings.train), machine.enough_memory(settings.train.batch_size, advice):
        _run(settings, prepare, results)


def _run(settings: Settings, prepare: Callable[[], tuple[Task, Parts]], results: Path) -> None:
    train, last = settings.train, settings.train.epochs
    device = machine.chosen_device(train.device)
    machine.seed_everything(train.seed, 0)
    task, parts = prepare()
    if settings.data.held_out and parts.held_out is None:
        raise SpecError("data.held_out is true, and the data has no held-out part", advice="see --help for data.path")
    bound = identity(settings, parts.digest)
    start = checkpoints.to_go_on_from(results, train.resume_from, _CPU)
    checkpoint = None if start is None else start.state
    if start is not None:
        checkpoints.check_same_training(start, bound, last, moving(type(settings)))
    epochs = EpochByEpoch(train, task, results, bound, checkpoint, reports_the_last=not settings.data.held_out)
    trainer = _trainer(train, device, last - epochs.epoch, results)
    loading = Loading(train, parts, epochs.epoch)
    if checkpoint is not None and trainer.is_global_zero and (epochs.epoch < last or not settings.data.held_out):
        epochs.report()  # again: a run that was killed right after saving did not report it
    if epochs.epoch < last:
        trainer.fit(epochs, datamodule=loading)
    if settings.data.held_out:
        loading.held_out = True
        trainer.validate(epochs, datamodule=loading, verbose=False)
        if trainer.is_global_zero:
            epochs.report(held_out=epochs.judged)


def _trainer(train: Train, device: torch.device, epochs: int, results: Path) -> Trainer:
    if train.precision == "16-mixed" and device.type == "cpu":
        raise SpecError("train.precision is '16-mixed', which needs a GPU", allowed="32 or bf16-mixed on a CPU")
    devices = train.devices
    if device.type == "cuda" and (devices or 1) > torch.cuda.device_count():
        raise SpecError(f"train.devices is {devices}", allowed=f"1 to {torch.cuda.device_count()}, the GPUs here")
    return Trainer(
        accelerator=device.type,
        devices=devices or ("auto" if device.type == "cuda" else 1),
        strategy=train.strategy,
        precision=train.precision,  # type: ignore[arg-type]  # one of three that it has
        max_epochs=epochs,
        gradient_clip_val=train.gradient_clip or None,
        default_root_dir=results,
        use_distributed_sampler=False,  # EpochOrder deals the examples out
        num_sanity_val_steps=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


@contextmanager
def _threads_and_determinism(train: Train) -> Iterator[None]:
    """Sets what torch keeps for the whole process, and puts it back."""
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), signal.getsignal(signal.SIGTERM))
    torch.set_num_threads(train.threads or machine.threads(os.environ))
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic with a workspace of its own
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        signal.signal(signal.SIGTERM, before[2])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Lightning's advice (more workers, a logger, a GPU that is not used) out of the log of a training."""
    logs = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [log.level for log in logs]
    with warnings.catch_warnings():
        for module in ("lightning", "torch", "torchmetrics"):
            warnings.filterwarnings("ignore", module=rf"{module}\b.*")
        for log in logs:
            log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for log, level in zip(logs, levels, strict=True):
                log.setLevel(level)
