"""best_model/: which object is which file of the best checkpoint, as its manifest says.

A file has the key of its own name, where a store allows it. Another name (with a space, too long, the name of an object
of ours) gets a key below `renamed/` with the file's number in it, so that two names never become one. The manifest
has the name and the key; where it has no key, as in those of older versions, the name is the key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automl.errors import RecordError, StoreError
from automl.search.formats import FORMAT, check_format
from automl.search.race import DEFAULTS
from automl.stores.base import check_key
from automl.study.keys import BEST_MODEL, LOG, MANIFEST, SCHEDULE, STATUS_LINES, best_model_key
from automl.study.manifest import Manifest, StoredFile, check_below
from automl.study.record import Record
from automl.text import strict_json

_RENAMED = "renamed"
_MOST_KEPT = 120  # letters of a name that its other key keeps, for people
_OURS = re.compile("|".join((*map(re.escape, (MANIFEST, LOG, STATUS_LINES, SCHEDULE)), r"recommendation_\d+\.\w+")))


@dataclass(frozen=True)
class ModelFile:
    """A file of the best checkpoint, and the key of its object."""

    file: StoredFile
    key: str

    def to_json(self) -> dict[str, Any]:
        key = self.key.removeprefix(BEST_MODEL)
        return {**vars(self.file), **({} if key == self.file.name else {"key": key})}


@dataclass(frozen=True)
class BestModel:
    """What the manifest says. `folders` are the empty folders of the checkpoint, which no object stands for.

    `experiment` has the best values of the search, and `training` is the experiment whose checkpoint it is: the same,
    or one of the final judgement. `standing` and `why` say what is known about it. Older manifests lack these three.
    """

    experiment: int
    epoch: int
    metric: str
    value: float | None
    values: Mapping[str, Any]
    files: tuple[ModelFile, ...]
    folders: tuple[str, ...] = ()
    training: int | None = None
    standing: str = ""
    why: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)  # further metrics of the checkpoint

    @property
    def trained(self) -> int:
        """The experiment whose checkpoint it is."""
        return self.experiment if self.training is None else self.training

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "experiment": self.experiment,
            "defaults": self.experiment == DEFAULTS,
            "training": self.trained,
            "standing": self.standing,
            "why": self.why,
            "epoch": self.epoch,
            "metric": self.metric,
            "value": self.value,
            "values": dict(self.values),
            "files": [file.to_json() for file in self.files],
            **({"folders": list(self.folders)} if self.folders else {}),
            **({"measured": dict(self.measured)} if self.measured else {}),
        }

    @classmethod
    def read(cls, record: Record) -> BestModel | None:
        """The one that is stored; None while there is none. Raises RecordError for a damaged one."""
        key = best_model_key(MANIFEST)
        stored = record.store.get(key)
        return None if stored is None else cls.from_json(strict_json.load(stored, key), key)

    @classmethod
    def from_json(cls, data: Any, where: str) -> BestModel:
        """The one stored as `data`. Raises RecordError for a damaged one; `where` names the object."""
        check_format(data, where)
        try:
            model = cls(
                experiment=int(data["experiment"]),
                epoch=int(data["epoch"]),
                metric=str(data["metric"]),
                value=None if data["value"] is None else float(data["value"]),
                values=dict(data["values"]),
                files=tuple(_file(file) for file in data["files"]),
                folders=tuple(map(str, data.get("folders", ()))),
                training=int(data.get("training", data["experiment"])),
                standing=str(data.get("standing", "")),
                why=str(data.get("why", "")),
                measured={name: float(value) for name, value in data.get("measured", {}).items()},
            )
            check_below([file.file.name for file in model.files], model.folders)
            for file in model.files:
                check_key(file.key)
        except (AttributeError, KeyError, OverflowError, StoreError, TypeError, ValueError) as error:
            raise RecordError(
                f"{where} does not hold what it should ({error})", advice="'automl rebuild' writes it again"
            ) from error
        return model


def _file(data: Any) -> ModelFile:
    file = StoredFile.from_json(data)
    return ModelFile(file, best_model_key(str(data.get("key", file.name))))


def model_files(manifest: Manifest) -> tuple[ModelFile, ...]:
    """The files of a checkpoint, each with the key that it gets in best_model/."""
    return tuple(ModelFile(file, _key(file.name, index)) for index, file in enumerate(manifest.files))


def _key(name: str, index: int) -> str:
    key = best_model_key(name)
    try:
        check_key(key)
    except StoreError:
        return _other_key(name, index)
    is_taken = _OURS.fullmatch(name) or name.split("/", maxsplit=1)[0] == _RENAMED
    return _other_key(name, index) if is_taken else key


def _other_key(name: str, index: int) -> str:
    kept = re.sub(r"[^A-Za-z0-9._=+@-]", "_", name)[-_MOST_KEPT:]
    return best_model_key(f"{_RENAMED}/{index}_{kept}")


def hidden_keys(files: Sequence[ModelFile]) -> list[str]:
    """The keys that a listing of the store leaves out: those with a name that begins with a dot."""
    return [file.key for file in files if "/." in file.key]
