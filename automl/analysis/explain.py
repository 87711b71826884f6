"""Why an experiment was proposed, promoted, stopped or failed, in plain words, from the record alone."""

from __future__ import annotations

from typing import Any

from automl.errors import InvalidInput
from automl.search.algorithms import SAMPLERS
from automl.search.brain import DEFAULTS
from automl.search.history import (
    MEANINGS,
    Decision,
    Experiment,
    History,
    Origin,
    Outcome,
    Recommendation,
    Result,
    Status,
    best_outcome,
    origin_of,
)
from automl.search.plan import Stage
from automl.search.promotion import ranked
from automl.study import summary
from automl.study.definition import Definition
from automl.study.experiments import RunState, experiments, goes_on, run_states
from automl.study.keys import LOG, decision_key, experiment_key
from automl.text.formatting import duration, number


def explain(definition: Definition, study: History, wanted: int) -> dict[str, Any]:
    """All that `automl why` shows of experiment `wanted`. Raises InvalidInput when it was not proposed."""
    found = {each.number: each for each in experiments(study, definition.plan)}
    if wanted not in found:
        _refuse(definition, wanted, list(found))
    experiment = found[wanted]
    stage = definition.plan.stages[experiment.stage]
    proposal = next(each for each in study.of_stage(stage.index) if wanted in {asked.number for asked in each.issued})
    rungs = [
        _rung(definition, study, experiment, asked, proposal.index + place)
        for place, asked in enumerate(experiment.recommendations)
    ]
    proposed = _proposed(definition, study, stage, proposal, experiment)
    story = [proposed["text"], *(each["text"] for each in rungs), *_end(definition, study, experiment)]
    return {
        "experiment": wanted,
        "stage": stage.name,
        "status": experiment.status.value,
        "defaults": wanted == DEFAULTS,
        "values": dict(experiment.values),
        "seed": experiment.recommendations[0].seed,
        "proposed": proposed,
        "rungs": rungs,
        "story": story,
    }


def _refuse(definition: Definition, wanted: int, proposed: list[int]) -> None:
    last = definition.plan.experiments - 1
    if 0 <= wanted <= last:
        raise InvalidInput(
            f"experiment {wanted} is planned and not proposed yet",
            allowed=", ".join(map(str, proposed)) if len(proposed) <= 20 else f"one of the {len(proposed)} so far",
            advice="'automl status' shows them",
        )
    raise InvalidInput(f"there is no experiment {wanted}", allowed=f"0 to {last} in this study")


def _proposed(
    definition: Definition, study: History, stage: Stage, proposal: Decision, experiment: Experiment
) -> dict[str, Any]:
    """Who proposed it, having seen what."""
    before = [each for each in study.of_stage(stage.index) if each.index <= proposal.index]
    seen = [outcome for each in before for outcome in each.consumed]
    asked = experiment.recommendations[0]
    reason, origin = asked.reason, origin_of(asked)
    name = definition.sampler_name
    sampler: str | None = name
    if origin in {Origin.DEFAULT, Origin.CARRIED_OVER, Origin.FINAL}:
        sampler, text = None, f"proposed: {reason}"
    elif origin is Origin.REQUESTED:
        sampler, text = None, f"proposed by nobody: {reason}"
    elif not SAMPLERS[name].learns:
        text = f"proposed by {name} sampling, which looks at no result: {reason}"
    else:
        text = f"proposed by {name}, which had seen {_seen(definition, seen)}: {reason}"
    return {
        "decision": decision_key(proposal.stage, proposal.index),
        "together": len(proposal.issued),
        "sampler": sampler,
        "seen": {
            "results": len(seen),
            "failed": sum(each.failure is not None for each in seen),
            "best": _best_seen(definition, seen),
        },
        "reason": reason,
        "text": text,
    }


def _best_seen(definition: Definition, seen: list[Outcome]) -> dict[str, Any] | None:
    best = best_outcome(seen, definition.brain.metric)
    return None if best is None else {"experiment": best.experiment, "value": best.best_value}


def _seen(definition: Definition, seen: list[Outcome]) -> str:
    if not seen:
        return "no result yet"
    failed = sum(each.failure is not None for each in seen)
    best = best_outcome(seen, definition.brain.metric)
    said = f"{len(seen)} result{'' if len(seen) == 1 else 's'}"
    said += f", {failed} of them failed" if failed else ""
    if best is not None:
        said += f", the best {definition.metric_rule.name} {number(best.best_value)} of experiment {best.experiment}"
    return said


def _rung(
    definition: Definition, study: History, experiment: Experiment, asked: Recommendation, rung: int
) -> dict[str, Any]:
    """What happened to an experiment at a rung: its place among the rung's results, the cut, and what followed."""
    stage, decisions = definition.plan.stages[experiment.stage], study.of_stage(experiment.stage)
    result = study.results.get((experiment.number, rung))
    follows = goes_on(stage, rung)
    issued = next(each for each in decisions if each.index == rung).issued
    reached = [study.results[each.number, rung].outcome() for each in issued if (each.number, rung) in study.results]
    order = [each.experiment for each in ranked(reached, definition.brain.metric)]
    size = stage.rungs[rung + 1].size if follows else None
    place = order.index(experiment.number) + 1 if experiment.number in order else None
    cut = study.results[order[size - 1], rung].value if size and len(order) >= size else None
    data = {
        "rung": rung,
        "from_epoch": asked.resume_epoch,
        "epochs": asked.epochs,
        "value": result.value if result else None,
        "held_out": result.held_out if result else None,
        "place": place,
        "of": len(issued),
        "results": len(reached),
        "go_on": size,
        "cut": cut,
        "what": run_states(study, (stage,))[experiment.number, rung].value,
    }
    return {**data, "text": _rung_text(definition, data, result)}


def _rung_text(definition: Definition, data: dict[str, Any], result: Result | None) -> str:
    span = f"epochs {data['from_epoch'] + 1} to {data['epochs']}" if data["epochs"] > 1 else "epoch 1"
    head = f"rung {data['rung']}, {span}: "
    if result is None:
        return f"{head}no result yet"
    if result.failure is not None:
        said = f": {result.message}" if result.message else ""
        return (
            f"{head}failed at epoch {result.epochs} ({result.failure}): {MEANINGS[result.failure]}{said}; "
            f"a failed experiment never goes on; read {experiment_key(result.experiment, LOG)}"
        )
    metric = definition.metric_rule
    text = f"{head}{metric.name} {number(data['value'])} after {duration(result.seconds / 60)} of training"
    if data["held_out"] is not None:
        text += f", {number(data['held_out'])} on held-out data"
    missing = data["of"] - data["results"]
    place = f"; place {data['place']} of {data['of']}" + (f", {missing} without a result" if missing else "")
    goes = "the best one goes on" if data["go_on"] == 1 else f"the best {data['go_on']} go on"
    cut = ""
    if data["cut"] is not None:
        cut = f", {'' if data['go_on'] == 1 else 'the last of them '}with {number(data['cut'])}"
    return (
        text
        + {
            RunState.FINISHED: "; this was the last rung",
            RunState.WAITING: f"{place} so far; {goes} when all results are there",
            RunState.PROMOTED: f"{place}; promoted, for {goes}{cut}",
            RunState.STOPPED: f"{place}; stopped, for only {goes}{cut}",
        }[data["what"]]
    )


def _end(definition: Definition, study: History, experiment: Experiment) -> list[str]:
    """What it is in the end: the best of the search, and who was trained again to judge it."""
    best = summary.best_of_search(definition, study)
    if best is None or best.experiment != experiment.number:
        return []
    so_far = "" if summary.search_is_over(definition, study) else " so far"
    text = f"the best of the search{so_far}: {definition.metric_rule.name} {number(best.best_value)}"
    stopped = experiment.status is Status.STOPPED
    text += "; its best epoch counts, although it was stopped" if stopped else ""
    verdict = summary.verdict(definition, study)
    if verdict is not None and verdict.best.experiments:
        text += f"; judged by training it again as experiment {', '.join(map(str, verdict.best.experiments))}"
    return [text]
