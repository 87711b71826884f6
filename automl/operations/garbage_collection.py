"""The checkpoints of a study that nothing needs any more: a policy says which those are, and they are removed.

What the study rests on is always kept: the checkpoints of the best experiment so far (best_model is made of them)
and of the final judgement, of every run under way, and those that an experiment goes on from. What is removed is named
in `gc/<n>.json` before it is, so that `automl verify` knows a removal from a loss. Only checkpoints are ever removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automl.errors import CheckpointError, InvalidInput
from automl.search.history import Checkpoint, Experiment, History, Status
from automl.study.definition import Definition
from automl.study.experiments import experiments, runs_of
from automl.study.keys import EXPERIMENTS, MANIFEST, REMOVED, checkpoint_object, run_of
from automl.study.manifest import Manifest
from automl.study.record import Record
from automl.study.summary import best, best_experiments, best_of_search
from automl.text.whole_numbers import whole_number

_MEGABYTE = 1_000_000

BEST, JUDGED, GOES_ON, UNDER_WAY = "of the best experiment", "of the final judgement", "to go on from", "under way"
WANTED = "asked for by --keep"
DAMAGED, ORPHAN = "damaged: see 'automl verify'", "asked for by no decision: see 'automl verify'"
STOPPED, FAILED, BEATEN = "of an experiment that was stopped", "of one that failed", "of one that is not the best"
UNNAMED, TORN = "named by no result", "not whole: it has no manifest"


@dataclass(frozen=True)
class Keep:
    """What to keep beside what the study rests on: those of the `best` best experiments, or the newest of every one."""

    newest: bool = False
    best: int = 1

    @classmethod
    def parse(cls, text: str) -> Keep:
        """What --keep says: best, last, or a number of experiments. Raises InvalidInput."""
        if text == "last":
            return cls(newest=True)
        if text == "best":
            return cls()
        number = whole_number(text, 1)
        if number is None:
            raise InvalidInput(f"--keep: {text!r}", allowed="best, last, or a number of experiments, from 1")
        return cls(best=number)


@dataclass(frozen=True)
class Found:
    """A checkpoint and what becomes of it. `objects` are its keys, the manifest first; `size` in bytes, if known."""

    manifest: str
    objects: tuple[str, ...]
    size: int | None
    reason: str
    kept: bool


@dataclass(frozen=True)
class Total:
    """How many checkpoints there are, of how many objects and megabytes."""

    checkpoints: int
    objects: int
    megabytes: float

    @classmethod
    def of(cls, checkpoints: Sequence[Found]) -> Total:
        size = sum(checkpoint.size or 0 for checkpoint in checkpoints)
        objects = sum(len(checkpoint.objects) for checkpoint in checkpoints)
        return cls(len(checkpoints), objects, round(size / _MEGABYTE, 3))

    def to_json(self) -> dict[str, Any]:
        return {"checkpoints": self.checkpoints, "objects": self.objects, "megabytes": self.megabytes}


@dataclass(frozen=True)
class Totals:
    """The total of some checkpoints, and the total for each reason."""

    total: Total
    by_reason: Mapping[str, Total]

    @classmethod
    def of(cls, checkpoints: Sequence[Found]) -> Totals:
        groups: dict[str, list[Found]] = {}
        for checkpoint in checkpoints:
            groups.setdefault(checkpoint.reason, []).append(checkpoint)
        return cls(Total.of(checkpoints), {reason: Total.of(groups[reason]) for reason in sorted(groups)})

    def to_json(self) -> dict[str, Any]:
        by_reason = [{"reason": reason, **total.to_json()} for reason, total in self.by_reason.items()]
        return {**self.total.to_json(), "by_reason": by_reason}


@dataclass(frozen=True)
class Summary:
    """What `automl gc` prints: what it removes and what stays, and the keys of the objects that it removes.

    `removed` is False while they are only listed.
    """

    study: str
    store: str
    keep: str
    remove: Totals
    stay: Totals
    objects: tuple[str, ...]
    removed: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "store": self.store,
            "keep": self.keep,
            "remove": self.remove.to_json(),
            "stay": self.stay.to_json(),
            "objects": list(self.objects),
            "removed": self.removed,
        }


def survey(record: Record, definition: Definition, keep: Keep) -> list[Found]:
    """Every checkpoint in the store and what is to become of it. Removes nothing.

    It reads the decisions before the store, so it keeps what is needed or more: a stopped experiment never goes on.
    """
    study = record.history(definition)
    all_experiments = experiments(study, definition.plan)
    needed = _needed(definition, study, all_experiments, keep)
    runs = {(recommendation.number, rung) for recommendation, rung in runs_of(study, definition.plan.stages)}
    by_number = {experiment.number: experiment for experiment in all_experiments}
    folders = _folders(record)
    keys = [f"{folder}{MANIFEST}" for folder, names in folders.items() if MANIFEST in names]
    manifests = dict(zip(keys, record.manifests(keys), strict=True))
    survey = []
    for folder, names in folders.items():
        key = f"{folder}{MANIFEST}"
        run = run_of(key)
        objects = tuple(f"{folder}{name}" for name in sorted(names, key=lambda name: name != MANIFEST))
        manifest = manifests.get(key)
        size = sum(file.size for file in manifest.files) if isinstance(manifest, Manifest) else None
        if run not in runs:
            reason, kept = ORPHAN, True
        elif run not in study.results:
            reason, kept = UNDER_WAY, True
        elif key in needed:
            reason, kept = needed[key], True
        elif manifest is None:
            reason, kept = TORN, False
        elif isinstance(manifest, CheckpointError):
            reason, kept = DAMAGED, True
        else:
            reason, kept = _why_not(by_number[run[0]], key), False
        survey.append(Found(key, objects, size, reason, kept))
    return survey


def remove(record: Record, checkpoints: Iterable[Found], policy: str) -> Iterator[Found]:
    """Removes what is not to be kept, one by one while it is iterated, after noting it in the record."""
    doomed = [checkpoint for checkpoint in checkpoints if not checkpoint.kept]
    if not doomed:
        return
    body = {
        "keep": policy,
        "checkpoints": [
            {
                "manifest": checkpoint.manifest,
                "objects": len(checkpoint.objects),
                "bytes": checkpoint.size,
                "reason": checkpoint.reason,
            }
            for checkpoint in doomed
        ],
    }
    number = len(record.user_changes(REMOVED))
    while not record.add(REMOVED, number, body):  # somebody else has just removed others
        number += 1
    for checkpoint in doomed:
        for key in checkpoint.objects:  # the manifest first: without it the rest is no checkpoint
            record.store.delete(key)
        yield checkpoint


def summary(
    definition: Definition, record: Record, checkpoints: Sequence[Found], policy: str, *, removed: bool
) -> Summary:
    """What becomes of the checkpoints of a survey; `removed` says whether those to remove are gone by now."""
    to_remove = [checkpoint for checkpoint in checkpoints if not checkpoint.kept]
    return Summary(
        study=definition.file.name,
        store=record.store.uri,
        keep=policy,
        remove=Totals.of(to_remove),
        stay=Totals.of([checkpoint for checkpoint in checkpoints if checkpoint.kept]),
        objects=tuple(key for checkpoint in to_remove for key in checkpoint.objects),
        removed=removed,
    )


def _needed(
    definition: Definition, study: History, all_experiments: Sequence[Experiment], keep: Keep
) -> Mapping[str, str]:
    """The manifests that stay, each with the reason."""
    judging = {stage.index for stage in definition.plan.finals}
    found, winner = best(definition, study), best_of_search(definition, study)
    best_ones = {
        *((found.experiment, found.training.experiment) if found is not None else ()),
        *((winner.experiment,) if winner is not None else ()),  # also where the judgement keeps the defaults
    }
    needed: dict[str, str] = {}
    for experiment in all_experiments:
        if experiment.number in best_ones:
            reason = BEST
        elif experiment.stage in judging:
            reason = JUDGED
        elif experiment.status in {Status.PENDING, Status.RUNNING, Status.WAITING}:
            reason = GOES_ON
        else:
            continue
        needed |= dict.fromkeys((checkpoint.manifest for checkpoint in _named(experiment)), reason)
    for experiment in _wanted(definition, study, all_experiments, keep):
        for checkpoint in _named(experiment):
            if not keep.newest or checkpoint == experiment.results[-1].last:
                needed.setdefault(checkpoint.manifest, WANTED)
    return needed


def _wanted(
    definition: Definition, study: History, all_experiments: Sequence[Experiment], keep: Keep
) -> list[Experiment]:
    """The experiments of which a policy keeps something."""
    if keep.newest:
        return list(all_experiments)
    return best_experiments(definition, study, keep.best)


def _named(experiment: Experiment) -> list[Checkpoint]:
    """The checkpoints that the results of an experiment name."""
    return [
        checkpoint
        for result in experiment.results
        for checkpoint in (result.last, result.best)
        if checkpoint is not None
    ]


def _why_not(experiment: Experiment, key: str) -> str:
    if key not in {checkpoint.manifest for checkpoint in _named(experiment)}:
        return UNNAMED
    if experiment.status is Status.FAILURE:
        return FAILED
    return STOPPED if experiment.status is Status.STOPPED else BEATEN


def _folders(record: Record) -> dict[str, list[str]]:
    """The folders of checkpoints in the store, each with the names of its objects."""
    folders: dict[str, list[str]] = {}
    for key in record.store.list(EXPERIMENTS):
        part = checkpoint_object(key)
        if part is not None:
            folders.setdefault(part.folder, []).append(part.name)
    return folders
