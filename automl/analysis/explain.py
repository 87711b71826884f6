"""Why an experiment was proposed, promoted, stopped or failed, in plain words, from the record alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from automl.analysis.beginning import beginning_in_words
from automl.analysis.rung_warning import rung_health
from automl.errors import InvalidInput
from automl.search.algorithms import SAMPLERS
from automl.search.history import (
    MEANINGS,
    Decision,
    Experiment,
    Failure,
    History,
    Origin,
    Outcome,
    Recommendation,
    Result,
    Status,
)
from automl.search.origins import origin_of
from automl.search.plan import Stage, StageKind
from automl.search.race import DEFAULTS
from automl.search.ranking import best_outcome, further_words, ranked
from automl.study import summary
from automl.study.definition import Definition
from automl.study.experiments import RunState, experiments, run_states
from automl.study.keys import LOG, decision_key, experiment_key
from automl.study.lineage import in_words, parts
from automl.study.states import State, state_of
from automl.study.verdict import Standing, judged_entrants
from automl.text.formatting import duration, number, numbered


@dataclass(frozen=True)
class BestSeen:
    """The best experiment among results, and its value."""

    experiment: int
    value: float | None

    def to_json(self) -> dict[str, Any]:
        return {"experiment": self.experiment, "value": self.value}


@dataclass(frozen=True)
class Proposal:
    """Who proposed an experiment, and how many results were known by then. `sampler` is None where no sampler did."""

    decision: str
    together: int
    sampler: str | None
    results: int
    failed: int
    best: BestSeen | None
    reason: str
    text: str

    def to_json(self) -> dict[str, Any]:
        return {
            "decision": self.decision,
            "together": self.together,
            "sampler": self.sampler,
            "seen": {"results": self.results, "failed": self.failed, "best": self.best and self.best.to_json()},
            "reason": self.reason,
            "text": self.text,
        }


@dataclass(frozen=True)
class RungCourse:
    """What happened to an experiment at a rung.

    `rank` is its rank among the `results` of the `size` experiments of the rung; `go_on` of them go on, the last of
    them with the value `cut`.
    """

    rung: int
    from_epoch: int
    epochs: int
    value: float | None
    held_out: float | None
    rank: int | None
    size: int
    results: int
    go_on: int | None
    cut: float | None
    end: RunState
    text: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "rung": self.rung,
            "from_epoch": self.from_epoch,
            "epochs": self.epochs,
            "value": self.value,
            "held_out": self.held_out,
            "place": self.rank,
            "of": self.size,
            "results": self.results,
            "go_on": self.go_on,
            "cut": self.cut,
            "what": self.end.value,
            "text": self.text,
        }


@dataclass(frozen=True)
class Explanation:
    """All that `automl why` shows of an experiment; `story` says it in sentences."""

    experiment: int
    stage: str
    status: Status
    state: State
    values: Mapping[str, Any]
    seed: int
    proposed: Proposal
    rungs: tuple[RungCourse, ...]
    story: tuple[str, ...]

    @property
    def is_defaults(self) -> bool:
        return self.experiment == DEFAULTS

    def to_json(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment,
            "stage": self.stage,
            "status": self.status.value,
            "state": self.state.value,
            "defaults": self.is_defaults,
            "values": dict(self.values),
            "seed": self.seed,
            "proposed": self.proposed.to_json(),
            "rungs": [rung.to_json() for rung in self.rungs],
            "story": list(self.story),
        }


def explain(definition: Definition, study: History, experiment_number: int) -> Explanation:
    """The explanation of an experiment. Raises InvalidInput when it was not proposed."""
    by_number = {experiment.number: experiment for experiment in experiments(study, definition.plan)}
    if experiment_number not in by_number:
        _refuse(definition, experiment_number, list(by_number))
    experiment = by_number[experiment_number]
    stage = definition.plan.stages[experiment.stage]
    decision = next(
        decision
        for decision in study.of_stage(stage.index)
        if experiment_number in {recommendation.number for recommendation in decision.issued}
    )
    rungs = tuple(
        _rung(definition, study, experiment, recommendation, rung)
        for rung, recommendation in enumerate(
            experiment.recommendations, decision.rung_of(experiment.recommendations[0])
        )
    )
    proposed = _proposed(definition, study, stage, decision, experiment)
    return Explanation(
        experiment=experiment_number,
        stage=stage.name,
        status=experiment.status,
        state=state_of(experiment),
        values=experiment.values,
        seed=experiment.recommendations[0].seed,
        proposed=proposed,
        rungs=rungs,
        story=(proposed.text, *_courses(definition, study, stage, rungs), *_end(definition, study, experiment)),
    )


def _courses(definition: Definition, study: History, stage: Stage, rungs: tuple[RungCourse, ...]) -> list[str]:
    """What happened at each rung, with a warning behind a promotion by a value that misleads."""
    health = rung_health(definition, study) if stage.kind is StageKind.SEARCH else None
    lines = []
    for rung in rungs:
        lines.append(rung.text)
        if health is not None and rung.end is RunState.PROMOTED and (warning := health.after(rung.epochs)):
            lines.append(warning)
    return lines


def _refuse(definition: Definition, experiment_number: int, proposed: list[int]) -> None:
    last = definition.plan.experiments - 1
    if 0 <= experiment_number <= last:
        raise InvalidInput(
            f"experiment {experiment_number} is planned and not proposed yet",
            allowed=", ".join(map(str, proposed)) if len(proposed) <= 20 else f"one of the {len(proposed)} so far",
            advice="'automl status' shows them",
        )
    raise InvalidInput(f"there is no experiment {experiment_number}", allowed=f"0 to {last} in this study")


def _proposed(
    definition: Definition, study: History, stage: Stage, decision: Decision, experiment: Experiment
) -> Proposal:
    """Who proposed the experiment, from which results."""
    before = [earlier for earlier in study.of_stage(stage.index) if earlier.index <= decision.index]
    outcomes = [outcome for earlier in before for outcome in earlier.consumed]
    recommendation = experiment.recommendations[0]
    reason, origin = recommendation.reason, origin_of(recommendation)
    name = definition.sampler_name
    sampler: str | None = name
    if origin in {Origin.DEFAULT, Origin.CARRIED_OVER, Origin.FINAL, Origin.REQUESTED}:
        sampler, text = None, f"proposed: {reason}"
    elif not SAMPLERS[name].learns:
        text = f"proposed by {name} sampling, which looks at no result: {reason}"
    else:
        place = _place(definition, experiment.number)
        text = f"proposed by {name}{place}, which had seen {_seen(definition, outcomes)}: {reason}"
    best = best_outcome(outcomes, definition.brain.metric, definition.brain.best_among)
    return Proposal(
        decision=decision_key(decision.stage, decision.index),
        together=len(decision.issued),
        sampler=sampler,
        results=len(outcomes),
        failed=sum(outcome.failure is not None for outcome in outcomes),
        best=None if best is None else BestSeen(best.experiment, best.best_value),
        reason=reason,
        text=text,
    )


def _place(definition: Definition, number: int) -> str:
    """Which proposal of a chain it was, and how the chain was planned; empty for other searches."""
    beginning = beginning_in_words(definition)
    if not beginning:
        return ""
    count = sum(stage.experiments for stage in definition.plan.search)
    return f" as number {number + 1} of {count} ({beginning})"


def _seen(definition: Definition, outcomes: list[Outcome]) -> str:
    if not outcomes:
        return "no result yet"
    failed = sum(outcome.failure is not None for outcome in outcomes)
    best = best_outcome(outcomes, definition.brain.metric, definition.brain.best_among)
    text = f"{len(outcomes)} result{'' if len(outcomes) == 1 else 's'}"
    text += f", {failed} of them failed" if failed else ""
    if best is not None:
        text += f", the best {definition.metric_rule.name} {number(best.best_value)} of experiment {best.experiment}"
    return text


def _rung(
    definition: Definition, study: History, experiment: Experiment, recommendation: Recommendation, rung: int
) -> RungCourse:
    """What happened to an experiment at a rung: its rank among the rung's results, the cut, and what followed."""
    stage, decisions = definition.plan.stages[experiment.stage], study.of_stage(experiment.stage)
    result = study.results.get((experiment.number, rung))
    issued = [recommended for decided in decisions for recommended, at in decided.runs() if at == rung]
    reached = [
        study.results[recommended.number, rung].outcome()
        for recommended in issued
        if (recommended.number, rung) in study.results
    ]
    order = [outcome.experiment for outcome in ranked(reached, definition.brain.metric)]
    go_on = stage.rungs[rung + 1].size if stage.goes_on(rung) else None
    course = RungCourse(
        rung=rung,
        from_epoch=recommendation.resume_epoch,
        epochs=recommendation.epochs,
        value=result.value if result else None,
        held_out=result.held_out if result else None,
        rank=order.index(experiment.number) + 1 if experiment.number in order else None,
        size=len(issued),
        results=len(reached),
        go_on=go_on,
        cut=study.results[order[go_on - 1], rung].value if go_on and len(order) >= go_on else None,
        end=run_states(study, (stage,))[experiment.number, rung],
    )
    text = _rung_text(definition, course, result, stage)
    if (stage.stops or _says_what_follows(stage)) and (answer := _answer(decisions, experiment.number, rung, stage)):
        text = f"{text}; {answer}"
    if course.end is RunState.STOPPED and stage.ended is not None and rung >= len(decisions) - 1:
        text = f"{text.partition('; stopped: ')[0]}; stopped: {stage.ended.why}"
    return replace(course, text=text)


def _says_what_follows(stage: Stage) -> bool:
    """Whether the decision on the next rung says how an experiment goes on: in a population, and in its judgement."""
    return stage.population or (stage.kind is StageKind.FINAL and stage.goes_on(0))


def _answer(decisions: Sequence[Decision], number: int, rung: int, stage: Stage) -> str:
    """What a decision says of an experiment at the end of a rung; empty before that."""
    for decision in decisions:
        for issued, at in decision.runs():
            if (issued.number, at) == (number, rung + 1):
                return f"it trained on: {issued.reason}" if stage.stops else issued.reason
    last = max((at for decision in decisions for issued, at in decision.runs() if issued.number == number), default=0)
    reasons = [stopped.reason for decision in decisions for stopped in decision.stopped if stopped.number == number]
    return f"stopped: {reasons[0]}" if reasons and rung == last else ""


def _rung_text(definition: Definition, course: RungCourse, result: Result | None, stage: Stage) -> str:
    span = f"epochs {course.from_epoch + 1} to {course.epochs}" if course.epochs > 1 else "epoch 1"
    anew = ", anew" if stage.anew and not stage.rungs[course.rung].new else ""
    alone = definition.has_steps(stage)
    head = f"{f'step {course.rung + 1}' if alone else f'rung {course.rung}'}, {span}{anew}: "
    if result is None:
        return f"{head}no result yet"
    if result.failure is Failure.ENDED:
        return f"{head}at epoch {result.epochs}"
    if result.failure is not None:
        message = f": {result.message}" if result.message else ""
        never = "" if stage.population else "a failed experiment is never promoted; "
        return (
            f"{head}failed at epoch {result.epochs} ({result.failure.described()}): "
            f"{MEANINGS[result.failure]}{message}; "
            f"{never}see {experiment_key(result.experiment, LOG)}"
        )
    metric = definition.metric_rule
    further = further_words(definition.aim, result.value, result.last_measured)
    text = f"{head}{metric.name} {number(course.value)}{further} after {duration(result.seconds / 60)} of training"
    text += f"; it {result.message}" if result.message else ""
    if course.held_out is not None:
        text += f", {number(course.held_out)} on held-out data"
    missing = course.size - course.results
    rank = f"; place {course.rank} of {course.size}" + (f", {missing} without a result" if missing else "")
    if alone:
        return text
    if stage.stops or _says_what_follows(stage):
        return text + ("; this was the last rung" if course.end is RunState.FINISHED else "")
    if stage.overlap is not None and stage.overlap.nu is not None and not stage.overlap.whole:
        return text + _end_without_barrier(course, rank, stage.overlap.nu)
    goes = "the best one is promoted" if course.go_on == 1 else f"the best {course.go_on} are promoted"
    cut = ""
    if course.cut is not None:
        cut = f", {'' if course.go_on == 1 else 'the last of them '}with {number(course.cut)}"
    return (
        text
        + {
            RunState.FINISHED: "; this was the last rung",
            RunState.WAITING: f"{rank} so far; {goes} when all results have arrived",
            RunState.PROMOTED: f"{rank}; promoted: {goes}{cut}",
            RunState.STOPPED: f"{rank}; stopped: only {goes}{cut}",
        }[course.end]
    )


def _end_without_barrier(course: RungCourse, rank: str, nu: int) -> str:
    """What followed on a rung, where one of `nu` results goes on without waiting for the others."""
    return {
        RunState.FINISHED: "; this was the last rung",
        RunState.WAITING: f"{rank} so far; one of {nu} is promoted, and there is room for more",
        RunState.PROMOTED: f"{rank} by now; promoted because it was among the best one of {nu}",
        RunState.STOPPED: f"{rank}; stopped: one of {nu} is promoted, {course.go_on} at most",
    }[course.end]


def _end(definition: Definition, study: History, experiment: Experiment) -> list[str]:
    """The last sentence about the best of the search, with the experiments that trained it again to judge it."""
    found, best = summary.best(definition, study), summary.best_of_search(definition, study)
    lines = _kept(found, experiment)
    if best is None or best.experiment != experiment.number:
        return lines
    so_far = "" if summary.search_is_over(definition, study) else " so far"
    text = f"the best of the search{so_far}: {definition.metric_rule.name} {number(best.best_value)}"
    if trained := parts(definition.plan, study, best.experiment, best.rung):
        text += f"; its checkpoint comes from {in_words(trained)}"
    stopped = experiment.status is Status.STOPPED
    text += "; its best epoch counts, although it was stopped" if stopped else ""
    again = [
        issued.number
        for entrant in judged_entrants(definition, study)
        if entrant.source == experiment.number
        for issued, outcome in entrant.runs
        if outcome is not None
    ]
    if again:
        text += f"; judged by training it again as {numbered('experiment', again)}"
    return [text, *lines]


def _kept(found: summary.Best | None, experiment: Experiment) -> list[str]:
    """What the judgement, when it is over, says of the experiment that it keeps."""
    if found is None or found.experiment != experiment.number or found.standing is Standing.SEARCHED:
        return []
    whose = (
        "its own checkpoint" if found.is_own_training else f"the checkpoint of experiment {found.training.experiment}"
    )
    return [f"best_model holds {whose}: {found.why}"]
