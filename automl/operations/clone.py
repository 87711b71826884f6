"""A study file to start anew from a stored study: the author's own text where it says what was run, else a new one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.errors import InvalidInput
from automl.networks import catalogue, load_network
from automl.networks.spec_formats import flatten
from automl.search.extension import GrowsBy
from automl.study.definition import Definition
from automl.study.keys import STUDY_FILE
from automl.study.options import NOT_DECISIVE, StudyFile
from automl.study.record import Record
from automl.study.summary import best_experiments
from automl.text import strict_yaml


@dataclass(frozen=True)
class Changes:
    """What a clone has otherwise than its study. best: how many of the best values of the old one it tries first."""

    recommendations: int | None = None
    R: int | None = None
    best: int = 0


_NONE = Changes()


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


def clone(record: Record, definition: Definition, path: Path, wished: Changes = _NONE) -> Clone:
    """What is to be written to `path`. Its name and store are new, so that it does not go on with the old study.

    Raises InvalidInput for changes that the study cannot have.
    """
    stored = record.store.get(STUDY_FILE)
    said = _said(stored, f"{record.store.uri}/{STUDY_FILE}")
    known = (
        definition.file.network in catalogue() and load_network(definition.file.network, Path()) == definition.network
    )
    changes: dict[str, Any] = {"name": study_name(path)}
    other = _other_settings(record, definition, wished)
    if not known:
        changes["network"] = f"./{network_path(path).name}"
    run = dict(said.get("run") or {})
    store = _store(run.get("store"), changes["name"])
    text = _edited((stored or b"").decode(errors="replace"), {**changes, "store": store if "store" in run else None})
    text = _with(text, other)
    wanted = definition.file.model_copy(update=changes | other).model_dump(mode="json", exclude=set(NOT_DECISIVE))
    if not _says(text, wanted, store if "store" in run else None):
        text = strict_yaml.dump(_spelt_out(wanted, said, store))
    return Clone(text, None if known else strict_yaml.dump(definition.network.model_dump(mode="json")))


def _other_settings(record: Record, definition: Definition, wished: Changes) -> dict[str, Any]:
    """The options of a study file that a clone has otherwise, checked together. Raises InvalidInput."""
    found: dict[str, Any] = {}
    if definition.extensions and wished.R is None:
        found |= _as_extended(definition)
    if wished.recommendations is not None:
        found["max_recommendations"] = wished.recommendations
    if wished.R is not None:
        found["R"] = wished.R
    if wished.best:
        study = record.history(definition)
        values: list[dict[str, Any]] = []  # a search that was extended has tried its best ones twice
        for each in best_experiments(definition, study, definition.plan.experiments):
            if each.values not in values and len(values) < wished.best:
                values.append(dict(each.values))
        if not values:
            raise InvalidInput(f"--best {wished.best}: no experiment of {definition.file.name} has succeeded")
        found["enqueue"] = [tried for tried in values if tried != definition.space.defaults()] or None
    Definition(definition.file.model_copy(update=found), definition.network)  # finds what does not go together
    return found


def _as_extended(definition: Definition) -> dict[str, Any]:
    """The options with which a study file begins as the study was extended: a unit of R as many epochs as there."""
    last, file = definition.extensions[-1], definition.file
    found: dict[str, Any] = {last.by.value: last.to}
    if last.by is GrowsBy.EXPERIMENTS:
        return found
    if file.epoch_multiplier == "auto":  # it would choose another one for this R
        found |= {name: None for name in ("floor_multiplier", "lower_R") if getattr(file, name) is not None}
        unit = definition.plan.multiplier
        found["epoch_multiplier"] = int(unit) if unit is not None and unit == int(unit) else "budget"
    if found.get("epoch_multiplier", file.epoch_multiplier) in {None, "budget"}:
        found["max_epochs"] = definition.plan.longest
        settings, field = flatten(file.train_spec), definition.network.fields.epochs
        if field in settings:  # the other place where that can be said
            found["train_spec"] = {name: value for name, value in settings.items() if name != field}
    return found


def _with(text: str, other: Mapping[str, Any]) -> str:
    """The author's text with other options: each in its place where it stands on a line, or at the end."""
    for name, value in other.items():
        line = strict_yaml.dump({name: value})
        found = re.search(rf"(?m)^{name} *: *[^\s,}}#]+", text)
        if found is not None and not isinstance(value, list):
            text = text[: found.start()] + line.rstrip("\n") + text[found.end() :]
        elif value is not None:
            text = f"{text.rstrip()}\n{line}"
    return text


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
