"""What a study says of itself, from its record alone: status, the table of experiments, the verdict. Text and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automl import findings
from automl.brain import DEFAULTS
from automl.plan import Estimate, Plan, estimate, wall_minutes, with_before
from automl.record import Record, experiments, runs_of
from automl.study import Status, Study
from automl.study_file import Definition


@dataclass(frozen=True)
class Progress:
    """Where a study stands. Epochs are those of the plan; what a failure left untrained counts as done."""

    state: str  # "not started", "running", "judging", "done", "failed"
    experiments: dict[str, int]
    epochs_done: int
    epochs_pending: int
    minutes_left: float | None


def progress(definition: Definition, study: Study, jobs: int, running: dict[int, int] | None = None) -> Progress:
    """The progress of a study with `jobs` trainings side by side. running: experiment -> epochs done, where known."""
    plan = definition.plan
    found = experiments(study, plan.stages)
    counts = {status.value: sum(each.status is status for each in found) for status in Status}
    for _ in running or {}:
        counts[Status.PENDING] -= 1
        counts[Status.RUNNING] += 1
    pending = 0
    stages = plan.stages
    if findings.search_is_over(definition, study) and findings.best_of_search(definition, study) is None:
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
    speed = _seconds_per_epoch(study)
    left = None
    if speed is not None and total:
        whole = wall_minutes(plan, speed / 60, 0.0, max(1, jobs))
        left = max(pending / total * whole, 0.0)
    return Progress(findings.state(definition, study), counts, done, pending, left)


def _survivors(study: Study, stage: int) -> int:
    decisions = study.of_stage(stage)
    return len(decisions[-1].issued) if decisions else 10**9


def _seconds_per_epoch(study: Study) -> float | None:
    """Mean seconds of a trained epoch, start of the program included."""
    trained = seconds = 0.0
    for (number, rung), result in study.results.items():
        before = study.results[number, rung - 1].epochs if (number, rung - 1) in study.results else 0
        if result.failure is None and result.epochs > before:
            trained += result.epochs - before
            seconds += result.seconds
    return seconds / trained if trained else None


def begun(record: Record, definition: Definition, study: Study) -> dict[int, int]:
    """The experiments that an attempt has begun to train and that have no result yet, with their stored epochs."""
    found = {}
    for asked, rung in runs_of(study, definition.plan.stages):
        open_run = (asked.number, rung) not in study.results
        if open_run and record.store.list(f"experiment_{asked.number}/rung_{rung}/"):
            stored = record.checkpoints(asked.number, rung)
            found[asked.number] = stored[0].epoch if stored else asked.resume_epoch
    return found


def status(record: Record, definition: Definition, jobs: int = 1) -> dict[str, Any]:
    """All that `automl status` and `automl report` show, as data."""
    study = record.study(definition.brain.metric, definition.plan.stages)
    running = begun(record, definition, study)
    found = progress(definition, study, jobs, running)
    return {
        "study": definition.file.name,
        "store": record.store.uri,
        "state": found.state,
        "algorithm": definition.file.algorithm,
        "metric": definition.metric_rule.model_dump(),
        "experiments": {"planned": definition.plan.experiments, **found.experiments},
        "running": [{"experiment": number, "epoch": epoch} for number, epoch in sorted(running.items())],
        "epochs": {"done": found.epochs_done, "pending": found.epochs_pending},
        "minutes_left": None if found.minutes_left is None else round(found.minutes_left, 1),
        "best": best(definition, study),
        "verdict": findings.verdict(definition, study),
        "experiments_table": rows(definition, study, running),
    }


def best(definition: Definition, study: Study) -> dict[str, Any] | None:
    """The best experiment so far: its number, value and parameters; None when none has succeeded."""
    found = findings.best_of_search(definition, study)
    if found is None:
        return None
    experiment = next(each for each in experiments(study, definition.plan.stages) if each.number == found.experiment)
    result = study.results[found.experiment, found.rung]
    return {
        "experiment": found.experiment,
        "value": found.best_value,
        "epoch": result.best.epoch if result.best else result.epochs,
        "defaults": found.experiment == DEFAULTS,
        "values": dict(experiment.values),
        "reason": experiment.recommendations[0].reason,
    }


def rows(definition: Definition, study: Study, running: dict[int, int]) -> list[dict[str, Any]]:
    """The table of experiments: one row each, by number. running: as `begun` gives it."""
    table = []
    for each in experiments(study, definition.plan.stages):
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
