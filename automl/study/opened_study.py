"""A study that has begun: its record, its definition, and what it was begun with, read once and kept together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from automl import __version__
from automl.errors import StudyFileError
from automl.search.formats import FORMAT, check_format
from automl.search.history import Experiment, History
from automl.study import warm_start
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.keys import METADATA, METADATA_FORMAT, RULES_FORMAT, STUDY_FILE, WARM_FORMAT
from automl.study.options import StudyFile
from automl.study.record import Record, study_digest
from automl.study.rules import rules_of
from automl.study.software_versions import versions
from automl.text import strict_json


@dataclass(frozen=True)
class OpenedStudy:
    """A study and where it is stored. `record, definition = opened` unpacks the two parts that most callers need.

    `metadata` is what the study was begun with, as stored, and the extensions since then.
    """

    record: Record
    definition: Definition
    metadata: Mapping[str, Any]

    @classmethod
    def read(cls, record: Record, settings: StudyFile | None = None) -> OpenedStudy:
        """The study of a record, carried out with the `run` and `costs` of `settings`.

        Raises RecordError when the store holds no study, a damaged one, or settings that this version does not know.
        """
        metadata = record.metadata()
        return cls(record, Definition.from_json(metadata, settings), metadata)

    def __iter__(self) -> Iterator[Any]:
        """The record, then the definition."""
        return iter((self.record, self.definition))

    def history(self) -> History:
        """All decisions and results of the study, read from the store at each call."""
        return self.record.history(self.definition)

    def experiments(self) -> list[Experiment]:
        """Every experiment by number, with all that has happened to it, read from the store at each call."""
        return experiments(self.history(), self.definition.plan)

    def study_text(self) -> str:
        """The study file as its author wrote it; empty when it is missing."""
        return (self.record.store.get(STUDY_FILE) or b"").decode()


def begin(record: Record, definition: Definition, text: str) -> OpenedStudy:
    """Begins the study, or goes on with it when it was begun with the same settings; returns it as it was extended.

    `text` is the study file, stored for people. Raises StudyFileError when the store holds another study.
    """
    if record.store.get(METADATA) is None:
        definition.check_new()
        warm_start.check_read(definition.file, definition.earlier)
    theirs = _create_metadata(record, _metadata_of(definition))
    # it goes on under the rules that it was begun with, and with what was copied then, whatever the sources hold now
    definition = replace(definition, rules=rules_of(theirs), earlier=warm_start.stored(theirs))
    ours = _metadata_of(definition)
    if theirs.get("sha256") != ours["sha256"]:
        definition = definition.following(theirs)
        ours = _metadata_of(definition)
    if theirs.get("sha256") != ours["sha256"]:
        raise _another_study(record, theirs, ours)
    opened = OpenedStudy.read(record, definition.file)  # refuses one that was edited since it was begun
    record.store.create(STUDY_FILE, text.encode())
    return replace(opened, definition=replace(opened.definition, home=definition.home))


def _metadata_of(definition: Definition) -> dict[str, Any]:
    """What is stored when this study begins."""
    return {
        "format": WARM_FORMAT if definition.earlier else FORMAT if definition.rules == 1 else RULES_FORMAT,
        "version": __version__,
        "software": versions(),
        "sha256": study_digest(definition),
        **definition.to_json(),
    }


def _create_metadata(record: Record, ours: Mapping[str, Any]) -> Mapping[str, Any]:
    """Stores the metadata unless the store already holds some; returns the stored ones."""
    where = record.where(METADATA)
    stored: Mapping[str, Any] = strict_json.load(record.store.create(METADATA, strict_json.dump(ours)), where)
    check_format(stored, where, METADATA_FORMAT)
    return stored


def _another_study(record: Record, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> StudyFileError:
    changed = ", ".join(_differences(theirs, ours)) or "other settings"
    return StudyFileError(
        f"{record.store.uri} holds a study that was begun with another {changed}",
        allowed="the settings that it was begun with; 'run', 'costs' and 'cluster' may change",
        advice="give this one another name or store"
        + ("; 'automl extend' raises it" if changed in {"max_recommendations", "R"} else ""),
    )


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """The settings in which two studies differ, by name."""
    names: list[str] = []
    for group in ("study", "network"):
        stored = theirs.get(group) or {}
        changed = [key for key in ours[group] if stored.get(key) != ours[group][key]]
        names += changed if group == "study" else [f"network {key}" for key in changed]
    return names
