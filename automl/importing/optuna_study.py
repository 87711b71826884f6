"""A study of Optuna, from its storage through Optuna's public API: distributions, direction, trials.

What an objective function does is no part of a storage, so the command is one to fill in, or given by the user.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from automl.drafting.draft import Draft, Searched
from automl.drafting.metrics import by_name
from automl.errors import InvalidInput, nearest
from automl.export.storage_names import JOURNAL, MEASURED, SQLITE
from automl.importing.imported import TO_CORRECT, USUAL_TRIALS, FinishedTrial, Imported, without_program
from automl.search.measurements import Measurements, from_json
from automl.study.study_file import study_name

_STATUS = {TrialState.COMPLETE: "success", TrialState.PRUNED: "stopped", TrialState.FAIL: "failure"}


def imported(storage: str, name: str | None) -> Imported:
    """The study of this name in a storage; without a name the only one. Raises InvalidInput."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    opened = _opened(storage)
    try:
        names = optuna.get_all_study_names(opened)
        chosen = _chosen(names, name, storage)
        study = optuna.load_study(study_name=chosen, storage=opened)
        return _imported(study, chosen)
    finally:
        optuna.logging.set_verbosity(verbosity)
        if isinstance(opened, RDBStorage):
            opened.remove_session()
            opened.engine.dispose()


def _opened(storage: str) -> BaseStorage:
    """The storage at an address or a path. A file that is none is not made one."""
    path = Path(storage.removeprefix("sqlite:///"))
    is_file = "://" not in storage or storage.startswith("sqlite:///")
    ending = path.suffix.lower()
    if is_file and not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InvalidInput(f"the storage {storage} {what}", allowed="a file, or an address such as sqlite:///a.db")
    if is_file and "://" not in storage and ending not in (*SQLITE, *JOURNAL):
        allowed = f"a name that ends in {', '.join(SQLITE)} (SQLite) or {', '.join(JOURNAL)} (a journal)"
        raise InvalidInput(f"{storage} does not say which kind of Optuna storage it is", allowed=allowed)
    if is_file and path.read_bytes()[:16] != b"SQLite format 3\0" and ending not in JOURNAL:
        raise InvalidInput(f"{storage} is no storage of Optuna: it is not a database of SQLite")
    try:
        if ending in JOURNAL and "://" not in storage:
            return JournalStorage(JournalFileBackend(str(path)))
        return RDBStorage(f"sqlite:///{path}" if is_file else storage)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise InvalidInput(f"{storage.rpartition('@')[2]} is no storage of Optuna: {reason}") from error


def _chosen(names: Sequence[str], name: str | None, storage: str) -> str:
    if name is None and len(names) == 1:
        return names[0]
    if name is None or name not in names:
        given = f"--study: {name!r} is not in {storage}" if name else f"{storage} has {len(names)} studies"
        advice = nearest(name, names) if name else "name one: --study NAME"
        raise InvalidInput(given, allowed=", ".join(names) or "none: the storage is empty", advice=advice)
    return name


def _imported(study: optuna.Study, name: str) -> Imported:
    left_out = ["sampler and pruner: a storage of Optuna does not name them; bayesian stands in their place"]
    trials = study.get_trials(deepcopy=False)
    metric = str(study.user_attrs.get("argo-automl metric") or (study.metric_names or ["value"])[0])
    metrics = _metrics(study, metric)
    parameters = _distributions(trials, left_out)
    if not parameters:
        raise InvalidInput(f"the study {name} of Optuna has no trial with parameters", advice="run it first")
    left_out.append("command: a storage of Optuna does not name the program; correct 'command' and 'status'")
    courses = [_courses(trial, metric, left_out) for trial in trials]
    if any(courses):
        left_out.append(
            "values on the way: they are in the table of finished trials; a warm start uses the last of each"
        )
    network = without_program(metric, study.directions[0].name.lower())
    constraints = study.user_attrs.get("argo-automl constraints")
    names = [*(rule["name"] for rule in metrics[1:]), *(rule["metric"] for rule in constraints or [])]
    if names:
        found = (by_name(name).status["patterns"][1] for name in dict.fromkeys(names) if name != metric)
        network["status"] = {**network["status"], "patterns": [*network["status"]["patterns"], *found]}
    if any("constraints" in trial.system_attrs for trial in trials) and not constraints:
        left_out.append("constraints: a storage of Optuna holds by how much they are broken, not what they bound")
    options: dict[str, Any] = {"algorithm": "bayesian", "max_recommendations": USUAL_TRIALS}
    options |= {"metrics": metrics} if len(metrics) > 1 else {}
    options |= {"constraints": constraints} if constraints else {}
    for key, value in study.user_attrs.items():
        if not key.startswith("argo-automl"):
            left_out.append(f"user_attrs.{key}: {str(value)[:80]}")
    finished = tuple(
        FinishedTrial(
            trial.params,
            _STATUS[trial.state],
            trial.values[0] if trial.values else None,
            max(trial.intermediate_values, default=0) or None,
            {rule["name"]: value for rule, value in zip(metrics[1:], (trial.values or ())[1:], strict=False)},
            course,
        )
        for trial, course in zip(trials, courses, strict=True)
        if trial.state in _STATUS
    )
    waiting = len(trials) - len(finished)
    if waiting:
        left_out.append(f"{waiting} trials that are running or waiting")
    head = (f"From the study {name} of Optuna.",)
    return Imported(
        Draft(study_name(name), network, parameters, options, TO_CORRECT, head=head), tuple(left_out), finished
    )


def _courses(trial: FrozenTrial, metric: str, left_out: list[str]) -> Measurements:
    """The values of a trial on the way, by metric. Those of further metrics are an attribute of our own export.

    Optuna's `Trial.report` is for one metric, but its storages keep values on the way of a study with several.
    """
    points = [(step, value) for step, value in sorted(trial.intermediate_values.items()) if math.isfinite(value)]
    first = {metric: tuple(points)} if points else {}
    try:
        further = from_json(trial.user_attrs.get(MEASURED, {}))
    except (AttributeError, TypeError, ValueError):
        left_out.append(f"user_attrs.{MEASURED} of trial {trial.number}: it holds no values by epoch")
        further = {}
    return {**further, **first}


def _metrics(study: optuna.Study, first: str) -> list[dict[str, str]]:
    """The metrics of a study, the first one first; those without a name are numbered."""
    names = study.metric_names or [first, *(f"value_{place}" for place in range(1, len(study.directions)))]
    goals = (direction.name.lower() for direction in study.directions)
    return [{"name": name, "goal": goal} for name, goal in zip([first, *names[1:]], goals, strict=True)]


def _distributions(trials: Iterable[FrozenTrial], left_out: list[str]) -> tuple[Searched, ...]:
    """A row for every parameter that any trial had, as the last of them had it."""
    last: dict[str, BaseDistribution] = {}
    counts: dict[str, int] = {}
    total = 0
    for trial in trials:
        total += bool(trial.distributions)
        for name, distribution in trial.distributions.items():
            if name in last and last[name] != distribution:
                left_out.append(f"{name}: its distribution changed on the way; the last one is taken")
            last[name] = distribution
            counts[name] = counts.get(name, 0) + 1
    for name, count in counts.items():
        if count < total:
            left_out.append(
                f'{name}: only {count} of {total} trials had it; add its condition: active_when: "other == value"'
            )
    return tuple(Searched(name, row(distribution)) for name, distribution in last.items())


def row(distribution: BaseDistribution) -> dict[str, Any]:
    """The row of a distribution, the inverse of `automl.export.optuna_storage.distribution`."""
    if isinstance(distribution, CategoricalDistribution):
        options = list(distribution.choices)
        if len(options) == 2 and all(isinstance(option, bool) for option in options):
            return {"type": "bool"}
        return {"type": "categorical", "options": options}
    if not isinstance(distribution, IntDistribution | FloatDistribution):
        raise InvalidInput(f"the distribution {type(distribution).__name__} of Optuna is not known")
    found: dict[str, Any] = {"low": distribution.low, "high": distribution.high}
    if distribution.log:
        found["log"] = True
    usual = 1 if isinstance(distribution, IntDistribution) else None
    if distribution.step not in {None, usual}:
        found["step"] = distribution.step
    return found
