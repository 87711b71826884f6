"""A study file that begins a stored study again: the author's own text where it says what was run, else a new one."""

from __future__ import annotations

import os
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
from automl.study.study_file import study_name
from automl.study.summary import best_experiments
from automl.text import strict_yaml


@dataclass(frozen=True)
class Changes:
    """How a clone differs from its study. `best` is how many of the best values of the old study it tries first."""

    recommendations: int | None = None
    R: int | None = None
    best: int = 0


_NONE = Changes()


@dataclass(frozen=True)
class Clone:
    """The text of a study file, and that of the network file beside it, where the catalogue has no such network."""

    text: str
    network: str | None


def network_path(path: Path) -> Path:
    """The path of the network file of a cloned study: beside the study file."""
    return path.with_name(f"{path.stem}.network.yaml")


def clone(
    record: Record, definition: Definition, path: Path, wished: Changes = _NONE, file: Path | None = None
) -> Clone:
    """What to write to `path`. Its name and store are new, so that it does not go on with the old study.

    `file` is the study file, None where it is not at hand. Raises InvalidInput for changes that the study cannot have,
    and for earlier searches whose paths are from the folder of a study file that is nowhere to be seen.
    """
    stored = record.store.get(STUDY_FILE)
    authored = _authored(stored, f"{record.store.uri}/{STUDY_FILE}")
    in_catalogue = (
        definition.file.network in catalogue() and load_network(definition.file.network, Path()) == definition.network
    )
    changes: dict[str, Any] = {"name": study_name(path.stem)}
    settings = _other_settings(record, definition, wished)
    if "sampler" not in authored:  # the one that the study has, named where a new file would get another
        own = definition.sampler_name
        settings["sampler"] = None if own == definition.algorithm.sampler else own
    if not in_catalogue:
        changes["network"] = f"./{network_path(path).name}"
    run = dict(authored.get("run") or {})
    store = _store(run.get("store"), changes["name"])
    text = _edited((stored or b"").decode(errors="replace"), {**changes, "store": store if "store" in run else None})
    text = _with_settings(text, settings)
    sources = definition.file.warm_start or []
    if any(_is_from_the_folder(source) for source in sources):
        folder = file.parent if file is not None else _folder_of_file(record, definition, run.get("store"))
        settings["warm_start"] = [_from_another(source, folder, path.parent) for source in sources]
        text = _with_sources(text, dict(zip(sources, settings["warm_start"], strict=True)))
    intended = definition.file.model_copy(update=changes | settings).model_dump(mode="json", exclude=set(NOT_DECISIVE))
    if not _means(text, intended, store if "store" in run else None):
        text = strict_yaml.dump(_spelt_out(intended, authored, store))
    return Clone(text, None if in_catalogue else strict_yaml.dump(definition.network.model_dump(mode="json")))


def _other_settings(record: Record, definition: Definition, wished: Changes) -> dict[str, Any]:
    """The options of a study file that a clone changes, checked together. Raises InvalidInput."""
    settings: dict[str, Any] = {}
    if definition.extensions and wished.R is None:
        settings |= _as_extended(definition)
    if wished.recommendations is not None:
        settings["max_recommendations"] = wished.recommendations
    if wished.R is not None:
        settings["R"] = wished.R
    if wished.best:
        study = record.history(definition)
        values: list[dict[str, Any]] = []  # a search that was extended has tried its best ones twice
        for experiment in best_experiments(definition, study, definition.plan.experiments):
            if experiment.values not in values and len(values) < wished.best:
                values.append(dict(experiment.values))
        if not values:
            raise InvalidInput(f"--best {wished.best}: no experiment of {definition.file.name} has succeeded")
        settings["enqueue"] = [tried for tried in values if tried != definition.space.defaults()] or None
    Definition(definition.file.model_copy(update=settings), definition.network)  # finds what does not go together
    return settings


def _as_extended(definition: Definition) -> dict[str, Any]:
    """The options that begin a study as it was extended, where a unit of R is as many epochs as in the extended one."""
    last, file = definition.extensions[-1], definition.file
    options: dict[str, Any] = {last.by.value: last.to}
    if last.by is GrowsBy.EXPERIMENTS:
        return options
    if file.epoch_multiplier == "auto":  # it would choose another one for this R
        options |= {name: None for name in ("floor_multiplier", "lower_R") if getattr(file, name) is not None}
        unit = definition.plan.multiplier
        options["epoch_multiplier"] = int(unit) if unit is not None and unit == int(unit) else "budget"
    if options.get("epoch_multiplier", file.epoch_multiplier) in {None, "budget"}:
        options["max_epochs"] = definition.plan.longest
        settings, field = flatten(file.train_spec), definition.network.fields.epochs
        if field in settings:  # the other setting that can say the same
            options["train_spec"] = {name: value for name, value in settings.items() if name != field}
    return options


def _with_settings(text: str, settings: Mapping[str, Any]) -> str:
    """The author's text with changed options: each on the line where it stood, or at the end."""
    for name, value in settings.items():
        line = strict_yaml.dump({name: value})
        match = re.search(rf"(?m)^{name} *: *[^\s,}}#]+", text)
        if match is not None and not isinstance(value, list):
            text = text[: match.start()] + line.rstrip("\n") + text[match.end() :]
        elif value is not None:
            text = f"{text.rstrip()}\n{line}"
    return text


def _is_from_the_folder(source: str) -> bool:
    """Whether an earlier search is named by a path from the folder of the study file."""
    return _path_in(source) is not None


def _path_in(source: str) -> re.Match[str] | None:
    """The parts of a source that is a relative path: what stands before the path, the path, and what behind."""
    return re.fullmatch(r"(?P<before>sqlite:///)?(?P<path>(?!/)(?![a-z0-9]+://)[^#]+)(?P<behind>#.*)?", source)


def _folder_of_file(record: Record, definition: Definition, own_store: Any) -> Path:
    """The folder of the study file of a study, which is known by how its file names the store that it is in.

    Raises InvalidInput where the store is a bucket, or another one than its file names.
    """
    own, folder = Path(own_store or definition.file.name), Path(record.store.uri)
    parts = own.parts
    is_there = "://" not in record.store.uri and not own.is_absolute() and ".." not in parts
    if not is_there or folder.parts[-len(parts) :] != parts:
        paths = ", ".join(filter(_is_from_the_folder, definition.file.warm_start or ()))
        raise InvalidInput(
            f"warm_start: {paths}: from the folder of the study file, which {record.store.uri} does not tell",
            advice="give the study file itself: automl clone STUDY.yaml NEW.yaml",
        )
    return Path(*folder.parts[: -len(parts)])


def _from_another(source: str, folder: Path, new_folder: Path) -> str:
    """A source as a study file in another folder names it."""
    match = _path_in(source)
    if match is None or folder.resolve() == new_folder.resolve():
        return source
    path = os.path.relpath((folder / match["path"]).resolve(), new_folder.resolve())
    path = path if path.startswith("..") else f"./{path}"
    return f"{match['before'] or ''}{path}{match['behind'] or ''}"


def _with_sources(text: str, new: Mapping[str, str]) -> str:
    """The author's text with other sources of earlier searches, each where it stood."""
    begin = text.find("warm_start")
    head, tail = (text, "") if begin < 0 else (text[:begin], text[begin:])
    old = "|".join(re.escape(source) for source in sorted(new, key=len, reverse=True))
    return head + re.sub(rf"(?<![^\s\[,'\"])(?:{old})(?![^\s\],'\"])", lambda match: new[match[0]], tail)


def _authored(stored: bytes | None, where: str) -> Mapping[str, Any]:
    """The settings of the author's study file; none when it is missing or is no longer YAML."""
    try:
        return strict_yaml.mapping((stored or b"").decode(errors="replace"), where)
    except InvalidInput:
        return {}


def _store(old_store: Any, name: str) -> str:
    """A store beside the old one, under the new name."""
    old = str(old_store)
    bucket = re.fullmatch(r"(s3://[^/]+/)(?:(.*/)?[^/]+/?)?", old) or re.fullmatch(r"(s3://[^/]+)()", old)
    return f"{bucket[1].rstrip('/')}/{bucket[2] or ''}{name}" if bucket else f"./{name}"


def _edited(text: str, changes: Mapping[str, str | None]) -> str:
    """The author's text with other values after these names, each on the line where it stands, comments kept."""
    for name, value in changes.items():
        before = r"(?:run *: *\{(?:.*?[ ,{])?| +)" if name == "store" else ""
        match = re.search(rf"(?m)^{before}{name} *: *(?P<old>[^\s,}}#]+)", text)
        if value is not None and match is not None:
            text = text[: match.start("old")] + value + text[match.end("old") :]
    return text


def _means(text: str, intended: Mapping[str, Any], store: str | None) -> bool:
    """Whether the edited text means the intended settings."""
    try:
        file = StudyFile.model_validate(strict_yaml.mapping(text, "the clone"))
    except (InvalidInput, ValueError):
        return False
    return file.model_dump(mode="json", exclude=set(NOT_DECISIVE)) == intended and file.run.store == store


def _spelt_out(intended: Mapping[str, Any], authored: Mapping[str, Any], store: str) -> dict[str, Any]:
    """The options that differ from the defaults, in the model's order, and the author's `run`, `costs`, `cluster`."""
    usual = {name: field.default for name, field in StudyFile.model_fields.items()}
    chosen = {name: value for name, value in intended.items() if value is not None and value != usual[name]}
    if chosen.get("final") == StudyFile.model_fields["final"].default.model_dump():
        del chosen["final"]
    others = {name: dict(authored[name]) for name in NOT_DECISIVE if isinstance(authored.get(name), dict)}
    return {**chosen, **others, "run": {**others.get("run", {}), "store": store}}
