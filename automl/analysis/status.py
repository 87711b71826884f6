"""What a study says of itself, from its record alone: status, the table of experiments, the verdict. Text and data."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from automl.analysis.time_left import TimeLeft, time_left
from automl.search.brain import DEFAULTS
from automl.search.history import History, Status
from automl.search.plan import Plan, with_before
from automl.study import summary
from automl.study.attempt_times import AttemptTimes, times_of_newest, times_of_run
from automl.study.definition import Definition
from automl.study.estimate import Estimate, estimate
from automl.study.experiments import experiments, runs_of
from automl.study.keys import run_prefix
from automl.study.record import Record


@dataclass(frozen=True)
class Progress:
    """Where a study stands. Epochs are those of the plan; what a failure left untrained counts as done."""

    state: str  # "not started", "running", "judging", "done", "failed"
    experiments: dict[str, int]
    epochs_done: int
    epochs_pending: int


def progress(definition: Definition, study: History, running: dict[int, int] | None = None) -> Progress:
    """The progress of a study. running: experiment -> epochs done, where known."""
    plan = definition.plan
    found = experiments(study, plan)
    counts = {status.value: sum(each.status is status for each in found) for status in Status}
    for _ in running or {}:
        counts[Status.PENDING] -= 1
        counts[Status.RUNNING] += 1
    pending = 0
    stages = plan.stages
    if summary.search_is_over(definition, study) and summary.best_of_search(definition, study) is None:
        stages = plan.search  # nothing succeeded: there is nothing to judge
    for stage in stages:
        decisions = study.of_stage(stage.index)
        for rung, before in with_before(stage, "epochs"):
            if rung.index < len(decisions):
                issued = decisions[rung.index].issued
                open_runs = [each for each in issued if (each.number, rung.index) not in study.results]
                pending += sum(rung.epochs - max(before, (running or {}).get(each.number, 0)) for each in open_runs)
            else:
                survivors = _survivors(study, stage.index) if not rung.new else rung.size
                pending += min(rung.size, survivors) * (rung.epochs - before)
    total = plan.trained(plan.stages, resume=True)
    done = max(0, total - pending)
    return Progress(summary.state(definition, study), counts, done, pending)


def _survivors(study: History, stage: int) -> int:
    decisions = study.of_stage(stage)
    return len(decisions[-1].issued) if decisions else 10**9


def begun(record: Record, definition: Definition, study: History) -> dict[int, int]:
    """The experiments that an attempt has begun to train and that have no result yet, with their stored epochs."""
    found = {}
    for asked, rung in runs_of(study, definition.plan.stages):
        open_run = (asked.number, rung) not in study.results
        if open_run and record.store.list(run_prefix(asked.number, rung)):
            stored = record.checkpoints(asked.number, rung)
            found[asked.number] = stored[0].epoch if stored else asked.resume_epoch
    return found


def times_for_the_outlook(record: Record, study: History, running: Iterable[tuple[int, int]]) -> list[AttemptTimes]:
    """The times that say how fast a study is: of what trains (experiment, rung), and of the newest that has ended."""
    found = list(times_of_newest(record, study.results.values()))
    for run in running:
        found += times_of_run(record, *run)
    return found


def status(
    record: Record, definition: Definition, jobs: int | None = None, *, now: float | None = None
) -> dict[str, Any]:
    """All that `automl status` and `automl report` show, as data.

    jobs: trainings side by side; None: as many as the record shows. now: seconds of UTC; None: by this machine's clock.
    """
    study = record.history(definition)
    running = begun(record, definition, study)
    open_runs = [run for run in _runs(definition, study) if run[0] in running and run not in study.results]
    times = times_for_the_outlook(record, study, open_runs)
    for each in times:
        if (each.experiment, each.rung) in open_runs and each.epochs:
            running[each.experiment] = max(running[each.experiment], each.epochs[-1][0])
    found = progress(definition, study, running)
    verdict = summary.verdict(definition, study)
    left = time_left(definition, study, times, time.time() if now is None else now, jobs)
    return {
        "study": definition.file.name,
        "store": record.store.uri,
        "state": found.state,
        "algorithm": definition.file.algorithm,
        "metric": definition.metric_rule.model_dump(),
        "experiments": {"planned": definition.plan.experiments, **found.experiments},
        "running": [{"experiment": number, "epoch": epoch} for number, epoch in sorted(running.items())],
        "epochs": {"done": found.epochs_done, "pending": found.epochs_pending},
        **left_data(left),
        "best": best(definition, study),
        "verdict": verdict and verdict.to_json(),
        "experiments_table": rows(definition, study, running),
    }


def left_data(left: TimeLeft | None) -> dict[str, Any]:
    """The time left as data: minutes, the two ends of the interval of 80 %, and for how many trainings side by side."""
    return {
        "minutes_left": None if left is None else round(left.middle, 2),
        "minutes_left_80": None if left is None else [round(left.low, 2), round(left.high, 2)],
        "side_by_side": None if left is None else left.jobs,
    }


def _runs(definition: Definition, study: History) -> list[tuple[int, int]]:
    return [(asked.number, rung) for asked, rung in runs_of(study, definition.plan.stages)]


def best(definition: Definition, study: History) -> dict[str, Any] | None:
    """The best experiment so far: its number, value and parameters; None when none has succeeded."""
    found = summary.best_of_search(definition, study)
    if found is None:
        return None
    experiment = next(each for each in experiments(study, definition.plan) if each.number == found.experiment)
    result = study.results[found.experiment, found.rung]
    return {
        "experiment": found.experiment,
        "value": found.best_value,
        "epoch": result.best.epoch if result.best else result.epochs,
        "defaults": found.experiment == DEFAULTS,
        "values": dict(experiment.values),
        "reason": experiment.recommendations[0].reason,
    }


def rows(definition: Definition, study: History, running: dict[int, int]) -> list[dict[str, Any]]:
    """The table of experiments: one row each, by number. running: as `begun` gives it."""
    table = []
    for each in experiments(study, definition.plan):
        last = each.results[-1] if each.results else None
        table.append(
            {
                "experiment": each.number,
                "stage": definition.plan.stages[each.stage].name,
                "status": (Status.RUNNING if each.number in running else each.status).value,
                "epochs": max(each.epochs, running.get(each.number, 0)),
                "value": last.value if last else None,
                "best": last.best_value if last else None,
                "seconds": round(sum(result.seconds for result in each.results), 1),
                "reason": each.reason,
                "values": dict(each.values),
            }
        )
    return table


def plan_data(definition: Definition, places: tuple[int, ...]) -> dict[str, Any]:
    """All that `automl plan` shows, as data."""
    plan = definition.plan
    found = estimate(plan, definition.costs, places)
    return {
        "study": definition.file.name,
        "network": definition.network.name,
        "algorithm": definition.file.algorithm,
        "sampler": definition.sampler_name,
        "parameters": [parameter.name for parameter in definition.space.parameters],
        "notes": list(plan.notes),
        "stages": [
            {
                "stage": stage.name,
                "kind": stage.kind,
                "experiments": stage.experiments,
                "rungs": [
                    {"rung": rung.index, "experiments": rung.size, "epochs": rung.epochs, "from_epoch": before}
                    for rung, before in with_before(stage, "epochs")
                ],
            }
            for stage in plan.stages
        ],
        "totals": totals(plan, found),
    }


def totals(plan: Plan, found: Estimate) -> dict[str, Any]:
    """The sums of a plan. Epochs of the search resumed and from scratch; the rest with the final judgement."""
    return {
        "experiments": plan.experiments,
        "runs": plan.runs,
        "search_epochs": plan.epochs(resume=True),
        "search_epochs_from_scratch": plan.epochs(resume=False),
        "final_epochs": plan.final_epochs,
        "training_minutes": _rounded(found.minutes),
        "training_minutes_from_scratch": _rounded(found.minutes_from_scratch),
        "gpu_hours": _rounded(found.gpu_hours),
        "price": _rounded(found.price),
        "wall_minutes": {str(k): _rounded(minutes) for k, minutes in found.wall_minutes.items()},
        "storage_megabytes": _rounded(found.storage_megabytes),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
