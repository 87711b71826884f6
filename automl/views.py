"""The folder that a user opens: objects that say again, for people, what the record holds. Anyone can make them anew.

    brain.json  controller.json                   all decisions; all experiments
    recommendation_<n>.yaml                       the whole train spec of experiment n
    experiment_<n>/log.txt, status.json           joined from the attempts that won
    best_model/                                   the best experiment's checkpoint, spec, log and status lines

Every view is a function of the record alone, byte for byte.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from automl import strict_json
from automl.brain import DEFAULTS
from automl.errors import CheckpointError
from automl.networks.spec_formats import FORMATS
from automl.record import Record, attempt_prefix, experiments, outcomes_of, runs_of
from automl.steps.stage_in import sha256_of, train_spec
from automl.study import FORMAT, Decision, Experiment, Outcome, Study, best_outcome
from automl.study_file import Definition

BRAIN, CONTROLLER = "brain.json", "controller.json"
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9._=+@/-]")


def rebuild(record: Record, definition: Definition) -> Study:
    """Writes every view anew, best_model only when the search is over. Returns the study that it read."""
    study = record.study(definition.brain.metric, definition.plan.stages)
    write_decisions(record, definition, study.decisions, study.decisions)
    found = experiments(study, definition.plan.stages)
    write_experiments(record, definition, study, found)
    if search_is_over(definition, study):
        write_best_model(record, definition, study, found)
    return study


def write_decisions(record: Record, definition: Definition, made: Iterable[Decision], new: Iterable[Decision]) -> None:
    """brain.json of all decisions that are made, and recommendation_<n> of what the `new` ones issued."""
    brain = {"format": FORMAT, "decisions": [decision.to_json() for decision in made]}
    record.store.put(BRAIN, strict_json.dump(brain))
    for decision in new:
        for recommendation in decision.issued:
            name, text = recommendation_file(definition, recommendation)
            record.store.put(name, text)


def recommendation_file(definition: Definition, recommendation: Any) -> tuple[str, bytes]:
    """Name and bytes of a recommendation's train spec, in the network's own format."""
    spec_format = FORMATS[definition.network.spec_format]
    text = spec_format.dump(train_spec(definition, recommendation))
    return f"recommendation_{recommendation.number}.{spec_format.ending}", text.encode()


def write_experiments(record: Record, definition: Definition, study: Study, changed: Iterable[Experiment]) -> None:
    """controller.json, and the joined log and status lines of the `changed` experiments."""
    record.store.put(CONTROLLER, strict_json.dump(controller(definition, study)))
    for experiment in changed:
        for name in ("log.txt", "status.json"):
            joined = _joined(record, experiment, name)
            if joined:
                record.store.put(f"experiment_{experiment.number}/{name}", joined)


def controller(definition: Definition, study: Study) -> dict[str, Any]:
    """All experiments with their parameters, result per rung, status and failure; and the verdict."""
    found = experiments(study, definition.plan.stages)
    best = best_of_search(definition, study)
    return {
        "format": FORMAT,
        "study": definition.file.name,
        "network": definition.network.name,
        "algorithm": definition.file.algorithm,
        "metric": definition.metric_rule.model_dump(),
        "planned": {"experiments": definition.plan.experiments, "runs": definition.plan.runs},
        "best": best and {"experiment": best.experiment, "value": best.best_value, "rung": best.rung},
        "verdict": verdict(definition, study),
        "experiments": [_row(definition, experiment) for experiment in found],
    }


def best_of_search(definition: Definition, study: Study) -> Outcome | None:
    """The best outcome of the search stages so far."""
    return best_outcome(outcomes_of(study, definition.plan.search), definition.brain.metric)


def verdict(definition: Definition, study: Study) -> dict[str, Any] | None:
    """What the final judgement found: the values of the defaults and of the best, fresh seeds; None before it.

    gain is best minus default in the sense of the metric (positive is better), of the means; on held-out data where the
    network has any, otherwise on validation data.
    """
    sides: dict[str, list[Outcome]] = {"default": [], "best": []}
    for stage in definition.plan.stages:
        if stage.kind != "final":
            continue
        half = stage.rungs[0].size // 2
        for outcome in outcomes_of(study, (stage,)):
            sides["default" if outcome.experiment < stage.first + half else "best"].append(outcome)
    if not sides["default"]:
        return None
    held_out = definition.network.held_out_metric is not None
    metric = definition.brain.metric
    found: dict[str, Any] = {"judged_on": "held-out data" if held_out else "validation data", "gain": None}
    means = {}
    for side, outcomes in sides.items():
        values = [each.held_out if held_out else each.value for each in outcomes]
        known = [value for value in values if value is not None]
        found[side] = {"experiments": [each.experiment for each in outcomes], "values": values}
        if known:
            means[side] = sum(known) / len(known)
            found[side]["mean"] = means[side]
    if len(means) == len(sides):
        found["gain"] = metric.score(means["best"]) - metric.score(means["default"])
    return found


def _row(definition: Definition, experiment: Experiment) -> dict[str, Any]:
    return {
        "number": experiment.number,
        "stage": definition.plan.stages[experiment.stage].name,
        "status": experiment.status,
        "reason": experiment.reason,
        "defaults": experiment.number == DEFAULTS,
        "values": dict(experiment.values),
        "seed": experiment.recommendations[0].seed,
        "results": [
            {
                "rung": result.rung,
                "epochs": result.epochs,
                "value": result.value,
                "best_value": result.best_value,
                "held_out": result.held_out,
                "seconds": round(result.seconds, 3),
                "failure": result.failure,
                "message": result.message,
            }
            for result in experiment.results
        ],
        "history": [list(point) for point in experiment.history],
    }


def search_is_over(definition: Definition, study: Study) -> bool:
    """Every decision of the search is made and every experiment that it issued has a result."""
    return all(
        len(study.of_stage(stage.index)) == len(stage.rungs)
        and all((asked.number, rung) in study.results for asked, rung in runs_of(study, (stage,)))
        for stage in definition.plan.search
    )


def write_best_model(record: Record, definition: Definition, study: Study, found: Iterable[Experiment]) -> None:
    """best_model/: what the best experiment left, and a manifest last. Nothing when no experiment succeeded."""
    best = best_of_search(definition, study)
    if best is None:
        return
    experiment = next(each for each in found if each.number == best.experiment)
    result = study.results[best.experiment, best.rung]
    name, spec = recommendation_file(definition, experiment.recommendations[-1])
    record.store.put(f"best_model/{name}", spec)
    for text in ("log.txt", "status.json"):
        record.store.put(f"best_model/{text}", _joined(record, experiment, text))
    files: list[dict[str, Any]] = []
    if result.best is not None:
        manifest = record.manifest(result.best.manifest)
        if manifest is None:
            raise CheckpointError(f"the best checkpoint {result.best.manifest} is not in the store")
        with tempfile.TemporaryDirectory(prefix="automl-best-") as folder:
            for place, file in enumerate(manifest.files):
                local = Path(folder) / str(place)
                if not record.store.fetch(manifest.file_key(place), local) or sha256_of(local) != file.sha256:
                    raise CheckpointError(f"{manifest.file_key(place)} is missing or does not match its manifest")
                place_key = f"best_model/{_NOT_IN_A_KEY.sub('_', file.name)}"
                record.store.put(place_key, local)
                files.append({**vars(file), "name": place_key.removeprefix("best_model/")})
    summary = {
        "format": FORMAT,
        "experiment": best.experiment,
        "epoch": result.best.epoch if result.best else result.epochs,
        "metric": definition.metric_rule.name,
        "value": best.best_value,
        "values": dict(experiment.values),
        "files": files,
    }
    record.store.put("best_model/manifest.json", strict_json.dump(summary))


def _joined(record: Record, experiment: Experiment, name: str) -> bytes:
    parts = []
    for result in experiment.results:
        for attempt in result.attempts:
            part = record.store.get(f"{attempt_prefix(experiment.number, result.rung, attempt)}{name}")
            if part:
                parts.append(part if part.endswith(b"\n") else part + b"\n")
    return b"".join(parts)
