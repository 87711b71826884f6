"""A study as runs of MLflow, in a tracking store that may hold others: one for the study, and below it one for each
experiment, with its parameters, its metric by epoch, its status and the reason for it.

To export a study again adds no second run: its runs are found by their tags, and get what is new. The record has no
clock, so a run ends when it is exported, and its length is that of its trainings.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault(
    "MLFLOW_DISABLE_TELEMETRY", "true"
)  # read at the import: else it reports which functions are called
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # else it tries a missing server for minutes

from mlflow.entities import LifecycleStage, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from automl.errors import AutoMLError, InvalidInput
from automl.export import about
from automl.search.history import Experiment, History, Status
from automl.study import summary
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.record import study_digest
from automl.text.new_files import already_exists, check_folder_of

STUDY_TAG, EXPERIMENT_TAG, ATTEMPT_TAG = "argo_automl.study", "argo_automl.experiment", "argo_automl.attempt"
_STATES = {
    Status.SUCCESS: "FINISHED",
    Status.STOPPED: "KILLED",  # as MLflow's own pruning has it
    Status.FAILURE: "FAILED",
    Status.PENDING: "SCHEDULED",
    Status.RUNNING: "RUNNING",
    Status.WAITING: "RUNNING",
}
_ENDED = {"FINISHED", "KILLED", "FAILED"}
_SQLITE = (".db", ".sqlite", ".sqlite3")
_NOT_IN_A_NAME = re.compile(r"[^\w\-. /:]", re.ASCII)
_MOST_PARAMS, _MOST_METRICS, _MOST_TEXT = 100, 1000, 5000  # that MLflow takes at once


def write(definition: Definition, study: History, to: str) -> int:
    """Makes or completes the runs; returns the number of experiments. `to` is NAME.db (SQLite), or a URI of MLflow.

    Raises InvalidInput for another kind of store, and when the store holds another run of the same study; AutoMLError
    for an error of MLflow.
    """
    uri = _uri(to)
    logging.getLogger("mlflow.store.db").setLevel(logging.WARNING)  # it logs every table that it makes
    try:
        return _Export(MlflowClient(uri), definition, study, to).write()
    except MlflowException as error:
        raise AutoMLError(f"MLflow, {to}: {error.message.splitlines()[0]}", advice="check the address") from error


def _uri(to: str) -> str:
    if to.startswith(("http://", "https://", "sqlite://", "postgresql", "mysql", "mssql", "databricks")):
        return to
    path = Path(to)
    if "://" in to or path.suffix.lower() not in _SQLITE:
        raise InvalidInput(
            f"{to} does not say where MLflow keeps its runs",
            allowed=f"a name that ends in {', '.join(_SQLITE)} (SQLite), sqlite:///FILE, or http://host:port",
        )
    check_folder_of(path)
    if path.exists() and path.stat().st_size and not path.read_bytes()[:16].startswith(b"SQLite format 3"):
        raise already_exists(path, what=" and is not a SQLite file", advice="give another name")
    return f"sqlite:///{path.resolve()}"


@dataclass
class _Export:
    client: MlflowClient
    definition: Definition
    study: History
    to: str

    def write(self) -> int:
        all_experiments = experiments(self.study, self.definition.plan)
        container = self._container()
        runs = self._runs(container)
        self._refuse_another(all_experiments, runs)
        now = int(time.time() * 1000)
        parent = runs.get("") or self._create(container, self.definition.file.name, now, {})
        self._about_the_study(parent)
        for experiment in all_experiments:
            run = runs.get(str(experiment.number))
            if run is None:
                seconds = sum(result.seconds for result in experiment.results)
                tags = {"mlflow.parentRunId": parent.info.run_id, EXPERIMENT_TAG: str(experiment.number)}
                run = self._create(container, f"experiment {experiment.number}", now - int(1000 * seconds), tags)
            self._about(run, experiment)
        state = summary.state(self.definition, self.study)
        self._end(parent, {"done": "FINISHED", "failed": "FAILED"}.get(state, "RUNNING"))
        return len(all_experiments)

    def _container(self) -> str:
        """The id of MLflow's experiment with the study's name, which is created if it does not exist."""
        name = self.definition.file.name
        container = self.client.get_experiment_by_name(name)
        if container is None:
            return str(self.client.create_experiment(name))
        if container.lifecycle_stage != LifecycleStage.ACTIVE:
            raise InvalidInput(
                f"MLflow, {self.to}: the experiment {name!r} was deleted there", advice="restore it first"
            )
        return str(container.experiment_id)

    def _runs(self, container: str) -> dict[str, Run]:
        """The runs of earlier exports by the number of their experiment, and the study's own under the empty text."""
        runs: dict[str, Run] = {}
        token = None
        while True:
            query = f"tags.`{STUDY_TAG}` = '{study_digest(self.definition)}'"
            page = self.client.search_runs([container], query, page_token=token)
            runs |= {run.data.tags.get(EXPERIMENT_TAG, ""): run for run in page}
            token = page.token
            if not token:
                return runs

    def _refuse_another(self, all_experiments: list[Experiment], runs: Mapping[str, Run]) -> None:
        """Refuses the same study from another store, which has the same digest but other trainings."""
        for experiment in all_experiments:
            run = runs.get(str(experiment.number))
            theirs = None if run is None else run.data.tags.get(ATTEMPT_TAG)
            if theirs is not None and experiment.results and theirs != experiment.results[0].attempts[0]:
                raise InvalidInput(
                    f"MLflow, {self.to} holds another run of the same study {self.definition.file.name!r}",
                    advice="export this one to another store, or delete that one's runs first",
                )

    def _create(self, container: str, name: str, start: int, tags: dict[str, str]) -> Run:
        return self.client.create_run(
            container, start_time=start, tags={STUDY_TAG: study_digest(self.definition), **tags}, run_name=name
        )

    def _about_the_study(self, run: Run) -> None:
        best = summary.best(self.definition, self.study)
        self._params(run, about.settings(self.definition, about.goals(self.definition)))
        for name, value in about.found(self.definition, self.study).items():
            if run.data.metrics.get(_named(name)) != value:
                self.client.log_metric(run.info.run_id, _named(name), value)
        tags = {"state": summary.state(self.definition, self.study)}
        tags |= {"best": f"experiment {best.experiment}"} if best is not None else {}
        self._tags(run, tags)

    def _about(self, run: Run, experiment: Experiment) -> None:
        metric, recommendation = self.definition.metric_rule.name, experiment.recommendations[0]
        self._params(run, {**experiment.values, "seed": recommendation.seed})
        points = [(metric, epoch, value) for epoch, value in experiment.history]
        last = experiment.results[-1].outcome() if experiment.results else None
        if last is not None and last.best_value is not None:
            points.append((f"best {metric}", last.epochs, last.best_value))
        if last is not None and last.held_out is not None:
            points.append((f"held-out {metric}", last.epochs, last.held_out))
        self._metrics(run, points + about.further_points(experiment))
        tags = {
            "status": experiment.status.value,
            "reason": experiment.reason,
            "proposed": recommendation.reason,
            "stage": self.definition.plan.stages[experiment.stage].name,
        }
        tags |= {ATTEMPT_TAG: experiment.results[0].attempts[0]} if experiment.results else {}
        self._tags(run, {name: text for name, text in tags.items() if text})
        self._end(run, _STATES[experiment.status])

    def _params(self, run: Run, values: Mapping[str, Any]) -> None:
        new = [
            Param(_named(name), str(value)[:_MOST_TEXT])
            for name, value in values.items()
            if _named(name) not in run.data.params
        ]
        for start in range(0, len(new), _MOST_PARAMS):
            self.client.log_batch(run.info.run_id, params=new[start : start + _MOST_PARAMS])

    def _metrics(self, run: Run, points: list[tuple[str, int, float]]) -> None:
        """Logs the points that MLflow does not hold yet."""
        names = {_named(name) for name, _, _ in points} & set(run.data.metrics)
        logged = {
            (name, point.step) for name in names for point in self.client.get_metric_history(run.info.run_id, name)
        }
        now = int(time.time() * 1000)
        new = [
            Metric(_named(name), value, now, step) for name, step, value in points if (_named(name), step) not in logged
        ]
        for start in range(0, len(new), _MOST_METRICS):
            self.client.log_batch(run.info.run_id, metrics=new[start : start + _MOST_METRICS])

    def _tags(self, run: Run, tags: Mapping[str, str]) -> None:
        new = [RunTag(name, text[:_MOST_TEXT]) for name, text in tags.items() if run.data.tags.get(name) != text]
        if new:
            self.client.log_batch(run.info.run_id, tags=new)

    def _end(self, run: Run, status: str) -> None:
        if run.info.status == status:
            return
        if status in _ENDED:
            self.client.set_terminated(run.info.run_id, status)
        else:
            self.client.update_run(run.info.run_id, status)


def _named(name: str) -> str:
    """A name as MLflow takes it."""
    return _NOT_IN_A_NAME.sub("_", name)
