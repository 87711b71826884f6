"""Takes the checkpoints of one attempt to the store: each when it is complete; the newest and the best of them stay."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from automl.errors import StoreError
from automl.execution.status_readers import Follower
from automl.execution.steps.stage_in import Launch
from automl.networks.checkpoints import Checkpoints
from automl.problem.metric import Metric
from automl.search.history import Checkpoint
from automl.search.ranking import is_better
from automl.stores.base import Store
from automl.study.keys import MANIFEST
from automl.study.manifest import Manifest, StoredFile
from automl.text import strict_json
from automl.text.digests import sha256_of


@dataclass(frozen=True, order=True)
class _File:
    """A file as it was at one look: its path below the results folder, its bytes, and its last change in ns."""

    name: str
    size: int
    changed: int


@dataclass(frozen=True, order=True)
class _Saved:
    """A checkpoint that has all its files, as they were at one look."""

    epoch: int
    files: tuple[_File, ...]


@dataclass(frozen=True)
class Attempt:
    """What the manifests of an attempt's checkpoints say of it: which attempts trained so far, and how many seconds."""

    attempts: tuple[str, ...]
    seconds: float


class CheckpointUpload:
    """The checkpoints of one attempt. Its successor goes on from `last`; `best`, of value `best_value`, is kept."""

    def __init__(
        self,
        store: Store,
        rule: Checkpoints | None,
        metric: Metric,
        launch: Launch,
        follower: Follower,
        *,
        epochs: int,
        history: Mapping[int, float],
        prefix: Callable[[int], str],
    ) -> None:
        """`rule` is None for a network without checkpoints. Epochs after the attempt's first up to `epochs` count.

        `history` is the metric by epoch, to which the observer adds. `prefix` gives the folder of an epoch's objects.
        """
        self._store, self._rule, self._metric, self._results = store, rule, metric, launch.results
        self._follower, self._epochs, self._history, self._prefix = follower, epochs, history, prefix
        before = launch.resume
        self.best, self.best_value = (before.best, before.best_value) if before else (None, None)
        self.last = Checkpoint(before.key, before.epoch) if before else None
        self._seen: list[_Saved] = []  # in the results folder at the last look
        self._stored: dict[int, tuple[_Saved, Manifest]] = {}

    def whole_while_it_runs(self) -> list[_Saved]:
        """Looks again; returns those to store that have not changed since the last look or the last status line."""
        before, self._seen = self._seen, self._checkpoints()
        return [saved for saved in self._reported() if saved in before or self._untouched(saved)]

    def whole_at_the_end(self, *, ended_by_itself: bool) -> list[_Saved]:
        """Those to store when the program has ended. One that was killed may have left half a file."""
        self._seen = self._checkpoints()
        if ended_by_itself:
            return self._pending()
        return [saved for saved in self._reported() if self._untouched(saved)]

    def store(self, saved: _Saved, attempt: Attempt) -> None:
        """Stores one, unless the program removes or changes a file before it is read to its end."""
        key = self._prefix(saved.epoch) + MANIFEST
        manifest = Manifest(key, saved.epoch, (), (), attempt.attempts, attempt.seconds)
        if saved.epoch in self._stored:  # what its manifest promises is about to be written over
            self._store.delete(key)
        files = self._store_files(saved, manifest)
        if files is None or saved not in self._checkpoints():
            return
        checkpoint = Checkpoint(key, saved.epoch)
        self.compare(checkpoint)
        manifest = replace(
            manifest,
            files=files,
            history=tuple(point for point in sorted(self._history.items()) if point[0] <= saved.epoch),
            best=self.best,
            best_value=self.best_value,
        )
        self._store.put(key, strict_json.dump(manifest.to_json()))
        if self.last is None or self.last.epoch < saved.epoch:
            self.last = checkpoint
        self._stored[saved.epoch] = (saved, manifest)
        self._drop_old(self.last.epoch)

    def compare(self, checkpoint: Checkpoint) -> None:
        """Keeps a checkpoint as the best when the metric of its epoch is better than the best before."""
        value = self._history.get(checkpoint.epoch)
        if value is None:
            return
        if is_better(value, self.best_value, self._metric):
            self.best, self.best_value = checkpoint, value

    def _store_files(self, saved: _Saved, manifest: Manifest) -> tuple[StoredFile, ...] | None:
        """The stored files; None when one has vanished meanwhile."""
        stored = []
        for index, file in enumerate(saved.files):
            path = self._results / file.name
            try:
                stored.append(StoredFile(file.name, file.size, sha256_of(path)))
                self._store.put(manifest.file_key(index), path)
            except (FileNotFoundError, StoreError):
                if path.is_file():
                    raise
                return None
        return tuple(stored)

    def _checkpoints(self) -> list[_Saved]:
        """The checkpoints of this attempt's epochs that have all their files, by epoch."""
        if self._rule is None:
            return []
        files: dict[str, _File] = {}
        for folder, _, names in os.walk(self._results):
            for path in (Path(folder) / name for name in names):
                with suppress(FileNotFoundError):  # programs remove old ones while we look
                    about = path.stat()
                    if stat.S_ISREG(about.st_mode):
                        name = path.relative_to(self._results).as_posix()
                        files[name] = _File(name, about.st_size, about.st_mtime_ns)
        return [
            _Saved(epoch, tuple(files[name] for name in names))
            for epoch, names in self._rule.whole(files).items()
            if self._follower.start < epoch <= self._epochs
        ]

    def _pending(self) -> list[_Saved]:
        """Those still to be stored, or changed since. One whose metric diverged would look healthy to its successor.

        One that was dropped stays dropped.
        """
        reported = self._values()
        pending = []
        for saved in self._seen:
            before, manifest = self._stored.get(saved.epoch, (None, None))
            is_stored = manifest is not None and (saved == before or not manifest.files)
            if not is_stored and math.isfinite(reported.get(saved.epoch, 0.0)):
                pending.append(saved)
        return pending

    def _reported(self) -> list[_Saved]:
        """Those still to be stored whose metric was read or will not come any more.

        Which checkpoint is the best must not depend on when we look.
        """
        reported, furthest = self._values(), self._follower.readings.furthest
        return [saved for saved in self._pending() if saved.epoch in reported or saved.epoch < furthest]

    def _values(self) -> Mapping[int, float]:
        """The metric by epoch as this attempt reported it."""
        return self._follower.readings.values.get(self._metric.name, {})

    def _untouched(self, saved: _Saved) -> bool:
        """Whether it was whole when the program last wrote a line: programs save and report in turn."""
        return max(file.changed for file in saved.files) <= self._follower.written

    def _drop_old(self, newest: int) -> None:
        """Keeps the newest and the best of the attempt's checkpoints; of the others the manifest goes first."""
        for epoch, (saved, manifest) in list(self._stored.items()):
            if epoch != newest and manifest.files and (self.best is None or manifest.key != self.best.manifest):
                self._store.delete(manifest.key)
                for index in range(len(manifest.files)):
                    self._store.delete(manifest.file_key(index))
                self._stored[epoch] = (saved, replace(manifest, files=()))  # remembered as seen
