"""Whether a study's record is whole: looks at every object and reports what is wrong with which.

Hashes of the checkpoints that results name and of best_model, the chain of decisions, the results that decisions have
consumed, the views against what the record gives, and objects that nobody asked for. What the decisions say is not
computed again here: that is `replay`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from automl.operations.verification import Findings, Run, Verification, stored_digest
from automl.operations.verify_views import check_views
from automl.search.history import Checkpoint, Decision, Result
from automl.search.plan import Stage
from automl.stores.base import Keys, Store
from automl.study.best_model import BestModel
from automl.study.definition import Definition
from automl.study.keys import (
    DECISIONS,
    MANIFEST,
    REMOVED,
    RESULTS,
    RETRIES,
    STUDY_FILE,
    best_model_key,
    decision_key,
    decision_of,
    is_created_once,
    result_key,
    result_of,
    retry_of,
    run_of,
    run_prefix,
)
from automl.study.manifest import Manifest
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.text.json_diff import first_difference

_BEST_MODEL = best_model_key(MANIFEST)
Runs = dict[tuple[int, int], Any]  # by (stage, index) or (experiment, rung)


def verify(opened: OpenedStudy, tell: Callable[[str], None]) -> Verification:
    """Looks at every object of a study. `tell` is called with the name of each part before it is looked at."""
    record, definition, findings = opened.record, opened.definition, Findings()
    keys = record.store.list("")
    present = set(keys)
    if STUDY_FILE not in keys:
        findings.wrong(STUDY_FILE, "is missing: it is the study file as its author wrote it")
    tell("decisions and results")
    decisions = _decisions(record, definition, keys, findings)
    results = _results(record, keys, findings)
    _check_chain(definition, decisions, findings)
    _check_consumed(definition, decisions, results, findings)
    _check_requested(decisions, results, keys, findings)
    named = _named_checkpoints(results)
    removed = findings.reading(REMOVED, record.removed) or {}
    for number, (checkpoint, key) in enumerate(named.items(), 1):
        tell(f"checkpoint {number} of {len(named)}")
        if checkpoint.manifest in removed and checkpoint.manifest not in present:
            findings.checked["removed by gc"] += 1
        else:
            _check_checkpoint(record, checkpoint, key, findings)
    tell("best_model")
    _check_best_model(record, findings)
    tell("views")
    if not findings.problems:  # otherwise they could only repeat what is wrong
        view_keys = check_views(opened, findings)
        findings.notes += [(key, "is not an object of this study") for key in keys if not _is_known(key, view_keys)]
    return Verification(definition.file.name, record.store.uri, len(keys), findings)


# -- decisions and results --------------------------------------------------------------------------------------------


def _numbered(
    numbers: Callable[[str], tuple[int, int] | None], folder: str, keys: Keys, findings: Findings
) -> Iterator[tuple[str, int, int]]:
    for key in keys:
        if key.startswith(folder):
            pair = numbers(key)
            if pair is None:
                findings.wrong(key, f"is not a name that a study gives in {folder}")
                continue
            yield key, *pair


def _decisions(record: Record, definition: Definition, keys: Keys, findings: Findings) -> Runs:
    """(decision, sha256) by (stage, index), of the decisions that the plan has."""
    decisions: Runs = {}
    stages = definition.plan.stages
    for key, stage, index in _numbered(decision_of, DECISIONS, keys, findings):
        findings.checked["decisions"] += 1
        stored = findings.reading(key, lambda stage=stage, index=index: record.decision(stage, index))  # type: ignore[misc]
        if stored is None:
            continue
        if (stored[0].stage, stored[0].index) != (stage, index):
            findings.wrong(key, f"says that it is decision {stored[0].index} of stage {stored[0].stage}")
        elif stage < len(stages) and stages[stage].ended is not None and index >= stages[stage].most_decisions:
            findings.left_out |= _asked_for([stored[0]])
            findings.notes.append((key, "was made when the search ended early, and is no part of it"))
        elif stage >= len(stages) or index >= stages[stage].most_decisions:
            findings.wrong(key, "is an orphan: the plan has no such rung")
        else:
            decisions[stage, index] = stored
    return decisions


def _results(record: Record, keys: Keys, findings: Findings) -> Runs:
    """The results by (experiment, rung): all of one that was trained again, the newest last."""
    results: Runs = {}
    retries = findings.reading(RETRIES, record.retries) or {}
    for key, experiment, rung in sorted(
        _numbered(result_of, RESULTS, keys, findings), key=lambda named: (*named[1:], _retry(named[0]))
    ):
        findings.checked["results"] += 1
        if retry_of(key) not in {None, *retries.get((experiment, rung), ())}:
            findings.wrong(key, f"is an orphan: no object of {RETRIES}/ has asked for it")
            continue
        result = findings.reading(key, lambda key=key: record.result_under(key))  # type: ignore[misc]
        if result is None:
            continue
        if (result.experiment, result.rung) != (experiment, rung):
            findings.wrong(key, f"says that it is of experiment {result.experiment} at rung {result.rung}")
        else:
            results.setdefault((experiment, rung), []).append(result)
    return results


def _retry(key: str) -> int:
    """By which the results of a run are in order."""
    number = retry_of(key)
    return -1 if number is None else number


def _check_chain(definition: Definition, decisions: Runs, findings: Findings) -> None:
    """Checks that every decision names the sha256 of the decisions that it builds on, and that those exist."""
    for (stage, index), (decision, _) in decisions.items():
        key = decision_key(stage, index)
        before = [
            (where.index, _last(decisions, where) if last is None else last)
            for where, last in definition.plan.before(stage, index)
        ]
        missing = [earlier for earlier in before if earlier not in decisions]
        for earlier in missing:
            findings.wrong(key, f"is an orphan: {decision_key(*earlier)}, on which it builds, is missing or damaged")
        if missing:
            continue
        if len(decision.previous) != len(before):
            findings.wrong(key, f"names {len(decision.previous)} decisions before it, where {len(before)} are")
            continue
        for earlier, promised in zip(before, decision.previous, strict=True):
            if decisions[earlier][1] != promised:
                findings.wrong(
                    decision_key(*earlier), f"does not match the sha256 that {key} names: it was changed later"
                )


def _check_consumed(definition: Definition, decisions: Runs, results: Runs, findings: Findings) -> None:
    """Checks that a decision saw all the results that it waited for, as they are stored."""
    for (stage, index), (decision, _) in decisions.items():
        key = decision_key(stage, index)
        saw = set()
        for outcome in decision.consumed:
            run = (outcome.experiment, outcome.rung)
            saw.add(run)
            if run not in results:
                findings.wrong(result_key(*run), f"is missing or damaged, and {key} rests on it")
                continue
            differences = [first_difference(outcome.to_json(), each.outcome().to_json()) for each in results[run]]
            difference = differences[0]
            if difference is not None and None not in differences:  # a decision saw one of those that there are by now
                where = f"{difference.field} {difference.other!r}, where {key} saw {difference.one!r}"
                findings.wrong(result_key(*run), f"has {where}: one of the two was changed")
        must, may = _runs_to_see(definition, decisions, stage, index)
        for run in sorted(must - saw):
            findings.wrong(key, f"did not see the result of experiment {run[0]} at rung {run[1]}")
        again = {run for run in saw if len(results.get(run, ())) > 1}  # a chain learns of it after the decision on it
        for run in sorted(saw - may - again):
            findings.wrong(key, f"saw experiment {run[0]} at rung {run[1]}, which nobody had asked for")


def _runs_to_see(definition: Definition, decisions: Runs, stage: int, index: int) -> tuple[set[Run], set[Run]]:
    """The runs that a decision waits for, and those that it may have seen.

    They are the same but where there is no barrier: there it may see all that was asked for and not seen before.
    """
    plan = definition.plan
    before = plan.before(stage, index)
    if plan.stages[stage].overlap is not None and not plan.sees_all(stage, index):
        earlier = [decisions[stage, each][0] for each in range(index) if (stage, each) in decisions]
        links = [decision for link in plan.chain(plan.stages[stage])[:-1] for decision in _of_stage(decisions, link)]
        seen = {(outcome.experiment, outcome.rung) for each in (*links, *earlier) for outcome in each.consumed}
        unseen = _asked_for([*links, *earlier]) - seen
        return set() if index else unseen, unseen
    if plan.sees_all(stage, index):
        runs = _asked_for([decision for where, _ in before for decision in _of_stage(decisions, where)])
        return runs, runs
    last_of = {where.index: last for where, last in before}
    runs = _asked_for([decision for (at, place), (decision, _) in decisions.items() if last_of.get(at) == place])
    return runs, runs


def _asked_for(decisions: Sequence[Decision]) -> set[Run]:
    return {(issued.number, rung) for decision in decisions for issued, rung in decision.runs()}


def _of_stage(decisions: Runs, stage: Stage) -> list[Decision]:
    return [decision for (where, _), (decision, _) in sorted(decisions.items()) if where == stage.index]


def _last(decisions: Runs, stage: Stage) -> int:
    """The index of the last decision of a stage; 0 where there is none."""
    return max((index for where, index in decisions if where == stage.index), default=0)


def _check_requested(decisions: Runs, results: Runs, keys: Keys, findings: Findings) -> None:
    """Checks that a decision has requested every result, and every folder of an experiment."""
    issued = _asked_for([decision for decision, _ in decisions.values()]) | findings.left_out
    for run in sorted(set(results) - issued):
        findings.wrong(result_key(*run), "is an orphan: no decision has asked for it")
    trained = {pair for key in keys if (pair := run_of(key))}
    for number, rung in sorted(trained - issued):
        findings.wrong(run_prefix(number, rung), "is an orphan: no decision has asked for this training")


# -- checkpoints and best_model ---------------------------------------------------------------------------------------


def _named_checkpoints(results: Runs) -> dict[Checkpoint, str]:
    """The checkpoints that results name, with the key of a result that does."""
    named: dict[Checkpoint, str] = {}
    for run, all_results in sorted(results.items(), key=lambda item: item[0]):
        for checkpoint in _checkpoints(all_results[-1]):
            named.setdefault(checkpoint, result_key(*run))
    return named


def _checkpoints(result: Result) -> list[Checkpoint]:
    return [checkpoint for checkpoint in (result.last, result.best) if checkpoint is not None]


def _check_checkpoint(record: Record, checkpoint: Checkpoint, named_by: str, findings: Findings) -> None:
    """Checks that a checkpoint exists, has the epoch that its result names, and that its files match its manifest."""
    findings.checked["checkpoints"] += 1
    key = checkpoint.manifest
    before = len(findings.problems)
    manifest: Manifest | None = findings.reading(key, lambda: record.manifest(key))
    if manifest is None:
        if len(findings.problems) == before:
            findings.wrong(key, f"is missing, and {named_by} names it")
        return
    if manifest.epoch != checkpoint.epoch:
        findings.wrong(key, f"is of epoch {manifest.epoch}, where {named_by} names epoch {checkpoint.epoch}")
    for number, file in enumerate(manifest.files):
        _check_file(record.store, manifest.file_key(number), file.sha256, f"{key} ({file.name})", findings)


def _check_file(store: Store, key: str, promised: str, by: str, findings: Findings) -> None:
    findings.checked["files"] += 1
    stored = stored_digest(store, key)
    if stored is None:
        findings.wrong(key, f"is missing, and {by} names it")
    elif stored != promised:
        findings.wrong(key, f"does not match its sha256 in {by}")


def _check_best_model(record: Record, findings: Findings) -> None:
    """Checks that the files of best_model match its manifest."""
    model: BestModel | None = findings.reading(_BEST_MODEL, lambda: BestModel.read(record))
    for file in model.files if model is not None else ():
        _check_file(record.store, file.key, file.file.sha256, _BEST_MODEL, findings)


def _is_known(key: str, view_keys: set[str]) -> bool:
    return is_created_once(key) or key in view_keys or run_of(key) is not None
