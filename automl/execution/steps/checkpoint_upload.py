"""Takes the checkpoints of one attempt to the store: each when it is complete; the newest and the best of them stay."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from automl.errors import StoreError
from automl.execution.plain_files import is_plain, readable
from automl.execution.status_readers import Follower
from automl.execution.steps.results_folder import Contents, FoundFile, look
from automl.execution.steps.stage_in import Launch
from automl.networks.checkpoints import Checkpoints
from automl.problem.metric import Metric
from automl.search.history import Checkpoint
from automl.search.measurements import Measurements
from automl.search.ranking import is_better
from automl.stores.base import Store
from automl.study.keys import MANIFEST
from automl.study.manifest import Manifest, StoredFile
from automl.text import strict_json
from automl.text.digests import sha256_of

_MOST_REASONS = 3  # that a message lists


@dataclass(frozen=True, order=True)
class _Saved:
    """A checkpoint that has all its files, as they were at one look, and its empty folders.

    `refused` says why it cannot be stored; it is empty when it can be.
    """

    epoch: int
    files: tuple[FoundFile, ...]
    folders: tuple[str, ...]
    refused: str


@dataclass(frozen=True)
class Attempt:
    """What the manifests of an attempt's checkpoints say of it: which attempts trained so far, and how many seconds."""

    attempts: tuple[str, ...]
    seconds: float


class CheckpointUpload:
    """The checkpoints of one attempt. Its successor goes on from `last`; `best`, of value `best_value`, is kept.

    `refused` says why one cannot be stored, and is empty while all can be.
    """

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
        measured: Callable[[int], Measurements],
        prefix: Callable[[int], str],
    ) -> None:
        """`rule` is None for a network without checkpoints. Epochs after the attempt's first up to `epochs` count.

        `history` is the metric by epoch, to which the observer adds; `measured` gives the further ones until an epoch.
        `prefix` gives the folder of an epoch's objects.
        """
        self._store, self._rule, self._metric, self._results = store, rule, metric, launch.results
        self._follower, self._epochs, self._history, self._prefix = follower, epochs, history, prefix
        self._measured = measured
        before = launch.resume
        self.best, self.best_value = (before.best, before.best_value) if before else (None, None)
        self.last = Checkpoint(before.key, before.epoch) if before else None
        self.refused = ""
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
        """Stores one, unless the program removes or changes a file before it is read to its end.

        One that cannot be stored is `refused`.
        """
        if saved.refused:
            self._refuse(saved, saved.refused)
            return
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
            folders=saved.folders,
            history=tuple(point for point in sorted(self._history.items()) if point[0] <= saved.epoch),
            best=self.best,
            best_value=self.best_value,
            measured=self._measured(saved.epoch),
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
        """The stored files; None when one has vanished meanwhile or cannot be read."""
        stored = []
        for index, file in enumerate(saved.files):
            path = self._results / file.name
            try:
                stored.append(StoredFile(file.name, file.size, sha256_of(path)))
            except FileNotFoundError:
                return None
            except OSError as error:
                self._refuse(saved, f"{readable(file.name)} cannot be read: {error.strerror}")
                return None
            try:
                self._store.put(manifest.file_key(index), path)
            except StoreError:
                if is_plain(path):
                    raise
                return None
        return tuple(stored)

    def why_none(self) -> str:
        """What could have held a checkpoint but cannot be stored or read; empty when there is nothing of that kind."""
        if self._rule is None:
            return ""
        return "; ".join(sorted(look(self._results, self._rule).refused.values())[:_MOST_REASONS])

    def _refuse(self, saved: _Saved, why: str) -> None:
        self.refused = self.refused or f"the checkpoint of epoch {saved.epoch} cannot be stored: {why}"

    def _checkpoints(self) -> list[_Saved]:
        """The checkpoints of this attempt's epochs that have all their files, by epoch."""
        if self._rule is None:
            return []
        contents = look(self._results, self._rule)
        return [
            self._saved(epoch, names, contents, self._rule)
            for epoch, names in self._rule.whole(contents.files, contents.refused, contents.linked).items()
            if self._follower.start < epoch <= self._epochs
        ]

    @staticmethod
    def _saved(epoch: int, names: tuple[str, ...], contents: Contents, rule: Checkpoints) -> _Saved:
        places = {rule.place(name) for name in names}
        return _Saved(
            epoch,
            files=tuple(contents.files[name] for name in names if name in contents.files),
            folders=tuple(sorted(folder for folder in contents.folders if rule.place(folder) in places)),
            refused=next((contents.refused[name] for name in names if name in contents.refused), ""),
        )

    def _pending(self) -> list[_Saved]:
        """Those still to be stored, or changed since. One whose metric diverged would look healthy to its successor.

        One that was dropped stays dropped, and one that was stored stays what it was when it can no longer be stored:
        programs move old ones away and leave a link.
        """
        reported = self._values()
        pending = []
        for saved in self._seen:
            before, manifest = self._stored.get(saved.epoch, (None, None))
            is_stored = manifest is not None and (saved == before or not manifest.files or bool(saved.refused))
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
        return bool(saved.files) and max(file.changed for file in saved.files) <= self._follower.written

    def _drop_old(self, newest: int) -> None:
        """Keeps the newest and the best of the attempt's checkpoints; of the others the manifest goes first."""
        for epoch, (saved, manifest) in list(self._stored.items()):
            if epoch != newest and manifest.files and (self.best is None or manifest.key != self.best.manifest):
                self._store.delete(manifest.key)
                for index in range(len(manifest.files)):
                    self._store.delete(manifest.file_key(index))
                self._stored[epoch] = (saved, replace(manifest, files=()))  # remembered as seen
