"""A study as a log folder of TensorBoard: a run for every experiment, with its curve and its row under HPARAMS.

Written by tensorboardX, which needs numpy and protobuf only, where torch's writer needs torch and TensorBoard itself.
No summary of the whole experiment is written: without it TensorBoard finds the columns by looking at all runs, and so
also those of parameters that some experiments do not have.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from automl.search.history import History
from automl.study.definition import Definition
from automl.study.experiments import experiments


def write(definition: Definition, study: History, to: Path) -> int:
    """Makes the folder; returns the number of runs. A failed experiment has its curve as far as it came."""
    to.mkdir()
    found = experiments(study, definition.plan)
    metric = definition.metric_rule.name
    for each in found:
        last = each.results[-1].outcome() if each.results else None
        with SummaryWriter(logdir=str(to / f"experiment_{each.number}")) as writer:
            _, begun, ended = hparams({name: _plain(value) for name, value in each.values.items()}, {})
            writer.file_writer.add_summary(begun)
            for epoch, value in each.history:
                writer.add_scalar(metric, value, epoch)
            if last is not None and last.best_value is not None:
                writer.add_scalar(f"best/{metric}", last.best_value, last.epochs)
            if last is not None and last.held_out is not None:
                writer.add_scalar(f"held_out/{metric}", last.held_out, last.epochs)
            if last is not None and last.failure is None:
                writer.file_writer.add_summary(ended)
    return len(found)


def _plain(value: Any) -> Any:
    """TensorBoard has numbers, texts and booleans; None is no value there."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
