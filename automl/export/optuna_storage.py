"""A study as a storage of Optuna, through its public API: for optuna-dashboard and Optuna's own analyses.

The trials are the experiments of the search. A stopped one is PRUNED, except the best of the search, because Optuna
never calls a pruned trial the best. The final judgement trains settings of other trials again, so its verdict is an
attribute of the study and its experiments are not trials.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl.errors import InvalidInput
from automl.export.storage_names import JOURNAL, MEASURED, SQLITE
from automl.problem.aim import Aim
from automl.problem.conditions import exact
from automl.problem.parameter import Parameter
from automl.search.history import Experiment, History, Status
from automl.search.measurements import to_json
from automl.search.ranking import kept_reading
from automl.study import summary
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.verdict import verdict

_STATES = {
    Status.SUCCESS: TrialState.COMPLETE,
    Status.STOPPED: TrialState.PRUNED,
    Status.FAILURE: TrialState.FAIL,
    Status.PENDING: TrialState.RUNNING,
    Status.RUNNING: TrialState.RUNNING,
    Status.WAITING: TrialState.RUNNING,
}
_CONSTRAINTS = "constraints"  # where Optuna keeps how far a trial is from meeting them: above 0 is broken


def write(definition: Definition, study: History, to: Path) -> int:
    """Makes the storage; returns the number of trials. The suffix of `to` selects its kind. Raises InvalidInput."""
    storage = _storage(to)
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        goals = [rule.goal for rule in definition.metric_rules]
        optuna_study = optuna.create_study(storage=storage, study_name=definition.file.name, directions=goals)
        if len(goals) > 1:
            with warnings.catch_warnings():  # Optuna calls this an experiment since 3.2, and every user would read that
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                optuna_study.set_metric_names([rule.name for rule in definition.metric_rules])
        for name, value in _about(definition, study).items():
            optuna_study.set_user_attr(name, value)
        trials = list(_trials(definition, study))
        optuna_study.add_trials(trials)
    finally:
        optuna.logging.set_verbosity(verbosity)
        if isinstance(storage, RDBStorage):  # closes the file, which is moved next
            storage.remove_session()
            storage.engine.dispose()
    return len(trials)


def _storage(to: Path) -> BaseStorage:
    ending = to.suffix.lower()
    if ending in SQLITE:
        return RDBStorage(f"sqlite:///{to}")
    if ending in JOURNAL:
        return JournalStorage(JournalFileBackend(str(to)))
    raise InvalidInput(
        f"{to.name} does not say which kind of Optuna storage it is to be",
        allowed=f"a name that ends in {', '.join(SQLITE)} (SQLite) or {', '.join(JOURNAL)} (Optuna's journal)",
    )


def _about(definition: Definition, study: History) -> dict[str, Any]:
    judged, best = verdict(definition, study), summary.best(definition, study)
    bounds = [rule.model_dump(exclude_none=True) for rule in definition.file.constraints or []] or None
    return {
        "argo-automl metric": definition.metric_rule.name,
        "argo-automl network": definition.network.name,
        "argo-automl algorithm": definition.file.algorithm,
        "argo-automl sampler": definition.sampler_name,
        "argo-automl seed": definition.file.seed,
        "argo-automl best": best and {"experiment": best.experiment, "standing": best.standing.value, "why": best.why},
        "argo-automl verdict": judged and judged.to_json(),
        **({} if bounds is None else {"argo-automl constraints": bounds}),
    }


def _trials(definition: Definition, study: History) -> Iterator[FrozenTrial]:
    best = summary.best_of_search(definition, study)
    search = {stage.index for stage in definition.plan.search}
    parameters = {experiment.name: experiment for experiment in definition.space.parameters}
    for experiment in experiments(study, definition.plan):
        if experiment.stage not in search:
            continue
        state = _STATES[experiment.status]
        if best is not None and best.experiment == experiment.number and state is TrialState.PRUNED:
            state = TrialState.COMPLETE
        yield _trial(definition, experiment, state, parameters)


def _trial(
    definition: Definition, experiment: Experiment, state: TrialState, parameters: dict[str, Parameter]
) -> FrozenTrial:
    measured = experiment.results[-1].measured if experiment.results else {}
    params: dict[str, Any] = {}
    distributions: dict[str, BaseDistribution] = {}
    for name, value in experiment.values.items():
        for part, scalar in _parts(parameters[name], value):
            params[part], distributions[part] = scalar, distribution(parameters[name])
    done = state in {TrialState.COMPLETE, TrialState.PRUNED}
    values, violations = _measured(definition, experiment) if done else (None, None)
    if done and values is None and isinstance(definition.aim, Aim):  # one of its metrics was never reported
        state = TrialState.FAIL
    trial = create_trial(
        state=state,
        values=values,
        system_attrs={} if violations is None else {_CONSTRAINTS: violations},
        params=params,
        distributions=distributions,
        intermediate_values=dict(experiment.history),
        user_attrs={
            "experiment": experiment.number,
            "stage": definition.plan.stages[experiment.stage].name,
            "status": experiment.status.value,
            "proposed": experiment.recommendations[0].reason,
            "reason": experiment.reason,
            "seed": experiment.recommendations[0].seed,
            **({MEASURED: to_json(measured)} if measured else {}),
        },
    )
    if trial.datetime_complete is not None:  # the record has no clock, but it knows how long the training took
        seconds = sum(result.seconds for result in experiment.results)
        trial.datetime_start = trial.datetime_complete - timedelta(seconds=seconds)
    assert isinstance(trial.datetime_start, datetime), "Optuna sets it for every state that is used here"
    return trial


def _measured(definition: Definition, experiment: Experiment) -> tuple[list[float] | None, list[float] | None]:
    """The values of all metrics, None where one was never reported; and by how much each constraint is broken."""
    outcome, aim = experiment.results[-1].outcome(), definition.aim
    if not isinstance(aim, Aim):
        return (None if outcome.best_value is None else [outcome.best_value]), None
    reading = kept_reading(outcome)
    values = [aim.value_of(metric.name, *reading) for metric in aim.objectives]
    excesses = [one.excess(aim.value_of(one.metric, *reading)) for one in aim.constraints]
    violations = [excess if math.isfinite(excess) else sys.float_info.max for excess in excesses] or None
    return [value for value in values if value is not None] if None not in values else None, violations


def _parts(parameter: Parameter, value: Any) -> Iterator[tuple[str, Any]]:
    """Scalars, as Optuna has nothing else: a list becomes one parameter per element, a list among options its text."""
    if parameter.kind == "list":
        yield from ((f"{parameter.name}[{index}]", element) for index, element in enumerate(value))
    else:
        yield parameter.name, _option(value)


def _option(value: Any) -> Any:
    return str(list(value)) if isinstance(value, list | tuple) else value


def distribution(parameter: Parameter) -> BaseDistribution:
    """Optuna's distribution of a parameter, or of each element of a list.

    Optuna has no conditions. It has no grid on a log scale either, so that becomes the interval that it lies in.
    """
    if parameter.kind == "bool":
        return CategoricalDistribution((False, True))
    if parameter.low is None or parameter.high is None:
        return CategoricalDistribution(tuple(_option(option) for option in parameter.options))
    low, high, step = parameter.low, parameter.high, None if parameter.log else parameter.step
    if step is not None:  # Optuna wants a range that the grid fills
        points = (exact(high) - exact(low)) // exact(step)
        last = exact(low) + points * exact(step)
        high = int(last) if parameter.whole else float(last)
    if parameter.whole:
        return IntDistribution(int(low), int(high), log=parameter.log, step=1 if step is None else int(step))
    return FloatDistribution(float(low), float(high), log=parameter.log, step=None if step is None else float(step))
