"""A study file to start anew from a stored study: the author's own text where it says what was run, else a new one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl import strict_yaml
from automl.errors import InvalidInput
from automl.networks import catalogue, load_network
from automl.record import STUDY_FILE, Record
from automl.study_file import Definition
from automl.study_options import NOT_DECISIVE, StudyFile


@dataclass(frozen=True)
class Clone:
    """The text of a study file, and that of the network file beside it, where the catalogue has no such network."""

    text: str
    network: str | None


def study_name(path: Path) -> str:
    """The name that a study gets from its file's: letters a-z, digits and '-'."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40].strip("-") or "study"


def network_path(path: Path) -> Path:
    """Where the network file of a cloned study lies: beside it."""
    return path.with_name(f"{path.stem}.network.yaml")


def clone(record: Record, definition: Definition, path: Path) -> Clone:
    """What is to be written to `path`. Its name and store are new, so that it does not go on with the old study."""
    stored = record.store.get(STUDY_FILE)
    said = _said(stored, f"{record.store.uri}/{STUDY_FILE}")
    known = (
        definition.file.network in catalogue() and load_network(definition.file.network, Path()) == definition.network
    )
    changes: dict[str, Any] = {"name": study_name(path)}
    if not known:
        changes["network"] = f"./{network_path(path).name}"
    run = dict(said.get("run") or {})
    store = _store(run.get("store"), changes["name"])
    text = _edited((stored or b"").decode(errors="replace"), {**changes, "store": store if "store" in run else None})
    wanted = definition.file.model_copy(update=changes).model_dump(mode="json", exclude=set(NOT_DECISIVE))
    if not _says(text, wanted, store if "store" in run else None):
        text = strict_yaml.dump(_spelt_out(wanted, said, store))
    return Clone(text, None if known else strict_yaml.dump(definition.network.model_dump(mode="json")))


def _said(stored: bytes | None, where: str) -> Mapping[str, Any]:
    """What the author's study file says; nothing when it is missing or is not YAML any more."""
    try:
        return strict_yaml.mapping((stored or b"").decode(errors="replace"), where)
    except InvalidInput:
        return {}


def _store(given: Any, name: str) -> str:
    """A place beside the old one, under the new name."""
    bucket = re.fullmatch(r"(s3://[^/]+/)(?:(.*/)?[^/]+/?)?", str(given)) or re.fullmatch(r"(s3://[^/]+)()", str(given))
    return f"{bucket[1].rstrip('/')}/{bucket[2] or ''}{name}" if bucket else f"./{name}"


def _edited(text: str, changes: Mapping[str, str | None]) -> str:
    """The author's text with other values after these names, each on the line where it stands, comments kept."""
    for name, value in changes.items():
        before = r"(?:run *: *\{(?:.*?[ ,{])?| +)" if name == "store" else ""
        found = re.search(rf"(?m)^{before}{name} *: *(?P<old>[^\s,}}#]+)", text)
        if value is not None and found is not None:
            text = text[: found.start("old")] + value + text[found.end("old") :]
    return text


def _says(text: str, wanted: Mapping[str, Any], store: str | None) -> bool:
    """Whether the edited text means what is wanted."""
    try:
        file = StudyFile.model_validate(strict_yaml.mapping(text, "the clone"))
    except (InvalidInput, ValueError):
        return False
    return file.model_dump(mode="json", exclude=set(NOT_DECISIVE)) == wanted and file.run.store == store


def _spelt_out(wanted: Mapping[str, Any], said: Mapping[str, Any], store: str) -> dict[str, Any]:
    """All options that are not the usual ones, in the model's order, and the author's `run`, `costs`, `cluster`."""
    usual = {name: field.default for name, field in StudyFile.model_fields.items()}
    chosen = {name: value for name, value in wanted.items() if value is not None and value != usual[name]}
    if chosen.get("final") == StudyFile.model_fields["final"].default.model_dump():
        del chosen["final"]
    others = {name: dict(said[name]) for name in NOT_DECISIVE if isinstance(said.get(name), dict)}
    return {**chosen, **others, "run": {**others.get("run", {}), "store": store}}
