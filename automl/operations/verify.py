"""Whether a study's record is whole: what is wrong with which object, found by looking at every one of them.

Hashes of the checkpoints that results name and of best_model, the chain of decisions, the results that decisions have
consumed, the views against what the record gives, and objects that nobody asked for. What the decisions say is not
computed again here: that is `replay`.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automl import __version__
from automl.errors import AutoMLError, RecordError
from automl.reporting import views
from automl.search.history import Checkpoint, Result
from automl.stores.base import Keys, Store
from automl.study import summary
from automl.study.definition import Definition
from automl.study.keys import (
    BEST_MODEL,
    DECISIONS,
    MANIFEST,
    REMOVED,
    RESULTS,
    STUDY_FILE,
    best_model_key,
    decision_key,
    decision_of,
    is_created_once,
    result_key,
    result_of,
    run_of,
    run_prefix,
)
from automl.study.manifest import Manifest
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record, digest
from automl.text import strict_json
from automl.text.digests import sha256_of
from automl.text.json_diff import first_difference

Runs = dict[tuple[int, int], Any]  # by (stage, index) or (experiment, rung)


@dataclass
class Findings:
    """What was looked at and what is wrong: `problems` and `notes` are pairs of an object and what is wrong with it."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)

    def wrong(self, key: str, problem: str) -> None:
        self.problems.append((key, problem))

    def reading(self, key: str, read: Callable[[], Any]) -> Any:
        """What `read` gives; None, and a problem of the object, when it is damaged."""
        try:
            return read()
        except RecordError as error:
            self.wrong(key, error.given)
            return None


@dataclass(frozen=True)
class Verification:
    """What `verify` has found in a study of which it has looked at `objects` objects."""

    study: str
    store: str
    objects: int
    findings: Findings

    @property
    def is_whole(self) -> bool:
        return not self.findings.problems

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "store": self.store,
            "whole": self.is_whole,
            "problems": [{"object": key, "problem": problem} for key, problem in self.findings.problems],
            "notes": [{"object": key, "note": note} for key, note in self.findings.notes],
            "checked": {"objects": self.objects, **dict(sorted(self.findings.checked.items()))},
        }


def verify(opened: OpenedStudy, tell: Callable[[str], None]) -> Verification:
    """Looks at every object of a study. `tell` is called with the name of each part before it is looked at."""
    record, definition, found = opened.record, opened.definition, Findings()
    keys = record.store.list("")
    present = set(keys)
    if STUDY_FILE not in keys:
        found.wrong(STUDY_FILE, "is missing: it is the study file as its author wrote it")
    tell("decisions and results")
    decisions = _decisions(record, definition, keys, found)
    results = _results(record, keys, found)
    _chain(definition, decisions, found)
    _consumed(definition, decisions, results, found)
    _asked(decisions, results, keys, found)
    named = _named_checkpoints(results)
    removed = found.reading(REMOVED, record.removed) or {}
    for place, (checkpoint, key) in enumerate(named.items(), 1):
        tell(f"checkpoint {place} of {len(named)}")
        if checkpoint.manifest in removed and checkpoint.manifest not in present:
            found.checked["removed by gc"] += 1
        else:
            _checkpoint(record, checkpoint, key, found)
    tell("best_model")
    _best_model(record, keys, found)
    tell("views")
    if not found.problems:  # otherwise they could only repeat what is wrong
        made = _views(opened, keys, found)
        found.notes += [(key, "is not an object of this study") for key in keys if not _is_known(key, made)]
    return Verification(definition.file.name, record.store.uri, len(keys), found)


# -- decisions and results --------------------------------------------------------------------------------------------


def _numbered(
    numbers: Callable[[str], tuple[int, int] | None], folder: str, keys: Keys, found: Findings
) -> Iterator[tuple[str, int, int]]:
    for key in keys:
        if key.startswith(folder):
            pair = numbers(key)
            if pair is None:
                found.wrong(key, f"is not a name that a study gives in {folder}")
                continue
            yield key, *pair


def _decisions(record: Record, definition: Definition, keys: Keys, found: Findings) -> Runs:
    """(decision, sha256) by (stage, index), of those that the plan has."""
    decisions: Runs = {}
    stages = definition.plan.stages
    for key, stage, index in _numbered(decision_of, DECISIONS, keys, found):
        found.checked["decisions"] += 1
        made = found.reading(key, lambda stage=stage, index=index: record.decision(stage, index))  # type: ignore[misc]
        if made is None:
            continue
        if (made[0].stage, made[0].index) != (stage, index):
            found.wrong(key, f"says that it is decision {made[0].index} of stage {made[0].stage}")
        elif stage >= len(stages) or index >= len(stages[stage].rungs):
            found.wrong(key, "is an orphan: the plan has no such rung")
        else:
            decisions[stage, index] = made
    return decisions


def _results(record: Record, keys: Keys, found: Findings) -> Runs:
    """The results by (experiment, rung)."""
    results: Runs = {}
    for key, experiment, rung in _numbered(result_of, RESULTS, keys, found):
        found.checked["results"] += 1
        result = found.reading(key, lambda number=experiment, rung=rung: record.result(number, rung))  # type: ignore[misc]
        if result is None:
            continue
        if (result.experiment, result.rung) != (experiment, rung):
            found.wrong(key, f"says that it is of experiment {result.experiment} at rung {result.rung}")
        else:
            results[experiment, rung] = result
    return results


def _chain(definition: Definition, decisions: Runs, found: Findings) -> None:
    """Every decision names the sha256 of those that it builds on, and those are there."""
    for (stage, index), (decision, _) in decisions.items():
        key = decision_key(stage, index)
        before = [(where.index, rung) for where, rung in definition.plan.before(stage, index)]
        missing = [each for each in before if each not in decisions]
        for each in missing:
            found.wrong(key, f"is an orphan: {decision_key(*each)}, on which it builds, is missing or damaged")
        if missing:
            continue
        if len(decision.previous) != len(before):
            found.wrong(key, f"names {len(decision.previous)} decisions before it, where {len(before)} are")
            continue
        for each, promised in zip(before, decision.previous, strict=True):
            if decisions[each][1] != promised:
                found.wrong(decision_key(*each), f"does not match the sha256 that {key} names: it was changed later")


def _consumed(definition: Definition, decisions: Runs, results: Runs, found: Findings) -> None:
    """What a decision says that it saw is what the results say, and all of it."""
    for (stage, index), (decision, _) in decisions.items():
        key = decision_key(stage, index)
        saw = set()
        for outcome in decision.consumed:
            run = (outcome.experiment, outcome.rung)
            saw.add(run)
            result = results.get(run)
            if result is None:
                found.wrong(result_key(*run), f"is missing or damaged, and {key} rests on it")
                continue
            difference = first_difference(outcome.to_json(), result.outcome().to_json())
            if difference is not None:
                where = f"{difference.field} {difference.other!r}, where {key} saw {difference.one!r}"
                found.wrong(result_key(*run), f"has {where}: one of the two was changed")
        asked = {
            (each.number, before)
            for where, before in _waits_for(definition, stage, index)
            if (where, before) in decisions
            for each in decisions[where, before][0].issued
        }
        for run in sorted(asked - saw):
            found.wrong(key, f"did not see the result of experiment {run[0]} at rung {run[1]}")
        for run in sorted(saw - asked):
            found.wrong(key, f"saw experiment {run[0]} at rung {run[1]}, which nobody had asked for")


def _waits_for(definition: Definition, stage: int, index: int) -> list[tuple[int, int]]:
    """The decisions whose experiments a decision waits for."""
    before = definition.plan.before(stage, index)
    if definition.plan.sees_all(stage, index):
        return [(each.index, rung.index) for each, _ in before for rung in each.rungs]
    return [(each.index, rung) for each, rung in before]


def _asked(decisions: Runs, results: Runs, keys: Keys, found: Findings) -> None:
    """Results, and folders of experiments, that no decision has asked for."""
    asked = {(each.number, decision.index) for decision, _ in decisions.values() for each in decision.issued}
    for run in sorted(set(results) - asked):
        found.wrong(result_key(*run), "is an orphan: no decision has asked for it")
    trained = {pair for key in keys if (pair := run_of(key))}
    for number, rung in sorted(trained - asked):
        found.wrong(run_prefix(number, rung), "is an orphan: no decision has asked for this training")


# -- checkpoints and best_model ---------------------------------------------------------------------------------------


def _named_checkpoints(results: Runs) -> dict[Checkpoint, str]:
    """The checkpoints that results name, with the key of a result that does."""
    named: dict[Checkpoint, str] = {}
    for run, result in sorted(results.items()):
        for checkpoint in _checkpoints(result):
            named.setdefault(checkpoint, result_key(*run))
    return named


def _checkpoints(result: Result) -> list[Checkpoint]:
    return [each for each in (result.last, result.best) if each is not None]


def _checkpoint(record: Record, checkpoint: Checkpoint, named_by: str, found: Findings) -> None:
    """A checkpoint is there, of the epoch that its result names, and its files match its manifest."""
    found.checked["checkpoints"] += 1
    key = checkpoint.manifest
    before = len(found.problems)
    manifest: Manifest | None = found.reading(key, lambda: record.manifest(key))
    if manifest is None:
        if len(found.problems) == before:
            found.wrong(key, f"is missing, and {named_by} names it")
        return
    if manifest.epoch != checkpoint.epoch:
        found.wrong(key, f"is of epoch {manifest.epoch}, where {named_by} names epoch {checkpoint.epoch}")
    for place, file in enumerate(manifest.files):
        _file(record.store, manifest.file_key(place), file.sha256, f"{key} ({file.name})", found)


def _file(store: Store, key: str, promised: str, by: str, found: Findings) -> None:
    found.checked["files"] += 1
    stored = _stored_digest(store, key)
    if stored is None:
        found.wrong(key, f"is missing, and {by} names it")
    elif stored != promised:
        found.wrong(key, f"does not match its sha256 in {by}")


def _stored_digest(store: Store, key: str) -> str | None:
    """The sha256 of an object, which may be larger than the memory."""
    with tempfile.TemporaryDirectory(prefix="automl-verify-") as folder:
        to = Path(folder) / "object"
        return sha256_of(to) if store.fetch(key, to) else None


def _best_model(record: Record, keys: Keys, found: Findings) -> None:
    """The files of best_model match its manifest."""
    key = best_model_key(MANIFEST)
    if key not in keys:
        return

    def read() -> list[tuple[str, str]]:
        manifest = strict_json.load(record.store.get(key) or b"", key)
        try:
            return [(str(each["name"]), str(each["sha256"])) for each in manifest["files"]]
        except (KeyError, TypeError) as error:
            raise RecordError(f"{key} does not hold what it should ({error})") from error

    for name, promised in found.reading(key, read) or ():
        _file(record.store, f"{BEST_MODEL}{name}", promised, key, found)


# -- views ------------------------------------------------------------------------------------------------------------


class _Shadow:
    """A store whose writes are only remembered, by their sha256: what `rebuild` would make of the record."""

    def __init__(self, store: Store) -> None:
        self._store, self.written = store, dict[str, str]()
        self.get, self.fetch, self.list = store.get, store.fetch, store.list

    @property
    def uri(self) -> str:
        return self._store.uri

    def put(self, key: str, data: bytes | Path) -> None:
        self.written[key] = digest(data) if isinstance(data, bytes) else sha256_of(data)

    def create(self, key: str, data: bytes) -> bytes:
        raise NotImplementedError(f"a view never creates {key} ({len(data)} bytes)")

    def delete(self, key: str) -> None:
        """Nothing: an object that is no longer part of a view is reported as a note."""


def _views(opened: OpenedStudy, keys: Keys, found: Findings) -> set[str]:
    """Compares every view with what the record gives; returns their names. Of a study that is running they lag behind.

    Another version may write a view differently, so that there a difference is only a note.
    """
    shadow = _Shadow(opened.record.store)
    try:
        study = views.rebuild(replace(opened, record=Record(shadow)))
    except AutoMLError as error:
        found.wrong(BEST_MODEL, f"cannot be made from the record: {error.given}")
        return set()
    if summary.state(opened.definition, study) not in {"done", "failed"}:
        return set(shadow.written)
    present = set(keys)
    differ = found.problems if opened.metadata["version"] == __version__ else found.notes
    for key, made in sorted(shadow.written.items()):
        found.checked["views"] += 1
        if key not in present:
            differ.append((key, "is missing: 'automl rebuild' writes it again"))
        elif _stored_digest(opened.record.store, key) != made:
            differ.append((key, "is not what the record gives: 'automl rebuild' writes it again"))
    return set(shadow.written)


def _is_known(key: str, made: set[str]) -> bool:
    return is_created_once(key) or key in made or run_of(key) is not None


_KEEPS_THE_PROTOCOL: type[Store] = _Shadow
