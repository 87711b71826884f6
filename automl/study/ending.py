"""How a search ends: looks whether a limit is reached, stores the end once, and says which trainings it leaves out.

Every study with limits stores how its search ended before it is judged, also where it came to the end of its plan. So
whoever looks later finds that it has ended, and how, and nobody ends it while somebody else judges it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from automl.errors import RecordError
from automl.search.agenda import Run, open_runs
from automl.search.early_end import (
    TIMED,
    End,
    Ending,
    Facts,
    Limit,
    Measured,
    Then,
    UnderWay,
    first_reached,
    in_words,
    measured,
)
from automl.search.history import Failure, History, Recommendation, Result
from automl.search.plan import Ended, Stage
from automl.study import summary
from automl.study.attempt_times import AttemptTimes, times_of_attempts
from automl.study.definition import Definition
from automl.study.experiments import runs_of
from automl.study.keys import ENDS, EXPERIMENTS, attempt_of, user_change_key
from automl.study.limits import with_costs
from automl.study.record import Record

Key = tuple[int, int]  # of a run: experiment and rung


def refreshed(record: Record, definition: Definition) -> Definition:
    """The definition with what is stored by now of how its search ended."""
    if not definition.file.until or definition.end is not None:
        return definition
    stored = record.user_changes(ENDS)
    ends = tuple(End.from_json(end, record.where(user_change_key(ENDS, number))) for number, end in enumerate(stored))
    return replace(definition, ends=ends) if len(ends) > len(definition.ends) else definition


def look(record: Record, definition: Definition, history: History, begun: Collection[Key] = ()) -> Definition:
    """The definition as it is from now on: the search is ended where a limit is reached, or where all is done.

    `history` is that of the record; `begun` are runs that the caller knows to train, whatever they have left yet. Who
    gets another definition back reads the history again.
    """
    if not definition.file.until or not definition.file.automl_enabled or definition.end is not None:
        return definition
    current = refreshed(record, definition)
    if current.end is not None:
        return current
    end = _end(record, definition, history, begun)
    if end is None:
        return definition
    record.add(ENDS, len(definition.extensions), end.to_json())
    current = refreshed(record, definition)
    if current.end is None:
        raise RecordError(f"{record.where(ENDS)} lacks the end of an earlier search", advice="restore it from a copy")
    return current


def progress(record: Record, definition: Definition, history: History) -> tuple[Measured, ...]:
    """How far the search is with each of its limits: by its end where it has ended early, otherwise by the record."""
    end, brain = definition.end, definition.brain
    if not definition.limits:
        return ()
    if end is not None and end.facts is not None:
        return measured(end.limits or {}, end.facts, brain.metric, brain.best_among)
    return measured(definition.limits, facts_of(record, definition, history, ()), brain.metric, brain.best_among)


def is_left_out(definition: Definition, run: Run) -> bool:
    """Whether a run without a result is not to be trained: its search ended early, and it may not finish.

    One that had a result then and has none now is trained again because a user wants it.
    """
    if definition.plan.stages[run.stage].ended is None:
        return False
    facts = [end.facts for end in definition.ends if end.facts is not None]
    had_results = {(one.outcome.experiment, one.outcome.rung) for fact in facts for one in fact.endings}
    finishing = {key for end in definition.ends for key in end.finishing}
    return run.key not in had_results | finishing


def why_left_out(definition: Definition, run: Run) -> str:
    """Why a run is not trained, for people."""
    ended = definition.plan.stages[run.stage].ended
    return "" if ended is None else ended.why


def leave_out(record: Record, definition: Definition, run: Run, attempt: str) -> Result:
    """Stores, as the result of a run that is left out, that the search ended before it was done."""
    number, resumes = run.recommendation.number, run.recommendation.resume_epoch
    before = record.result(number, run.rung - 1) if resumes else None
    return record.store_result(
        Result(
            number,
            run.rung,
            (attempt,),
            resumes,
            0.0,
            history=before.history if before is not None else (),
            failure=Failure.ENDED,
            message=why_left_out(definition, run),
        )
    )


def _end(record: Record, definition: Definition, history: History, begun: Collection[Key]) -> End | None:
    """How the search ends now; None while it goes on."""
    if summary.search_is_over(definition, history):
        return End(limit=None, why="the search came to the end of its plan")
    brain, limits, until = definition.brain, definition.limits, definition.file.until
    if not limits or until is None or not history.decisions:
        return None
    facts = facts_of(record, definition, history, begun)
    reached = first_reached(limits, facts, brain.metric, brain.best_among)
    if reached is None:
        return None
    why = f"the search ended early: {in_words(reached, brain.metric)}"
    end = End(reached.limit, why, Then(until.then), limits, facts)
    return replace(end, stages=tuple(_ended(history, stage, end) for stage in _current(definition)))


def _current(definition: Definition) -> list[Stage]:
    """The stages of the search, or of its newest extension."""
    begin = 0
    if definition.extensions:
        begin = len(replace(definition, extensions=definition.extensions[:-1]).plan.stages)
    return [stage for stage in definition.plan.search if stage.index >= begin]


def _ended(history: History, stage: Stage, end: End) -> Ended:
    """How far a stage came by then."""
    assert end.facts is not None, "an early end was decided from something"
    runs = {(issued.number, rung): issued for issued, rung in runs_of(history, (stage,))}
    own = [ending for ending in end.facts.endings if (ending.outcome.experiment, ending.outcome.rung) in runs]
    finishing = [runs[key] for key in end.finishing if key in runs]
    return Ended(
        decisions=len(history.of_stage(stage.index)),
        experiments=sum(stage.rungs[rung].new for _, rung in runs),
        epochs=sum(ending.trained for ending in own) + sum(run.epochs - run.resume_epoch for run in finishing),
        longest=max(
            (*(one.outcome.epochs for one in own if one.outcome.failure is None), *(run.epochs for run in finishing)),
            default=0,
        ),
    )


def facts_of(record: Record, definition: Definition, history: History, begun: Collection[Key]) -> Facts:
    """What the limits are measured by. Reads the times of attempts only where a limit needs them."""
    plan, limits = definition.plan, definition.limits
    runs = {(issued.number, rung): issued for issued, rung in runs_of(history, plan.search)}
    attempts = {attempt for key in record.store.list(EXPERIMENTS) if (attempt := attempt_of(key)) is not None}
    of_search = {attempt for attempt in attempts if attempt[:2] in runs}
    left = {run.key for run in open_runs(history, *history.decisions)} & set(runs)
    started = left & ({attempt[:2] for attempt in of_search} | set(begun))
    timed = bool({*TIMED, Limit.NO_IMPROVEMENT} & set(limits))
    times = times_of_attempts(record, sorted(of_search if timed else {one for one in of_search if one[:2] in left}))
    until = definition.file.until
    assert until is not None, "asked of a study with limits only"
    return Facts(
        endings=tuple(_endings(history, runs, times)),
        under_way=tuple(
            UnderWay(*key, _to_train(runs[key], times, key, finish=Then(until.then) is Then.FINISH))
            for key in sorted(started)
        ),
        spans=tuple((one.began, one.seen) for one in times) if set(TIMED) & set(limits) else (),
        full=max(stage.schedule_epochs for stage in plan.search),
        gpus=(measure := with_costs(until, definition.costs)).gpus or 0,
        price=measure.price_per_gpu_hour,
    )


def _endings(history: History, runs: Mapping[Key, Recommendation], times: Iterable[AttemptTimes]) -> Iterable[Ending]:
    seen: dict[Key, float] = {}
    for one in times:
        seen[one.experiment, one.rung] = max(one.seen, seen.get((one.experiment, one.rung), one.seen))
    for key, issued in sorted(runs.items()):
        result = history.results.get(key)
        if result is not None:
            yield Ending(result.outcome(), max(0, result.epochs - issued.resume_epoch), seen.get(key))


def _to_train(issued: Recommendation, times: Iterable[AttemptTimes], key: Key, *, finish: bool) -> int:
    """The epochs that count for a run that is under way: all that it is to train, or those that were seen."""
    if finish:
        return issued.epochs - issued.resume_epoch
    reached = [one.epochs[-1][0] for one in times if (one.experiment, one.rung) == key and one.epochs]
    return max(0, max(reached, default=0) - issued.resume_epoch)
