"""A study as offline runs of Weights & Biases, in a new folder: one for the study, one for each experiment that has a
result, all in one group; `wandb sync` uploads them.

Nothing is sent from here. A run has the same id in every export of the same study, so what is synced twice is one run.
What wandb writes of a machine is turned off: its name, packages, code and load.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read when it is imported: it would send its own crashes

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
    """Makes the folder; returns the number of experiments. Raises AutoMLError for what wandb says."""
    to.mkdir()
    found = [each for each in experiments(study, definition.plan) if each.results]
    try:
        _study(definition, study, found, to)
        for each in found:
            _experiment(definition, each, to)
    except wandb.Error as error:
        raise AutoMLError(f"Weights & Biases: {error}") from error
    finally:
        wandb.teardown()
    return len(found)


def _study(definition: Definition, study: History, found: list[Experiment], to: Path) -> None:
    first = found[0].results[0].attempts[0] if found else ""
    best, made = summary.best_of_search(definition, study), _id(definition, "study", first)
    config = about.settings(definition, definition.metric_rule.model_dump(mode="json"))
    run = _begun(definition, to, id=made, name=definition.file.name, job_type="study", config=config)
    run.summary.update({"state": summary.state(definition, study), **about.found(definition, study)})
    if best is not None:
        run.summary["best experiment"] = best.experiment
    run.finish(exit_code=0)


def _experiment(definition: Definition, each: Experiment, to: Path) -> None:
    metric, asked, last = definition.metric_rule.name, each.recommendations[0], each.results[-1].outcome()
    made = _id(definition, str(each.number), each.results[0].attempts[0])
    config = {**each.values, "seed": asked.seed, "stage": definition.plan.stages[each.stage].name}
    kind, name = "experiment", f"experiment {each.number}"
    run = _begun(definition, to, id=made, name=name, job_type=kind, config=config, tags=[each.status.value])
    run.define_metric(metric, step_metric="epoch")
    for epoch, value in each.history:
        run.log({"epoch": epoch, metric: value}, step=epoch)
    said = {
        "experiment": each.number,
        "status": each.status.value,
        "reason": each.reason,
        "proposed": asked.reason,
        f"best {metric}": last.best_value,
        f"held-out {metric}": last.held_out,
        "training seconds": round(sum(result.seconds for result in each.results), 3),
    }
    run.summary.update({key: value for key, value in said.items() if value not in {None, ""}})
    run.finish(exit_code=1 if each.status is Status.FAILURE else 0)


def _id(definition: Definition, of: str, attempt: str) -> str:
    """The same in every export of the same training, and of no other."""
    return hashlib.sha256(f"{study_digest(definition)} {of} {attempt}".encode()).hexdigest()[:_ID_LENGTH]


def _begun(definition: Definition, to: Path, **given: Any) -> wandb.Run:
    """A run that is written to the folder; given: id, name, job_type, config, tags."""
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
    return wandb.init(dir=to, group=name, mode="offline", project=name, reinit="create_new", settings=settings, **given)
