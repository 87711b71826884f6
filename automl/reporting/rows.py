"""What both a terminal and a notebook say about a plan, a status, a best experiment and a replay, as rows of text.

Rows are built here once from values; the terminal and the notebook draw them in their own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automl.analysis.epoch_ledger import ledger_text
from automl.analysis.eta import TimeLeft
from automl.analysis.findings import BestSoFar
from automl.analysis.planned import PlannedStudy, Totals
from automl.analysis.status import EarlyEnd, ExperimentRow, Progress, StudyStatus
from automl.analysis.trade_off import TradeOff, TradePoint
from automl.search.history import Failure, Status
from automl.search.race import DEFAULTS
from automl.study.states import counts_in_words
from automl.text.formatting import counted, duration, number, setting

Pairs = list[tuple[str, str]]


def plan_title(planned: PlannedStudy) -> str:
    """What is searched and how, without the study's name: 'hyperband on fashion_mnist, uniform sampling'."""
    return f"{planned.algorithm} on {planned.network}, {planned.sampler} sampling"


def plan_parameters(planned: PlannedStudy) -> str:
    """What is searched, and how many configurations there are, where that is a number."""
    if not planned.parameters:
        return "nothing"
    number = planned.configurations
    return ", ".join(planned.parameters) + ("" if number is None else f" ({counted(number, 'configuration')})")


def plan_totals(totals: Totals) -> Pairs:
    """The totals of a plan."""
    saved = totals.search_epochs_from_scratch > totals.search_epochs
    scratch = f" ({totals.search_epochs_from_scratch:,g} if nothing resumed from a checkpoint)" if saved else ""
    final = f", and {totals.final_epochs:,} for the final judgement" if totals.final_epochs else ""
    rows = [
        ("total", f"{counted(totals.experiments, 'experiment')} in {counted(totals.runs, 'run')}"),
        ("epochs", f"{totals.search_epochs:,g}{scratch}{final}"),
    ]
    estimate = totals.estimate
    if estimate.minutes is None:
        rows.append(("time", "unknown: 'automl plan --probe' measures it; 'costs: {minutes_per_epoch: ...}' sets it"))
    else:
        wall = [f"{duration(minutes)} with {jobs}" for jobs, minutes in estimate.wall_minutes.items()]
        rows.append(("time", f"{', '.join(wall)} at a time; {duration(estimate.minutes)} of training"))
    if estimate.gpu_hours:
        rows.append(("GPU hours", f"{estimate.gpu_hours:,g}"))
    if estimate.price is not None:
        rows.append(("price", f"{estimate.price:,.2f}"))
    if estimate.storage_megabytes is not None:
        rows.append(("storage", f"up to {estimate.storage_megabytes:,g} MB"))
    return rows


def time_left_text(left: TimeLeft | None) -> str:
    """The time left with its interval of 80 %: 'about 4 min (2 to 11)'; 'unknown' before any epoch was seen."""
    if left is None:
        return "unknown"
    low, middle, high = (duration(minutes) for minutes in (left.low, left.middle, left.high))
    if low == high:
        return middle
    parts = [text.split(" ") for text in (low, middle, high)]
    if all(len(part) == 2 and part[1] == parts[0][1] for part in parts):  # one unit serves all
        low, high = parts[0][0], parts[2][0]
    return f"about {middle} ({low} to {high})"


def best_name(best: BestSoFar) -> str:
    """'experiment 5', and whether that is the defaults."""
    return f"experiment {best.experiment}{' (the defaults)' if best.is_defaults else ''}"


def model_text(experiment: int, training: int, *, keeps_a_model: bool) -> str:
    """What best_model holds: the values of an experiment, with the checkpoint of this training where one is kept."""
    whose = "the defaults" if experiment == DEFAULTS else f"experiment {experiment}"
    whose = whose if keeps_a_model else f"the values and the log of {whose}"
    return whose if training == experiment else f"{whose}, trained again as experiment {training}"


def setting_rows(values: Mapping[str, Any]) -> Pairs:
    """The values of an experiment, one for each row."""
    return [(name, setting(value)) for name, value in values.items()]


def experiment_cells(row: ExperimentRow) -> tuple[str, str, str, str]:
    """The cells with which every table of experiments begins: number, stage, state, epochs."""
    return str(row.experiment), row.stage, row.state.value, str(row.epochs)


def end_text(row: ExperimentRow) -> str:
    """Why an experiment ended, with the kind of a failure in words."""
    return failed_text(row.reason) if row.status is Status.FAILURE else row.reason


def failed_text(reason: str) -> str:
    """How an experiment failed, in words, from what its record says: 'out_of_memory: CUDA ...'."""
    kind, _, message = reason.partition(": ")
    return Failure(kind).described(message)


def pause_rows(status: StudyStatus) -> Pairs:
    """Why a study is paused, and what to do; none for one that is not."""
    if status.paused is None:
        return []
    error = status.paused.error()
    return [("paused", error.given.removeprefix("the study is paused: ")), ("to continue", error.advice)]


def rung_rows(status: StudyStatus) -> Pairs:
    """That short trainings mislead, and what to do; none where they do not."""
    if status.rungs is None or not status.rungs.warning:
        return []
    return [("warning", status.rungs.warning), ("what to do", status.rungs.advice)]


def state_rows(status: StudyStatus) -> Pairs:
    """Where a study stands."""
    progress = status.progress
    is_open = status.progress.state in {"running", "judging"}
    parts = counts_in_words(progress.states) or ["none yet"]
    parts += [f"{status.planned} planned"] if is_open else []
    rows = [
        ("study", f"{status.study} in {status.store}"),
        ("state", status.state),
        *pause_rows(status),
        ("experiments", ", ".join(parts)),
        ("epochs", epochs_text(progress)),
        ("spent", "" if status.ledger is None else ledger_text(status.ledger)),
        ("until", early_end_text(status.early_end)),
        ("warm start", "; ".join(search.words for search in status.warm_start)),
        *rung_rows(status),
        ("time left", time_left_text(status.time_left) if is_open and status.paused is None else ""),
        ("best", best_text(status)),
        *trade_off_rows(status.trade_off),
        ("verdict", verdict_text(status)),
    ]
    return [row for row in rows if row[1]]


def epochs_text(progress: Progress) -> str:
    """'33 done, 12 to go, 9 dropped', which are all that were planned."""
    dropped = f", {progress.epochs_dropped:,} dropped" if progress.epochs_dropped else ""
    return f"{progress.epochs_done:,} done, {progress.epochs_pending:,} to go{dropped}"


def best_text(status: StudyStatus) -> str:
    """'val_acc 0.913, latency_ms 12, experiment 5'; why there is none."""
    best = status.best
    if best is None:
        return "none yet"
    return f"{status.metric.name} {_values(best)}, {best_name(best)}"


def _values(best: BestSoFar) -> str:
    """The value of the first metric, then those of the others with their names: '0.913, latency_ms 12'."""
    return number(best.value) + "".join(f", {name} {number(value)}" for name, value in best.measured.items())


def trade_off_rows(trade_off: TradeOff | None) -> Pairs:
    """The front and the constraints of a study; none of one metric alone."""
    if trade_off is None:
        return []
    front, infeasible = trade_off.front, trade_off.infeasible
    rows = []
    if trade_off.aim.is_several and front:
        numbers = ", ".join(str(point.experiment) for point in front)
        share = "" if trade_off.hypervolume is None else f"; hypervolume {trade_off.hypervolume:.3f} of the box"
        rows = [("front", f"{counted(len(front), 'experiment')}: {numbers}{share}"), ("chosen", trade_off.aim.in_words)]
    if trade_off.aim.constraints:
        rows.append(("constraints", ", ".join(one.words for one in trade_off.aim.constraints)))
    if infeasible:
        near = infeasible[0] if len(infeasible) == 1 else min(infeasible, key=lambda one: _off(trade_off, one))
        head = f"{len(infeasible)} of {counted(len(trade_off.points), 'experiment')}"
        least = "" if len(infeasible) == 1 else "; the least off, "
        rows.append(("infeasible", f"{head}{least or ': '}experiment {near.experiment}: {near.why}"))
    return rows


def _off(trade_off: TradeOff, point: TradePoint) -> tuple[float, int]:
    aim = trade_off.aim
    return aim.violation(point.values.get(aim.name), point.values), point.experiment


def verdict_text(status: StudyStatus) -> str:
    """The verdict in one sentence, and on which data; empty before the judgement has one."""
    verdict = status.verdict
    return f"{verdict.sentence}, on {verdict.gain_judged_on}" if verdict is not None and verdict.sentence else ""


def early_end_text(early_end: EarlyEnd | None) -> str:
    """How far a search is with its limits, or which of them has ended it."""
    if early_end is None:
        return ""
    if early_end.limit is not None:
        return early_end.why
    parts = [
        f"{limit.limit.value} {'none yet' if limit.now is None else f'{limit.now:.6g}'} of {limit.most:g}"
        for limit in early_end.limits
    ]
    return ", ".join(parts)


def indicators(status: StudyStatus) -> Pairs:
    """The state of a running search, and the four things to watch."""
    running = ", ".join(f"{number} (epoch {epoch})" for number, epoch in status.running.items()) or "none"
    best = status.best
    return [
        ("state", status.state),
        *pause_rows(status),
        ("experiments now", running),
        ("epochs pending", f"{status.progress.epochs_pending:,}"),
        ("time left", time_left_text(status.time_left)),
        ("best so far", f"{_values(best)} (experiment {best.experiment})" if best else "none"),
    ]
