"""The folder that a user opens: objects that show people what the record holds. Anyone can build them again.

    brain.json  controller.json                   all decisions; all experiments
    recommendation_<n>.yaml                       the complete train spec of experiment n
    experiment_<n>/log.txt, status.json           joined from the attempts that won; of a long one the end. The lines
                                                  of a population's are those of the epochs behind its checkpoint
    report.html                                   all of the above on one page, without a script
    report-interactive.html                       the experiments to filter and compare, with a script
    best_model/                                   the best: checkpoint, spec, log, status lines, and what is known;
                                                  of a population also the values by epochs, schedule.json
    views.json                                    the sha256 of all of the above, so that damage is told from age

Every view is a function of the record alone, byte for byte.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.analysis.findings import BestSoFar, findings
from automl.errors import CheckpointError, RecordError
from automl.networks.keep_rule import kept
from automl.networks.spec_formats import FORMATS
from automl.reporting.figures.facts import read_facts, with_times
from automl.reporting.page.interactive import interactive_page
from automl.reporting.page.page import page
from automl.reporting.written_views import Remembering, WrittenViews
from automl.search.formats import FORMAT
from automl.search.history import Checkpoint, Decision, Experiment, History, Recommendation, Result
from automl.search.plan import Resume
from automl.search.race import DEFAULTS
from automl.study.best_model import BestModel, ModelFile, hidden_keys, model_files
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.keys import (
    BEST_MODEL,
    BRAIN,
    CONTROLLER,
    INTERACTIVE_REPORT,
    LOG,
    MANIFEST,
    REPORT,
    SCHEDULE,
    STATUS_LINES,
    VIEWS,
    attempt_prefix,
    best_model_key,
    experiment_key,
    recommendation_key,
)
from automl.study.lineage import parts, results_behind, schedule_json
from automl.study.manifest import Manifest
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.study.summary import best, search_is_over
from automl.study.train_spec import train_spec
from automl.text import strict_json
from automl.text.digests import sha256_of
from automl.text.long_text import shortened

_MOST_COPIED = 1 << 20  # bytes of the text of an attempt that a view repeats


def rebuild(opened: OpenedStudy) -> History:
    """Writes every view again, best_model only when the search is over. Returns the history that it read."""
    definition, study = opened.definition, opened.history()
    written = Remembering(opened.record.store)
    record = opened.record.through(written)
    write_decisions(record, definition, study.decisions, study.decisions)
    every = experiments(study, definition.plan)
    write_experiments(record, definition, study, every)
    write_report(replace(opened, record=record), study)
    if search_is_over(definition, study):
        write_best_model(record, definition, study, every)
    views = WrittenViews(len(study.decisions), len(study.results), written.sha256)
    opened.record.store.put(VIEWS, strict_json.dump(views.to_json()))
    return study


def write_decisions(
    record: Record, definition: Definition, decisions: Iterable[Decision], new: Iterable[Decision]
) -> None:
    """brain.json of all `decisions`, and recommendation_<n> of what the `new` ones issued."""
    brain = {"format": FORMAT, "decisions": [decision.to_json() for decision in decisions]}
    record.store.put(BRAIN, strict_json.dump(brain))
    for decision in new:
        for recommendation in decision.issued:
            name, text = recommendation_file(definition, recommendation)
            record.store.put(name, text)


def recommendation_file(definition: Definition, recommendation: Recommendation) -> tuple[str, bytes]:
    """Name and bytes of a recommendation's train spec, in the network's own format."""
    spec_format = FORMATS[definition.network.spec_format]
    text = spec_format.dump(train_spec(definition, recommendation))
    return recommendation_key(recommendation.number, spec_format.ending), text.encode()


def write_experiments(record: Record, definition: Definition, study: History, changed: Iterable[Experiment]) -> None:
    """controller.json, and the joined log and status lines of the `changed` experiments."""
    record.store.put(CONTROLLER, strict_json.dump(controller(definition, study)))
    for experiment in changed:
        if not experiment.results:
            continue
        behind = results_behind(definition.plan, study, experiment, experiment.results[-1].rung)
        for name, results in ((LOG, experiment.results), (STATUS_LINES, behind)):
            if joined := _joined(record, results, name):
                record.store.put(experiment_key(experiment.number, name), joined)


def write_report(opened: OpenedStudy, history: History) -> None:
    """report.html and report-interactive.html, as the study stands now.

    Takes about a second for a thousand experiments.
    """
    facts = with_times(read_facts(opened, history), opened.record)
    opened.record.store.put(REPORT, page(facts, opened.record).encode())
    opened.record.store.put(INTERACTIVE_REPORT, interactive_page(facts).encode())


def controller(definition: Definition, study: History) -> dict[str, Any]:
    """All experiments with their parameters, result per rung, status and failure; and the verdict."""
    every = experiments(study, definition.plan)
    found = findings(definition, study)
    return {
        "format": FORMAT,
        "study": definition.file.name,
        "network": definition.network.name,
        "algorithm": definition.file.algorithm,
        "metric": definition.metric_rule.model_dump(),
        **({} if found.trade_off is None else {"trade_off": found.trade_off.to_json()}),
        "planned": {"experiments": definition.plan.experiments, "runs": definition.plan.runs},
        "best": found.best and _about(found.best),
        "verdict": found.verdict and found.verdict.to_json(),
        "experiments": [_row(definition, experiment) for experiment in every],
    }


def _about(best: BestSoFar) -> dict[str, Any]:
    """Which experiment is the best, whose checkpoint is kept, and what is known about it."""
    return {
        "experiment": best.experiment,
        "defaults": best.is_defaults,
        "training": best.training,
        "value": best.value,
        "standing": best.standing.value,
        "why": best.why,
        "rung": best.rung,
    }


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
                **({"measured": result.best_measured} if result.measured else {}),
            }
            for result in experiment.results
        ],
        "history": [list(point) for point in experiment.history],
    }


def write_best_model(record: Record, definition: Definition, study: History, every: Iterable[Experiment]) -> None:
    """Writes best_model/: the files of the best, and a manifest. Nothing when no experiment succeeded.

    After that it removes the files of an earlier best, which a judgement or an extended search can leave there.
    """
    found = best(definition, study)
    if found is None:
        return
    experiment = next(candidate for candidate in every if candidate.number == found.training.experiment)
    result = study.results[found.training.experiment, found.training.rung]
    earlier = _of_earlier_best(record, study, definition)
    at_the_end = _trained_as(definition, experiment, found.training.rung)
    name, spec = recommendation_file(definition, at_the_end)
    record.store.put(best_model_key(name), spec)
    own = {best_model_key(name)}
    if trained := parts(definition.plan, study, found.training.experiment, found.training.rung):
        own.add(best_model_key(SCHEDULE))
        record.store.put(best_model_key(SCHEDULE), strict_json.dump(schedule_json(trained)))
    for text in (LOG, STATUS_LINES):
        behind = results_behind(definition.plan, study, experiment, found.training.rung)
        record.store.put(best_model_key(text), _joined(record, behind, text))
    if result.best is None and definition.resume is Resume.STOP:  # its result was stored before it was stopped
        result = replace(result, best=next(iter(record.checkpoints(result.experiment, result.rung)), None))
    files, folders = _copy_best_checkpoint(record, result, definition.network.keep)
    about = BestModel(
        experiment=found.experiment,
        epoch=result.best.epoch if result.best else result.epochs,
        metric=definition.metric_rule.name,
        value=found.value,
        values=at_the_end.values,
        files=files,
        folders=folders,
        training=found.training.experiment,
        standing=found.standing.value,
        why=found.why,
        measured=result.best_measured,
    )
    record.store.put(best_model_key(MANIFEST), strict_json.dump(about.to_json()))
    for key in sorted(earlier - own - {file.key for file in files}):
        record.store.delete(key)


def _trained_as(definition: Definition, experiment: Experiment, rung: int) -> Recommendation:
    """What an experiment was asked for at a rung; where its values never change, its newest recommendation."""
    if definition.algorithm.changes:
        runs = zip(experiment.recommendations, experiment.results, strict=False)
        return next(issued for issued, result in runs if result.rung == rung)
    return experiment.recommendations[-1]


def _copy_best_checkpoint(
    record: Record, result: Result, keep: Sequence[str]
) -> tuple[tuple[ModelFile, ...], tuple[str, ...]]:
    """Copies the files of a result's best checkpoint into best_model/, each checked against its sha256.

    What the network keeps lies with the last checkpoint, and is copied too. Returns the files, and the names of the
    checkpoint's empty folders. Raises CheckpointError when a file is missing or damaged.
    """
    if result.best is None:
        return (), ()
    manifest = _manifest(record, result.best)
    sources = [manifest.file_key(index) for index in range(len(manifest.files))]
    if keep and result.last is not None and result.last != result.best:
        last = _manifest(record, result.last)
        wanted = set(kept((file.name for file in last.files), keep)) - {file.name for file in manifest.files}
        more = [index for index, file in enumerate(last.files) if file.name in wanted]
        manifest = replace(manifest, files=(*manifest.files, *(last.files[index] for index in more)))
        sources += map(last.file_key, more)
    files = model_files(manifest)
    with tempfile.TemporaryDirectory(prefix="automl-best-") as folder:
        for index, (source, copied) in enumerate(zip(sources, files, strict=True)):
            local = Path(folder) / str(index)
            if not record.store.fetch(source, local) or sha256_of(local) != copied.file.sha256:
                raise CheckpointError(f"{source} is missing or does not match its manifest")
            record.store.put(copied.key, local)
    return files, manifest.folders


def _manifest(record: Record, checkpoint: Checkpoint) -> Manifest:
    manifest = record.manifest(checkpoint.manifest)
    if manifest is None:
        raise CheckpointError(f"the best checkpoint {checkpoint.manifest} is not in the store")
    return manifest


def _of_earlier_best(record: Record, study: History, definition: Definition) -> set[str]:
    """The objects that the manifest in best_model/ names and that exist; other files are left alone."""
    try:
        earlier = BestModel.read(record)
    except RecordError:  # a damaged one is written again
        return set()
    if earlier is None:
        return set()
    keys = {file.key for file in earlier.files} | {best_model_key(SCHEDULE)}
    for experiment in experiments(study, definition.plan):
        if experiment.number == earlier.trained:
            keys.add(best_model_key(recommendation_file(definition, experiment.recommendations[-1])[0]))
    return keys & {*record.store.list(BEST_MODEL), *hidden_keys(earlier.files)}


def _joined(record: Record, results: Iterable[Result], name: str) -> bytes:
    """What the attempts that won have printed or reported; of a long one the end, and where all of it is stored."""
    texts = []
    for result in results:
        for attempt in result.attempts:
            key = f"{attempt_prefix(result.experiment, result.rung, attempt)}{name}"
            part = record.store.get(key)
            if part and len(part) > _MOST_COPIED:
                part = shortened(b"", part[-_MOST_COPIED:], len(part), f"all that is stored is in {key}")
            if part:
                texts.append(part if part.endswith(b"\n") else part + b"\n")
    return b"".join(texts)
