"""A study as a table, with one row for every run of an experiment, that is, for every rung of which it was a part."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from automl.problem.aim import Aim
from automl.search.history import History, Result
from automl.search.race import DEFAULTS
from automl.search.ranking import kept_reading
from automl.study.definition import Definition
from automl.study.experiments import experiments, runs_of
from automl.study.states import state_of

VALUES = "values."  # before the name of a parameter
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet compute a cell


def rows(definition: Definition, study: History) -> Iterator[dict[str, Any]]:
    """The rows in the order of experiments and rungs; all have the same names.

    value is the metric after the run's last epoch, best_value the best that has a checkpoint; both are None for a
    failure and where there is no result yet. status and reason are the experiment's; seconds is this run's training.
    Of a study with several metrics or constraints value.NAME and best_value.NAME are those of the further metrics, and
    infeasible says what the kept checkpoint breaks.
    """
    aim = definition.aim
    parameters = [parameter.name for parameter in definition.space.parameters]
    by_number = {candidate.number: candidate for candidate in experiments(study, definition.plan)}
    runs = sorted(runs_of(study, definition.plan.stages), key=lambda run: (run[0].number, run[1]))
    for recommendation, rung in runs:
        experiment, result = by_number[recommendation.number], study.results.get((recommendation.number, rung))
        stage = definition.plan.stages[experiment.stage]
        yield {
            "experiment": recommendation.number,
            "stage": stage.name,
            "kind": stage.kind.value,
            "rung": rung,
            "defaults": recommendation.number == DEFAULTS,
            "status": experiment.status.value,
            "state": state_of(experiment).value,
            "from_epoch": recommendation.resume_epoch,
            "epochs": result.epochs if result else None,
            "epochs_asked": recommendation.epochs,
            "value": result.value if result else None,
            "best_value": result.outcome().best_value if result else None,
            **_further(aim.further, result),
            **({"infeasible": _infeasible(aim, result)} if isinstance(aim, Aim) else {}),
            "held_out": result.outcome().held_out if result else None,
            "seconds": round(result.seconds, 3) if result else None,
            "attempts": len(result.attempts) if result else None,
            "failure": str(result.failure) if result and result.failure else None,
            "message": result.message if result and result.message else None,
            "seed": recommendation.seed,
            "proposed": experiment.recommendations[0].reason,
            "reason": experiment.reason or None,
            **{f"{VALUES}{name}": recommendation.values.get(name) for name in parameters},
        }


def _further(names: Sequence[str], result: Result | None) -> dict[str, float | None]:
    """The further metrics of a run, at its last epoch and of its kept checkpoint."""
    outcome = result.outcome() if result else None
    last, best = (outcome.measured, outcome.best_measured) if outcome else ({}, {})
    kept = {f"best_value.{name}": best.get(name) for name in names}
    return {f"value.{name}": last.get(name) for name in names} | kept


def _infeasible(aim: Aim, result: Result | None) -> str | None:
    """What the kept checkpoint of a run breaks; None where it breaks nothing, and where there is none."""
    outcome = result.outcome() if result else None
    if outcome is None or outcome.best_value is None:
        return None
    return aim.why_infeasible(*kept_reading(outcome)) or None


def write_csv(definition: Definition, study: History, to: Path) -> int:
    """CSV as in RFC 4180, in UTF-8. A text that a spreadsheet would compute gets an apostrophe before it."""
    table = list(rows(definition, study))
    to.write_text(csv_text(table), encoding="utf-8", newline="")
    return len(table)


def csv_text(table: Sequence[Mapping[str, Any]]) -> str:
    """Rows, all with the same names, as `write_csv` writes them."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    names = list(table[0]) if table else []
    writer.writerow(_cell(name) for name in names)
    writer.writerows([_cell(row[name]) for name in names] for row in table)
    return file.getvalue()


def write_jsonl(definition: Definition, study: History, to: Path) -> int:
    """One JSON object per line, with its names in the order of the table."""
    table = list(rows(definition, study))
    lines = (json.dumps(row, allow_nan=False, ensure_ascii=False) + "\n" for row in table)
    to.write_text("".join(lines), encoding="utf-8")
    return len(table)


def _cell(value: Any) -> str:
    """A value as text. Booleans and lists are JSON, and None is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return json.dumps(value) if isinstance(value, bool | list) else repr(value)
