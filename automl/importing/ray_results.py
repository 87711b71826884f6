"""An experiment of Ray Tune, from its folder: params.json and result.json of every trial. Nothing is unpickled.

The search space of Ray lies in a pickle alone, so the ranges are those that the trials span.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.drafting.draft import Draft, Searched
from automl.drafting.metrics import goal
from automl.errors import InvalidInput, nearest
from automl.importing.imported import TO_CORRECT, USUAL_TRIALS, FinishedTrial, Imported, without_program
from automl.networks.spec_formats import flatten
from automl.study.study_file import study_name

_PARAMS, _RESULTS, _ERROR, _STATE = "params.json", "result.json", "error.txt", "experiment_state-*.json"
_OF_RAY = frozenset(
    {
        *("timestamp", "checkpoint_dir_name", "done", "training_iteration", "trial_id", "date", "time_this_iter_s"),
        *(
            "time_total_s",
            "pid",
            "hostname",
            "node_ip",
            "time_since_restore",
            "iterations_since_restore",
            "experiment_tag",
        ),
        *(
            "should_checkpoint",
            "experiment_id",
            "timesteps_total",
            "episodes_total",
            "time_since_restore",
            "timesteps_since_restore",
        ),
        *("warmup_time", "hist_stats", "trial_name"),
    }
)
_WIDE = 30.0  # the quotient of largest and smallest value from which on a range is one of magnitudes


@dataclass(frozen=True)
class _Trial:
    params: Mapping[str, Any]
    results: Sequence[Mapping[str, Any]]
    failed: bool


def imported(folder: Path, metric: str | None, wanted: str | None) -> Imported:
    """The experiment in a folder; `metric` and `wanted` (minimize or maximize) where they are not clear.

    Raises InvalidInput when it is none.
    """
    if not folder.is_dir():
        what = f"{folder} is a file" if folder.exists() else f"the folder {folder} does not exist"
        raise InvalidInput(what, allowed="the folder of an experiment of Ray Tune")
    trials = [_trial(path.parent) for path in sorted(folder.glob(f"*/{_PARAMS}"))]
    if not trials:
        inner = sorted({path.parents[1].name for path in folder.glob(f"*/*/{_PARAMS}")})
        advice = f"give the folder of one experiment: {', '.join(inner[:5])}" if inner else ""
        raise InvalidInput(
            f"{folder} is no experiment of Ray Tune: no folder in it has a {_PARAMS}",
            allowed="a folder with one folder for each trial, which has params.json and result.json",
            advice=advice,
        )
    left_out = [
        "search space: Ray stores it in a pickle, which is not read; the ranges are what the trials span",
        "searcher, scheduler: Ray stores them in a pickle; bayesian stands in their place",
        "command: a folder of Ray does not name the program; correct 'command' and 'status'",
    ]
    if not list(folder.glob(_STATE)):
        left_out.append("experiment_state: the folder has none, so trials that had not begun are not counted")
    name = _metric(trials, metric)
    direction = wanted or goal(name)
    if direction is None:
        raise InvalidInput(
            f"whether less or more of {name} is better does not follow from its name",
            advice="give --goal minimize or --goal maximize",
        )
    searched, spec = _space(trials, left_out)
    if not searched:
        raise InvalidInput(f"all trials of {folder} have the same parameters", advice="there is nothing to search")
    network = {**without_program(name, direction), **({"spec": spec} if spec else {})}
    comments = {**TO_CORRECT, "spec": "the same in all trials"}
    options = {"algorithm": "bayesian", "max_recommendations": USUAL_TRIALS}
    head = (f"From the experiment {folder.resolve().name} of Ray Tune.",)
    draft = Draft(study_name(folder.resolve().name), network, tuple(searched), options, comments, head=head)
    return Imported(draft, tuple(left_out), tuple(_finished(trial, name) for trial in trials))


def _space(trials: Sequence[_Trial], left_out: list[str]) -> tuple[list[Searched], dict[str, Any]]:
    """What differs among the trials, to be searched, and what is the same in all of them."""
    searched, spec = [], {}
    for key in dict.fromkeys(key for trial in trials for key in trial.params):
        values = [trial.params[key] for trial in trials if key in trial.params]
        if len({json.dumps(value, sort_keys=True) for value in values}) == 1:
            spec[key] = values[0]
        else:
            searched.append(_row(key, values, left_out))
    return searched, spec


def _trial(folder: Path) -> _Trial:
    params = _json((folder / _PARAMS).read_text(encoding="utf-8"), folder / _PARAMS)
    if not isinstance(params, dict):
        raise InvalidInput(f"{folder / _PARAMS} holds no mapping", allowed="the parameters of a trial of Ray Tune")
    path = folder / _RESULTS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    # a trial that was killed may have left half a line at the end
    whole = [
        line for index, line in enumerate(lines) if line.strip() and (index < len(lines) - 1 or line.endswith("}"))
    ]
    results = [flatten(result) for line in whole if isinstance(result := _json(line, path), dict)]
    return _Trial(flatten(params), results, (folder / _ERROR).exists())


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)  # Ray writes NaN
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is not JSON: {error}", allowed="what Ray Tune wrote there") from error


def _metric(trials: Iterable[_Trial], metric: str | None) -> str:
    names = list(dict.fromkeys(_numbers(result for trial in trials for result in trial.results)))
    if metric is not None and metric in names:
        return metric
    if metric is None and len(names) == 1:
        return names[0]
    given = f"--metric: {metric!r} is in no result.json" if metric else f"the trials report {len(names)} metrics"
    advice = nearest(metric, names) if metric else "name one: --metric NAME"
    raise InvalidInput(given, allowed=", ".join(names[:20]), advice=advice)


def _numbers(results: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for result in results:
        for name, value in result.items():
            if name not in _OF_RAY and not name.startswith(("config.", "perf.")) and type(value) in {int, float}:
                yield name


def _row(name: str, values: Sequence[Any], left_out: list[str]) -> Searched:
    """What the trials span: numbers a range, all else the options that were tried."""
    if not all(type(value) in {int, float} for value in values):
        options: list[Any] = []
        for value in values:
            if value not in options:
                options.append(value)
        if len(options) == 2 and all(isinstance(option, bool) for option in options):
            return Searched(name, {"type": "bool"})
        if any(isinstance(option, dict) for option in options):
            left_out.append(f"{name}: its options are no plain values; correct them")
        return Searched(name, {"type": "categorical", "options": options}, "all that was tried")
    low, high = min(values), max(values)
    row: dict[str, Any] = {"low": low, "high": high}
    if low > 0 and high / low >= _WIDE:
        row["log"] = True
    if any(isinstance(value, float) for value in values):
        row |= {"low": float(low), "high": float(high)}
    return Searched(name, row, "what the trials span: widen it where you know more")


def _finished(trial: _Trial, metric: str) -> FinishedTrial:
    """A trial with the last value that it reported."""
    values = [(result.get("training_iteration"), result[metric]) for result in trial.results if metric in result]
    numbers = [(step, float(value)) for step, value in values if type(value) in {int, float} and math.isfinite(value)]
    if trial.failed or not numbers:
        return FinishedTrial(trial.params, "failure", None)
    done = bool(trial.results[-1].get("done", True))
    step, value = numbers[-1]
    return FinishedTrial(trial.params, "success" if done else "stopped", value, step if isinstance(step, int) else None)
