"""A study as offline runs of Weights & Biases, in a new folder: one for the study, one for each experiment that has a
result, all in one group; `wandb sync` uploads them.

This module sends nothing. A run has the same id in every export of the same study, so a run that is synced twice stays
one run. What wandb can write about a machine is turned off: its name, packages, code and load.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read at the import: else it reports its own crashes

import wandb

from automl.errors import AutoMLError
from automl.export import about
from automl.search.history import Experiment, History, Status
from automl.study import summary
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.record import study_digest

_ID_LENGTH = 12


def write(definition: Definition, study: History, to: Path) -> int:
    """Makes the folder; returns the number of experiments. Raises AutoMLError for an error of wandb."""
    to.mkdir()
    trained = [experiment for experiment in experiments(study, definition.plan) if experiment.results]
    try:
        _study(definition, study, trained, to)
        for experiment in trained:
            _experiment(definition, experiment, to)
    except wandb.Error as error:
        raise AutoMLError(f"Weights & Biases: {error}") from error
    finally:
        wandb.teardown()
    return len(trained)


def _study(definition: Definition, study: History, trained: list[Experiment], to: Path) -> None:
    first = trained[0].results[0].attempts[0] if trained else ""
    best, run_id = summary.best(definition, study), _id(definition, "study", first)
    config = about.settings(definition, definition.metric_rule.model_dump(mode="json"))
    run = _begun(definition, to, id=run_id, name=definition.file.name, job_type="study", config=config)
    run.summary.update({"state": summary.state(definition, study), **about.found(definition, study)})
    if best is not None:
        run.summary["best experiment"] = best.experiment
    run.finish(exit_code=0)


def _experiment(definition: Definition, experiment: Experiment, to: Path) -> None:
    metric, recommendation, last = (
        definition.metric_rule.name,
        experiment.recommendations[0],
        experiment.results[-1].outcome(),
    )
    run_id = _id(definition, str(experiment.number), experiment.results[0].attempts[0])
    config = {**experiment.values, "seed": recommendation.seed, "stage": definition.plan.stages[experiment.stage].name}
    kind, name = "experiment", f"experiment {experiment.number}"
    run = _begun(definition, to, id=run_id, name=name, job_type=kind, config=config, tags=[experiment.status.value])
    run.define_metric(metric, step_metric="epoch")
    further = about.further_points(experiment)
    by_epoch: dict[int, dict[str, float]] = {epoch: {metric: value} for epoch, value in experiment.history}
    for name, epoch, value in further:
        by_epoch.setdefault(epoch, {})[name] = value
    for epoch, values in sorted(by_epoch.items()):
        run.log({"epoch": epoch, **values}, step=epoch)
    results = {
        "experiment": experiment.number,
        "status": experiment.status.value,
        "reason": experiment.reason,
        "proposed": recommendation.reason,
        f"best {metric}": last.best_value,
        f"held-out {metric}": last.held_out,
        "training seconds": round(sum(result.seconds for result in experiment.results), 3),
    }
    run.summary.update({key: value for key, value in results.items() if value not in {None, ""}})
    run.finish(exit_code=1 if experiment.status is Status.FAILURE else 0)


def _id(definition: Definition, subject: str, attempt: str) -> str:
    """An id that is the same in every export of the same training, and differs for every other."""
    return hashlib.sha256(f"{study_digest(definition)} {subject} {attempt}".encode()).hexdigest()[:_ID_LENGTH]


def _begun(definition: Definition, to: Path, **options: Any) -> wandb.Run:
    """A run that is written to the folder. `options` are its id, name, job_type, config and tags."""
    settings = wandb.Settings(
        console="off",
        disable_code=True,
        disable_git=True,
        disable_job_creation=True,
        host="",
        silent=True,
        x_disable_machine_info=True,
        x_disable_meta=True,
        x_disable_stats=True,
        x_save_requirements=False,
    )
    name = definition.file.name
    return wandb.init(
        dir=to, group=name, mode="offline", project=name, reinit="create_new", settings=settings, **options
    )
