"""A study as a log folder of TensorBoard: a run for every experiment, with its curve and its row under HPARAMS.

tensorboardX writes it, as that needs numpy and protobuf only, while torch's writer needs torch and TensorBoard itself.
No summary of the whole experiment is written: without it TensorBoard collects the columns from all runs, and so also
those of parameters that some experiments do not have.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from automl.export import about
from automl.search.history import History
from automl.study.definition import Definition
from automl.study.experiments import experiments


def write(definition: Definition, study: History, to: Path) -> int:
    """Makes the folder; returns the number of runs. A failed experiment has its curve up to the failure."""
    to.mkdir()
    all_experiments = experiments(study, definition.plan)
    metric = definition.metric_rule.name
    for experiment in all_experiments:
        last = experiment.results[-1].outcome() if experiment.results else None
        with SummaryWriter(logdir=str(to / f"experiment_{experiment.number}")) as writer:
            _, begun, ended = hparams({name: _plain(value) for name, value in experiment.values.items()}, {})
            writer.file_writer.add_summary(begun)
            for epoch, value in experiment.history:
                writer.add_scalar(metric, value, epoch)
            for name, epoch, value in about.further_points(experiment):
                writer.add_scalar(name.replace("best ", "best/", 1), value, epoch)
            if last is not None and last.best_value is not None:
                writer.add_scalar(f"best/{metric}", last.best_value, last.epochs)
            if last is not None and last.held_out is not None:
                writer.add_scalar(f"held_out/{metric}", last.held_out, last.epochs)
            if last is not None and last.failure is None:
                writer.file_writer.add_summary(ended)
    return len(all_experiments)


def _plain(value: Any) -> Any:
    """A value as TensorBoard takes it, which has numbers, texts and booleans; it shows no value for None."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
