"""Where a study stands, from its record alone: progress, time left, the best so far, the table of experiments."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from automl.analysis.epoch_ledger import EpochLedger, epoch_ledger, not_asked_for, planned_epochs
from automl.analysis.eta import TimeLeft
from automl.analysis.findings import BestSoFar, findings
from automl.analysis.rung_warning import RungHealth, rung_health
from automl.analysis.time_left import time_left
from automl.analysis.trade_off import TradeOff
from automl.networks.metric_rules import MetricRule
from automl.search.earlier_search import EarlierSearch
from automl.search.early_end import Limit, Measured
from automl.search.history import History, Recommendation, Status
from automl.search.plan import StageKind
from automl.study import ending, summary
from automl.study.attempt_times import AttemptTimes, times_of_newest, times_of_run
from automl.study.definition import Definition
from automl.study.experiments import experiments, runs_of
from automl.study.keys import run_prefix
from automl.study.outages import Pause, open_pause, when_over
from automl.study.record import Record
from automl.study.states import State, counted_states, state_of
from automl.study.verdict import Verdict


@dataclass(frozen=True)
class Progress:
    """Where a study stands. Epochs are those of the plan, counted as in the `EpochLedger`.

    `epochs_done` are trained in trainings that did not fail, or under way; `epochs_pending` are still to come. What is
    left of the plan will never be trained: it failed, or is not needed any more.
    """

    state: str  # "not started", "running", "judging", "done", "failed"
    counts: Mapping[Status, int]
    states: Mapping[State, int]
    epochs_done: int
    epochs_pending: int
    epochs_planned: int

    @property
    def epochs_dropped(self) -> int:
        """The planned epochs that will never be trained."""
        return self.epochs_planned - self.epochs_done - self.epochs_pending

    @property
    def share_done(self) -> float:
        """The share of the epochs that are done, of those that are not dropped, 0 to 1."""
        whole = self.epochs_done + self.epochs_pending
        return self.epochs_done / whole if whole else 0.0


@dataclass(frozen=True)
class EarlyEnd:
    """How far a search is with its limits; where one has ended it, which, and why in words."""

    limits: tuple[Measured, ...]
    limit: Limit | None = None
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        ended = None if self.limit is None else {"limit": self.limit.value, "why": self.why}
        return {"ended": ended, "limits": [limit.to_json() for limit in self.limits]}


@dataclass(frozen=True)
class ExperimentRow:
    """An experiment in the table. `value` is that of its newest result, `best` its best one that has a checkpoint."""

    experiment: int
    stage: str
    status: Status
    state: State
    epochs: int
    value: float | None
    best: float | None
    seconds: float
    reason: str
    values: Mapping[str, Any]
    is_final: bool = False  # one of the final judgement
    measured: Mapping[str, float] = field(default_factory=dict)  # further metrics, of the kept checkpoint
    proposed: str = ""  # why it was proposed

    def to_json(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment,
            "stage": self.stage,
            "status": self.status.value,
            "state": self.state.value,
            "epochs": self.epochs,
            "value": self.value,
            "best": self.best,
            "seconds": self.seconds,
            "reason": self.reason,
            "proposed": self.proposed,
            "values": dict(self.values),
            **({"measured": dict(self.measured)} if self.measured else {}),
        }


@dataclass(frozen=True)
class StudyStatus:
    """All that `automl status` and `automl report` show. `running` maps experiments that train to their epochs."""

    study: str
    store: str
    algorithm: str
    metric: MetricRule
    planned: int
    progress: Progress
    paused: Pause | None
    running: Mapping[int, int]
    time_left: TimeLeft | None
    best: BestSoFar | None
    verdict: Verdict | None
    experiments: tuple[ExperimentRow, ...]
    early_end: EarlyEnd | None = None  # of a study with limits
    ledger: EpochLedger | None = None
    rungs: RungHealth | None = None
    trade_off: TradeOff | None = None  # of a study with several metrics or constraints
    warm_start: tuple[EarlierSearch, ...] = ()

    @property
    def state(self) -> str:
        """That of its progress, or "paused", by a row of failures that nobody has answered."""
        return self.progress.state if self.paused is None else "paused"

    def to_json(self) -> dict[str, Any]:
        left = self.time_left
        return {
            "study": self.study,
            "store": self.store,
            "state": self.state,
            "paused": self.paused and self.paused.to_json(),
            "algorithm": self.algorithm,
            "metric": self.metric.model_dump(),
            "experiments": {
                "planned": self.planned,
                **{status.value: count for status, count in self.progress.counts.items()},
            },
            "states": {state.value: count for state, count in self.progress.states.items()},
            "running": [{"experiment": number, "epoch": epoch} for number, epoch in self.running.items()],
            "epochs": {
                "done": self.progress.epochs_done,
                "pending": self.progress.epochs_pending,
                "dropped": self.progress.epochs_dropped,
            },
            "ledger": self.ledger and self.ledger.to_json(),
            "rungs": self.rungs and self.rungs.to_json(),
            "until": self.early_end and self.early_end.to_json(),
            "warm_start": [search.summary() for search in self.warm_start],
            "minutes_left": None if left is None else left.middle,
            "minutes_left_80": None if left is None else [left.low, left.high],
            "side_by_side": None if left is None else left.jobs,
            "best": self.best and self.best.to_json(),
            "verdict": self.verdict and self.verdict.to_json(),
            **({"trade_off": self.trade_off.to_json()} if self.trade_off is not None else {}),
            "experiments_table": [row.to_json() for row in self.experiments],
        }


def status(record: Record, definition: Definition, jobs: int | None = None, *, now: float | None = None) -> StudyStatus:
    """The status of a study.

    `jobs` is the number of trainings at a time; None counts those in the record. `now` is in seconds of UTC; None takes
    this machine's clock.
    """
    study = record.history(definition)
    running = begun(record, definition, study)
    running_runs = [
        (recommendation.number, rung)
        for recommendation, rung in _open_runs(definition, study)
        if recommendation.number in running
    ]
    times = times_for_the_outlook(record, study, running_runs)
    for attempt in times:
        if (attempt.experiment, attempt.rung) in running_runs and attempt.epochs:
            running[attempt.experiment] = max(running[attempt.experiment], attempt.epochs[-1][0])
    found = findings(definition, study)
    paused = open_pause(record)
    ahead = when_over(paused, definition, study)
    left = time_left(definition, ahead, times, time.time() if now is None else now, jobs)
    return StudyStatus(
        study=definition.file.name,
        store=record.store.uri,
        algorithm=definition.file.algorithm,
        metric=definition.metric_rule,
        planned=sum(stage.most_experiments for stage in definition.plan.stages),
        progress=progress(definition, study, running, paused),
        paused=paused,
        running=dict(sorted(running.items())),
        time_left=left and left.rounded(),
        best=found.best,
        verdict=found.verdict,
        experiments=rows(definition, study, running),
        early_end=early_end(record, definition, study),
        ledger=epoch_ledger(record, definition, study, paused),
        rungs=rung_health(definition, study),
        trade_off=found.trade_off,
        warm_start=definition.earlier,
    )


def early_end(record: Record, definition: Definition, study: History) -> EarlyEnd | None:
    """How far the search is with its limits; None for a study without any."""
    if definition.file.until is None:
        return None
    end, limits = definition.end, ending.progress(record, definition, study)
    return EarlyEnd(limits) if end is None else EarlyEnd(limits, end.limit, end.why if end.is_early else "")


def progress(
    definition: Definition, study: History, running: Mapping[int, int] | None = None, paused: Pause | None = None
) -> Progress:
    """The progress of a study. `running` maps experiments that train to the epochs that they have done."""
    running, plan = running or {}, definition.plan
    every = experiments(study, plan)
    statuses = [experiment.status for experiment in every]
    states = counted_states(state_of(one, is_running=one.number in running) for one in every)
    counts = {status: statuses.count(status) for status in Status}
    counts[Status.PENDING] -= len(running)
    counts[Status.RUNNING] += len(running)
    ahead = when_over(paused, definition, study)
    done, pending = 0, not_asked_for(definition, ahead)
    for issued, rung in runs_of(ahead, plan.stages):
        result = ahead.results.get((issued.number, rung))
        if result is None:
            under_way = max(0, running.get(issued.number, 0) - issued.resume_epoch)
            done += under_way
            pending += issued.epochs - issued.resume_epoch - under_way
        elif result.failure is None:
            done += max(0, result.epochs - issued.resume_epoch)
    return Progress(summary.state(definition, ahead), counts, states, done, pending, planned_epochs(definition))


def _open_runs(definition: Definition, study: History) -> list[tuple[Recommendation, int]]:
    """The runs without a result, each with its rung."""
    runs = runs_of(study, definition.plan.stages)
    return [
        (recommendation, rung) for recommendation, rung in runs if (recommendation.number, rung) not in study.results
    ]


def begun(record: Record, definition: Definition, study: History) -> dict[int, int]:
    """The experiments that an attempt has begun to train and that have no result yet, with their stored epochs."""
    epochs = {}
    for recommendation, rung in _open_runs(definition, study):
        if record.store.list(run_prefix(recommendation.number, rung)):
            checkpoints = record.checkpoints(recommendation.number, rung)
            epochs[recommendation.number] = checkpoints[0].epoch if checkpoints else recommendation.resume_epoch
    return epochs


def times_for_the_outlook(record: Record, study: History, running: Iterable[tuple[int, int]]) -> list[AttemptTimes]:
    """The times that show how fast a study is: of the `running` (experiment, rung), and of the newest that ended."""
    times = list(times_of_newest(record, study.results.values()))
    for run in running:
        times += times_of_run(record, *run)
    return times


def rows(definition: Definition, study: History, running: Mapping[int, int]) -> tuple[ExperimentRow, ...]:
    """The table of experiments, by number. `running` is as `begun` gives it."""
    table = []
    for experiment in experiments(study, definition.plan):
        last = experiment.results[-1] if experiment.results else None
        table.append(
            ExperimentRow(
                experiment=experiment.number,
                stage=definition.plan.stages[experiment.stage].name,
                status=Status.RUNNING if experiment.number in running else experiment.status,
                state=state_of(experiment, is_running=experiment.number in running),
                epochs=max(experiment.epochs, running.get(experiment.number, 0)),
                value=last.value if last else None,
                best=last.best_value if last else None,
                seconds=round(sum(result.seconds for result in experiment.results), 1),
                reason=experiment.reason,
                values=experiment.values,
                is_final=definition.plan.stages[experiment.stage].kind is StageKind.FINAL,
                measured=last.best_measured if last else {},
                proposed=experiment.recommendations[0].reason,
            )
        )
    return tuple(table)
