"""The study's record in a store: reads it, and writes what is created once. keys.py knows the names.

automl_metadata.json                      once      what decides the study, with its sha256
study.yaml                                once      the study file as its author wrote it
decisions/<stage>/<index>.json            once      a decision: the only commit point of a brain step
results/<experiment>/<rung>.json          once      a result; names the attempt that won
enqueued/<n>.json                         once      values that a user wants tried next
extensions/<n>.json                       once      how many experiments there are to be, or the R, from then on
ends/<n>.json                             once      how the search ended, and each extension, where it has limits
gc/<n>.json                               once      the checkpoints that a user had removed, and why
pauses/<n>.json                           once      a row of failures at which the study paused
retries/<n>.json                          once      the runs trained again; their results: .../<rung>.<n>.json
experiment_<n>/rung_<k>/<attempt>/...     attempt   written by that attempt alone: log, status lines, times, checkpoints
everything else                           view      see reporting/views.py; anyone can make it anew from the above
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Any, Self

from automl.errors import CheckpointError, RecordError, UnknownFormat
from automl.search.formats import FORMAT, check_format
from automl.search.history import Checkpoint, Decision, History, Result
from automl.search.plan import Stage
from automl.stores.base import Store
from automl.study import warm_start
from automl.study.definition import Definition
from automl.study.experiments import check_in_plan
from automl.study.keys import (
    ENDS,
    ENQUEUED,
    EXTENSIONS,
    MANIFEST,
    METADATA,
    METADATA_FORMAT,
    REMOVED,
    RETRIES,
    checkpoint_object,
    decision_key,
    result_key,
    run_prefix,
    user_change_key,
)
from automl.study.manifest import Manifest
from automl.text import strict_json

SIDE_BY_SIDE = 8  # requests of one step


class Record:
    """One study in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._retries: dict[tuple[int, int], list[int]] | None = None

    def through(self, store: Store) -> Self:
        """This record, with what was read of it, whose objects are read and written through another store."""
        twin = copy(self)
        twin.store = store
        return twin

    def metadata(self) -> Mapping[str, Any]:
        """What the study was begun with, what it was extended to since, and how its search ended where it has limits.

        Raises RecordError when the store holds no study, or a damaged one.
        """
        data = self._load(METADATA)
        if data is None:
            raise RecordError(
                f"no study lies in {self.store.uri}",
                allowed="a store in which 'automl run' or a cluster has begun one",
                advice=f"give the folder or s3:// prefix that holds {METADATA}",
            )
        check_format(data, self.where(METADATA), METADATA_FORMAT)
        body = {name: data.get(name) for name in ("study", "network")}
        body |= {name: data[name] for name in ("rules", warm_start.KEY) if name in data}
        if digest(strict_json.dump(body)) != data.get("sha256"):
            raise RecordError(
                f"{self.where(METADATA)} does not match its sha256",
                advice="it was edited or damaged: restore it from a copy",
            )
        has_limits = isinstance(data["study"], dict) and data["study"].get("until") is not None
        ends = {"ends": self.user_changes(ENDS)} if has_limits else {}
        return {**data, "extensions": self.user_changes(EXTENSIONS), **ends}

    def decision(self, stage: int, index: int) -> tuple[Decision, str] | None:
        """The decision and the sha256 of its bytes; None if it does not exist yet."""
        key = decision_key(stage, index)
        data = self._created_once(key)
        if data is None:
            return None
        return Decision.from_json(strict_json.load(data, self.where(key)), self.where(key)), digest(data)

    def decisions(self, stage: int) -> list[tuple[Decision, str]]:
        """The decisions of a stage from the first on, each with the sha256 of its bytes."""
        decisions: list[tuple[Decision, str]] = []
        while (decision := self.decision(stage, len(decisions))) is not None:
            decisions.append(decision)
        return decisions

    def decisions_in(self, stage: Stage) -> list[tuple[Decision, str]]:
        """The decisions of a stage that are part of the plan: not one that was made as the search ended early."""
        decisions = self.decisions(stage.index)
        return decisions if stage.ended is None else decisions[: stage.most_decisions]

    def commit(self, decision: Decision) -> Decision:
        """Stores the decision unless one exists already; returns the one that is stored (state rules 1 and 4)."""
        key = decision_key(decision.stage, decision.index)
        stored = self.store.create(key, strict_json.dump(decision.to_json()))
        return Decision.from_json(strict_json.load(stored, self.where(key)), self.where(key))

    def retries(self) -> dict[tuple[int, int], list[int]]:
        """The runs that are trained again, each with the numbers of the objects that say so, read anew.

        What is read of results after that is of the newest of them.
        """
        retries: dict[tuple[int, int], list[int]] = {}
        for number, data in enumerate(self.user_changes(RETRIES)):
            key = user_change_key(RETRIES, number)
            try:
                for experiment, rung in data["runs"]:
                    retries.setdefault((int(experiment), int(rung)), []).append(number)
            except (KeyError, TypeError, ValueError) as error:
                raise RecordError(f"{self.where(key)} does not hold what it should ({error})") from error
        self._retries = retries
        return retries

    @property
    def retried(self) -> Mapping[tuple[int, int], list[int]]:
        """What `retries` has read last."""
        return self.retries() if self._retries is None else self._retries

    def result(self, experiment: int, rung: int) -> Result | None:
        """The result of a run; None if it has none yet, also where it is to be trained again."""
        return self.result_under(self.result_keys(experiment, rung)[-1])

    def results(self, experiment: int, rung: int) -> list[Result]:
        """Every result that a run has had, the first one first."""
        results = map(self.result_under, self.result_keys(experiment, rung))
        return [result for result in results if result is not None]

    def result_keys(self, experiment: int, rung: int) -> list[str]:
        """The names of the results of a run, that of the first one first."""
        return [result_key(experiment, rung, retry) for retry in (None, *self.retried.get((experiment, rung), ()))]

    def result_under(self, key: str) -> Result | None:
        """The result under one of `result_keys`."""
        data = self._created_once(key)
        return None if data is None else Result.from_json(strict_json.load(data, self.where(key)), self.where(key))

    def attempt_objects(self, experiment: int, rung: int) -> Sequence[str]:
        """The names of all that attempts at a run have left."""
        return self.store.list(run_prefix(experiment, rung))

    def store_result(self, result: Result) -> Result:
        """Stores the result unless one exists already; returns the one that is stored."""
        key = self.result_keys(result.experiment, result.rung)[-1]
        stored = self.store.create(key, strict_json.dump(result.to_json()))
        return Result.from_json(strict_json.load(stored, self.where(key)), self.where(key))

    def get_many(self, keys: Sequence[str], side_by_side: int = 1) -> list[bytes | None]:
        """The objects under these keys, None for a missing one, read with `side_by_side` requests at a time."""
        if side_by_side == 1 or len(keys) < 2:
            return [self.store.get(key) for key in keys]
        with ThreadPoolExecutor(side_by_side) as pool:
            return list(pool.map(self.store.get, keys))

    def manifest(self, key: str) -> Manifest | None:
        """The manifest under this key. Raises CheckpointError for a damaged one: only its checkpoint is lost."""
        stored = self.store.get(key)
        return None if stored is None else self._manifest(key, stored)

    def manifests(self, keys: Sequence[str]) -> list[Manifest | CheckpointError | None]:
        """The manifests under these keys; the error for a damaged one, None for a missing one."""
        manifests: list[Manifest | CheckpointError | None] = []
        for key, stored in zip(keys, self.get_many(keys, SIDE_BY_SIDE), strict=True):
            try:
                manifests.append(None if stored is None else self._manifest(key, stored))
            except CheckpointError as error:
                manifests.append(error)
        return manifests

    def _manifest(self, key: str, stored: bytes) -> Manifest:
        try:
            data = strict_json.load(stored, self.where(key))
            check_format(data, self.where(key))
            return Manifest.from_json(key, data)
        except UnknownFormat:
            raise
        except (RecordError, AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise CheckpointError(f"{self.where(key)} does not hold what it should ({error})") from error

    def checkpoints(self, experiment: int, rung: int) -> list[Checkpoint]:
        """The checkpoints that attempts at this rung have left, newest epoch first."""
        keys = self.store.list(run_prefix(experiment, rung))
        objects = [(part.epoch, key) for key in keys if (part := checkpoint_object(key)) and part.name == MANIFEST]
        return [Checkpoint(key, epoch) for epoch, key in sorted(objects, reverse=True)]

    def user_changes(self, folder: str) -> list[dict[str, Any]]:
        """What users have added to the study in one of the folders `USER_CHANGES`, from the first on."""
        changes: list[dict[str, Any]] = []
        while (data := self._load(key := user_change_key(folder, len(changes)))) is not None:
            check_format(data, self.where(key))
            changes.append(data)
        return changes

    def add(self, folder: str, number: int, body: Mapping[str, Any]) -> bool:
        """Creates the object once. False when the store already holds another one of this number."""
        change = strict_json.dump({"format": FORMAT, **body})
        return self.store.create(user_change_key(folder, number), change) == change

    def enqueued(self) -> list[dict[str, Any]]:
        """The values that a user wants tried next, in the order in which they were enqueued."""
        enqueued = [change.get("values") for change in self.user_changes(ENQUEUED)]
        for number, values in enumerate(enqueued):
            if not isinstance(values, dict):
                raise RecordError(
                    f"{self.where(user_change_key(ENQUEUED, number))} does not hold what it should (values)"
                )
        return [dict(values) for values in enqueued if values is not None]

    def removed(self) -> dict[str, str]:
        """The checkpoints that users had removed: the keys of their manifests, and the objects that say so."""
        removed: dict[str, str] = {}
        for number, data in enumerate(self.user_changes(REMOVED)):
            key = user_change_key(REMOVED, number)
            try:
                removed |= {str(checkpoint["manifest"]): key for checkpoint in data["checkpoints"]}
            except (KeyError, TypeError) as error:
                raise RecordError(f"{self.where(key)} does not hold what it should ({error})") from error
        return removed

    def history(self, definition: Definition) -> History:
        """All decisions and results of the study, in order."""
        self.retries()
        decisions: list[Decision] = []
        results: dict[tuple[int, int], Result] = {}
        for stage in definition.plan.stages:
            for decision, _ in self.decisions_in(stage):
                check_in_plan(stage, decision)
                decisions.append(decision)
                for issued, rung in decision.runs():
                    result = self.result(issued.number, rung)
                    if result is not None:
                        results[issued.number, rung] = result
        return History(definition.brain.metric, tuple(decisions), results)

    def _created_once(self, key: str) -> bytes | None:
        """A decision's or a result's bytes."""
        return self.store.get(key)

    def _load(self, key: str) -> Any:
        data = self.store.get(key)
        return None if data is None else strict_json.load(data, self.where(key))

    def where(self, key: str) -> str:
        return f"{self.store.uri.rstrip('/')}/{key}"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def study_digest(definition: Definition) -> str:
    """The sha256 of all that decides a study, which its metadata name."""
    return digest(strict_json.dump(definition.to_json()))
