"""What is left of a study and what its trainings took, from its record, for `eta`. Pure: the caller passes the time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from automl.analysis import eta
from automl.analysis.eta import Seen, Task, TimeLeft, Waits
from automl.search.agenda import open_runs, standing_in
from automl.search.history import Decision, History, Recommendation
from automl.search.list_scheduling import Left, claims_of, without_barrier
from automl.search.plan import Stage, StageKind, with_before
from automl.search.stopping import likely_sizes
from automl.study import summary
from automl.study.attempt_times import AttemptTimes
from automl.study.definition import Definition
from automl.study.experiments import to_ask_for

_RECENT = 30  # attempts from which the places are counted
_PODS = Waits(between=(2.0, 8.0), rungs=(10.0, 30.0))  # what clusters took (docs/speed.md), for a study without any


def time_left(
    definition: Definition, study: History, times: Sequence[AttemptTimes], now: float, jobs: int | None = None
) -> TimeLeft | None:
    """The time left at `now` (seconds of UTC); None before any epoch was seen.

    `times` holds the attempts that the caller knows; those of runs without a result still train. `jobs` is the number
    of trainings at a time; None counts those of the record.
    """
    newest = {
        (attempt.experiment, attempt.rung): attempt for attempt in sorted(times, key=lambda attempt: attempt.began)
    }
    opened = open_runs(study, *study.decisions)
    running = sum((attempt := newest.get(run.key)) is not None and attempt.ended is None for run in opened)
    places = max(1, jobs or _side_by_side(times), 0 if jobs else running)
    claims = claims_of(definition.plan, places)
    search, after = (
        [chain for stage in stages for chain in _chains(study, stage, newest, now, claims)]
        for stages in _open_stages(definition, study)
    )
    trainings = [*_ended(study, newest), *(_seen(attempt, now=now) for attempt in _running(study, newest))]
    return eta.time_left(trainings, search, after, places, _waits(definition, times, None if running else now))


def as_it_was(
    definition: Definition, study: History, times: Sequence[AttemptTimes], now: float
) -> tuple[History, tuple[AttemptTimes, ...]]:
    """The study and its times as the record held them at `now`; a decision is made when its first run begins."""
    begun_by_then = tuple(
        replace(
            attempt,
            epochs=tuple(point for point in attempt.epochs if point[1] <= now),
            ended=attempt.ended if attempt.ended is not None and attempt.ended <= now else None,
        )
        for attempt in times
        if attempt.began <= now
    )
    ends = {(attempt.experiment, attempt.rung): attempt.seen for attempt in times}
    results = {run: result for run, result in study.results.items() if ends.get(run, math.inf) <= now}
    begun = {(attempt.experiment, attempt.rung) for attempt in begun_by_then}
    stages = definition.plan.stages
    decisions: list[Decision] = []
    for decision in study.decisions:
        first = decision.index == 0 and stages[decision.stage].kind is StageKind.SEARCH
        if first or any((recommendation.number, rung) in begun for recommendation, rung in decision.runs()):
            decisions.append(decision)
    return replace(study, decisions=tuple(decisions), results=results), begun_by_then


def _open_stages(definition: Definition, study: History) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
    """The stages of the search, and the final ones that wait for it, as long as there may be something to judge."""
    plan = definition.plan
    finals = plan.finals
    over = summary.search_is_over(definition, study)
    return plan.search, () if over and summary.best_of_search(definition, study) is None else finals


_Newest = dict[tuple[int, int], AttemptTimes]  # by experiment and rung
_Claims = Mapping[tuple[int, int], float]  # by stage and rung


def _chains(study: History, stage: Stage, newest: _Newest, now: float, claims: _Claims) -> list[list[list[Task]]]:
    """What is left of a stage: trainings that follow each other."""
    if stage.overlap is None:
        return [_chain(study, stage, newest, now, claims)]
    standing, to_come = standing_in(study, stage), dict(to_ask_for(study, stage))
    likely = likely_sizes(stage)  # of each rung all that there is room for, but where experiments are stopped
    opened = open_runs(study, *standing.decisions)
    rungs = []
    for rung, before in with_before(stage, "epochs"):
        begun = [_task(run.recommendation, newest.get(run.key), now) for run in opened if run.rung == rung.index]
        candidates = () if rung.new else tuple(outcome.experiment for outcome in standing.results(rung.index - 1))
        count = round(to_come.get(rung, 0) * likely[rung.index] / rung.size)
        claim = claims[stage.index, rung.index]
        later = [Task(before, rung.epochs, candidates=candidates, claim=claim)] * count
        asked = standing.rungs[rung.index]
        rungs.append(Left(rung.new, begun, later, len(standing.results(rung.index)), len(asked)))
    return [
        [[replace(waiting.task, needs=waiting.needs) for waiting in tasks] for tasks in chain]
        for chain in without_barrier(rungs, stage.overlap)
    ]


def _chain(study: History, stage: Stage, newest: _Newest, now: float, claims: _Claims) -> list[list[Task]]:
    """The rungs of a stage that are left, each with the trainings that are left."""
    decisions = study.of_stage(stage.index)
    alive = [recommendation.number for recommendation in decisions[-1].issued] if decisions else []
    last = len(decisions) - 1
    alive = [n for n in alive if (result := study.results.get((n, last))) is None or result.failure is None]
    rungs = []
    for rung, before in with_before(stage, "epochs"):
        if rung.index < len(decisions):
            tasks = []
            for recommendation in decisions[rung.index].issued:
                if (recommendation.number, rung.index) in study.results:
                    continue
                tasks.append(_task(recommendation, newest.get((recommendation.number, rung.index)), now))
        elif rung.new or not decisions:
            tasks = [Task(before, rung.epochs)] * rung.size
        else:
            tasks = [Task(before, rung.epochs, candidates=tuple(alive))] * min(rung.size, len(alive))
        if tasks:
            rungs.append([replace(task, claim=claims[stage.index, rung.index]) for task in tasks])
    return rungs


def _task(recommendation: Recommendation, times: AttemptTimes | None, now: float) -> Task:
    """A training that was asked for. `times` are those of its newest attempt."""
    task = Task(recommendation.resume_epoch, recommendation.epochs, recommendation.number)
    if times is not None and times.ended is None:
        return replace(task, begun=_seen(times), elapsed=max(0.0, now - times.began))
    if times is not None and times.epochs:
        return replace(task, start=times.epochs[-1][0])
    return task


def _seen(times: AttemptTimes, *, failed: bool = False, now: float | None = None) -> Seen:
    """A training as it was seen. `now` is for one that still trains, and leaves out what came later."""
    points = tuple((epoch, when - times.began) for epoch, when in times.epochs if now is None or when <= now)
    ended = None if times.ended is None else times.ended - times.began
    return Seen(times.experiment, times.start, points, ended, failed)


def _ended(study: History, newest: dict[tuple[int, int], AttemptTimes]) -> Iterable[Seen]:
    """The trainings with a result, from their times, or from the seconds that they took where times are unknown."""
    for (number, rung), result in study.results.items():
        failed = result.failure is not None
        times = newest.get((number, rung))
        if times is not None and times.attempt == result.attempts[-1] and times.epochs:
            yield _seen(times, failed=failed)
            continue
        before = study.results.get((number, rung - 1))
        start = before.epochs if before is not None else 0
        points = ((result.epochs, result.seconds),) if result.epochs > start and result.seconds > 0 else ()
        yield Seen(number, start, points, result.seconds, failed)


def _running(study: History, newest: dict[tuple[int, int], AttemptTimes]) -> Iterable[AttemptTimes]:
    return [attempt for run, attempt in newest.items() if run not in study.results]


def _side_by_side(times: Sequence[AttemptTimes]) -> int:
    """How many of the newest attempts trained at the same time, at most."""
    recent = sorted(times, key=lambda attempt: attempt.began)[-_RECENT:]
    return max(
        (sum(concurrent.began <= attempt.began < _until(concurrent) for concurrent in recent) for attempt in recent),
        default=1,
    )


def _until(times: AttemptTimes) -> float:
    return times.seen if times.ended is not None else float("inf")


def _waits(definition: Definition, times: Sequence[AttemptTimes], now: float | None) -> Waits:
    """How long workers were idle between trainings of a rung, and between the rungs of a stage.

    `now` is None while something trains.
    """
    stage_of = {
        number: stage.index
        for stage in definition.plan.stages
        for number in range(stage.first, stage.first + stage.experiments)
    }
    rungs: dict[tuple[int, int], list[AttemptTimes]] = {}
    for attempt in sorted(times, key=lambda attempt: attempt.began):
        if attempt.experiment in stage_of:
            rungs.setdefault((stage_of[attempt.experiment], attempt.rung), []).append(attempt)
    ends = sorted(attempt.ended for attempt in times if attempt.ended is not None)
    between, pauses = [], []
    for (stage, rung), attempts in rungs.items():
        before = [attempt.ended for attempt in rungs.get((stage, rung - 1), ()) if attempt.ended is not None]
        if before and attempts[0].began >= max(before):
            pauses.append(attempts[0].began - max(before))
        for attempt in attempts[1:]:
            ended = [end for end in ends if attempts[0].began < end <= attempt.began]
            if ended:
                between.append(attempt.began - ended[-1])
    usual = _PODS if any(attempt.in_pod for attempt in times) else Waits()
    since = None if now is None or not times else now - max(attempt.seen for attempt in times)
    return Waits(tuple(between) or usual.between, tuple(pauses) or usual.rungs, since)
