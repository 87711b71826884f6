"""The study as it reaches the first step of a workflow: compiled, or as parameters of a WorkflowTemplate.

A compiled study travels whole, with its network spelt out. A template takes any study: the text of its file, or the
address of one in a bucket, and options that go before the file's own.
"""

from __future__ import annotations

import base64
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.errors import InvalidInput, StudyFileError, nearest
from automl.importing.earlier_searches import with_earlier
from automl.networks import Network
from automl.networks.braces import script_of
from automl.search.algorithms import ALGORITHMS
from automl.stores import open_store
from automl.study.cluster_options import ClusterSettings
from automl.study.definition import Definition
from automl.study.keys import REPORT
from automl.study.options import AUTO
from automl.study.study_file import options_in, parse
from automl.text import strict_json

STUDY_LABEL, STORE_LABEL, METRIC_LABEL = "automl/study", "automl/store", "automl/metric"
_OURS = ("study", "store", "algorithm", "brain_image", "endpoint", "region")  # parameters of every template
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")
_STORE = re.compile(r"s3://[A-Za-z0-9][A-Za-z0-9._=/+@-]*")


@dataclass(frozen=True)
class Submission:
    """A study that was sent; `text` is for people.

    `store`, `image`, `timeout_minutes` and `failures_in_a_row` are those of the pods that follow, as text.
    """

    definition: Definition
    text: str
    store: str
    image: str
    timeout_minutes: str
    failures_in_a_row: str = ""

    @property
    def bucket(self) -> str:
        return self.store.removeprefix("s3://").partition("/")[0]

    @property
    def report_key(self) -> str:
        """Where Argo puts the report: beside the study."""
        prefix = self.store.removeprefix("s3://").partition("/")[2].strip("/")
        return f"{prefix}/{REPORT}" if prefix else REPORT


def compiled(sent: str, store: str) -> Submission:
    """What `workflows.compile_study` sent. Raises InvalidInput or RecordError for anything else."""
    data = strict_json.load(sent.encode(), "the compiled study")
    definition = Definition.from_json(data)
    return Submission(definition, str(data["text"]), store, definition.network.image or "", "")


def parameters(text: str, gpus: int) -> Submission:
    """The study that the parameters of a WorkflowTemplate describe.

    `text` is Argo's list of them, in base64; `gpus` is how many each training has.

    Raises InvalidInput, and StoreError when the study lies in a bucket that cannot be reached.
    """
    sent = strict_json.load(base64.b64decode(text, validate=True), "the parameters")
    values = {str(parameter["name"]): str(parameter.get("value", "")) for parameter in sent}
    algorithm = values.get("algorithm", "")
    if algorithm not in ALGORITHMS:
        raise InvalidInput(f"parameter algorithm: {algorithm!r}", allowed=", ".join(ALGORITHMS))
    taken = ALGORITHMS[algorithm].template
    allowed = (*_OURS, *taken)
    for name, value in values.items():
        if name not in allowed:
            raise InvalidInput(
                f"parameter {name!r} is not known", allowed=", ".join(allowed), advice=nearest(name, allowed)
            )
        refuse_tags(value, f"parameter {name}")
    if not values.get("study", "").strip():
        raise InvalidInput(
            "parameter study is empty",
            allowed="the text of a study file, or s3://bucket/prefix/study.yaml",
            advice="argo submit ... -p study=s3://bucket/prefix/study.yaml",
        )
    options = {name: _scalar(values[name]) for name in taken if values.get(name)}
    with tempfile.TemporaryDirectory(prefix="automl-study-") as folder:
        study = _read(values["study"], Path(folder))
        _check_algorithm(study, algorithm)
        definition = parse(study, "study", Path(folder), {"algorithm": algorithm, **options})
    store, image = _places(definition, values.get("store", ""))
    definition = _with_reachable_searches(definition)
    definition = _with_gpus(definition, gpus)
    limit, row = definition.file.run.timeout_minutes, definition.file.run.failures_in_a_row
    notes = "".join(f"\n# started with {name}: {value}" for name, value in options.items())
    text = study.rstrip("\n") + notes + "\n"
    return Submission(definition, text, store, image, "" if limit is None else str(limit), str(row or 0))


def _with_reachable_searches(definition: Definition) -> Definition:
    """The definition with its earlier searches, which a pod reads itself: they must lie in a bucket.

    Raises StudyFileError for a source on somebody's machine, and for one that cannot be used.
    """
    for source in definition.file.warm_start or ():
        if not source.startswith("s3://"):
            raise StudyFileError(
                f"warm_start: {source}, in a study for a WorkflowTemplate, which no pod can read",
                allowed="the address of a study, s3://bucket/prefix",
                advice="'automl submit' or 'automl compile' copies it into the workflow",
            )
    return with_earlier(definition, Path())


def labels(definition: Definition, store: str) -> dict[str, str]:
    """The labels of a study's workflow, by which Argo's list is filtered."""
    metric = definition.metric_rule.name
    return {STUDY_LABEL: definition.file.name, STORE_LABEL: _label(store), METRIC_LABEL: _label(metric)}


def _label(text: str) -> str:
    """A text as the value of a label: the last 63 letters of it, those that a label may not have as '-'."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text.removeprefix("s3://"))[-63:].strip("-._")


def with_settings(
    definition: Definition,
    gpus: int | None,
    timeout_minutes: float | None,
    failures_in_a_row: int | None = None,
    price_per_gpu_hour: float | None = None,
) -> Definition:
    """The definition with the settings that a record does not hold because no decision depends on them.

    None of `gpus`, `failures_in_a_row` and `price_per_gpu_hour` leaves it as it is.
    """
    file = definition.file
    settings: dict[str, Any] = {"timeout_minutes": timeout_minutes}
    if failures_in_a_row is not None:
        settings["failures_in_a_row"] = failures_in_a_row
    run = file.run.model_copy(update=settings)
    known = {"gpus": gpus, "price_per_gpu_hour": price_per_gpu_hour}
    costs = file.costs.model_copy(update={name: value for name, value in known.items() if value is not None})
    return replace(definition, file=file.model_copy(update={"run": run, "costs": costs}))


def refuse_tags(text: str, where: str) -> None:
    """Raises StudyFileError when a user's text holds what Argo would take for a tag. `where` names the text."""
    at = text.find("{{")
    if at >= 0:
        raise StudyFileError(
            f"{where} holds {text[at : at + 20]!r}",
            allowed="text without '{{', which Argo would replace wherever it stands",
            advice="write it another way",
        )


def _scalar(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text


def _read(study: str, folder: Path) -> str:
    """The text of a study file. One in a bucket may name a network file beside it, which is put into `folder`."""
    if not study.startswith("s3://"):
        if _network_file(study, "study"):
            raise StudyFileError(
                "parameter study is the text of a study file whose network is a file",
                allowed="a network of the catalogue, or both files side by side in a bucket",
                advice="put them there, and -p study=s3://bucket/prefix/study.yaml",
            )
        return study
    prefix, _, name = study.rpartition("/")
    if not prefix.removeprefix("s3:/").strip("/") or not name:
        raise InvalidInput(f"parameter study: {study}", allowed="s3://bucket/prefix/study.yaml")
    store = open_store(prefix)
    text = _text(store.get(name), study)
    refuse_tags(text, study)
    network = _network_file(text, study)
    if network:
        key = network.removeprefix("./")
        if Path(key).is_absolute() or ".." in Path(key).parts:
            raise StudyFileError(f"{study}: network: {network}", allowed="a file beside the study file, or below it")
        to = folder / key
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(_text(store.get(key), f"{prefix}/{key}"), encoding="utf-8")
    return text


def _network_file(text: str, where: str) -> str | None:
    """The path of the network file that a study names, if it is one."""
    network = options_in(text, where).get("network")
    return network if isinstance(network, str) and network.endswith((".yaml", ".yml")) else None


def _text(data: bytes | None, where: str) -> str:
    if data is None:
        raise InvalidInput(f"there is no {where}", advice="put it there first, or correct the address")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{where} is not UTF-8 text") from error


def _check_algorithm(study: str, algorithm: str) -> None:
    options = options_in(study, "study")
    named = options.get("algorithm", AUTO if "budget" in options else algorithm)
    if named == AUTO:
        raise StudyFileError(
            f"algorithm: {AUTO}, sent to the template of {algorithm}",
            advice="'automl compile' makes a workflow of the study; 'automl plan' says which algorithm it chooses",
        )
    if named != algorithm:
        raise StudyFileError(
            f"algorithm: {named}, sent to the template of {algorithm}",
            advice=f"submit it from workflowtemplate/automl-{str(named).replace('_', '-')}",
        )


def check_program(network: Network) -> None:
    """Raises StudyFileError when no pod would find the network's program: its path must be one of the image."""
    words, folder = network.command, network.working_directory
    script = script_of(words)
    named = words[0] if script is None else words[script]
    is_relative = not named.startswith("/") and (script is not None or "/" in named)
    if folder is not None and not folder.startswith("/"):
        raise StudyFileError(f"working_directory: {folder}", allowed="on a cluster, a folder of the image: /...")
    if folder is None and is_relative:
        raise StudyFileError(
            f"command: {named} is relative, and in a pod nothing lies beside the file that names it",
            allowed="the path in the image, or working_directory: the folder in the image",
        )


def notes(network: Network, cluster: ClusterSettings) -> tuple[str, ...]:
    """What to know of a network's program in a pod, although nothing is wrong with its file."""
    folder = network.working_directory
    if folder is None or cluster.writable_root or network.takes_results:
        return ()
    if any(Path(folder).is_relative_to(volume.path) for volume in cluster.volumes if not volume.read_only):
        return ()
    return (
        f"on a cluster, {folder} of the image is read-only: if the program writes there, set 'cluster: "
        "{writable_root: true}', or have it write to {results}",
    )


def check_pod_values(store: str, image: str | None, option: str, advice: str) -> str:
    """Raises when a pod would refuse the store or the image: Argo pastes both into manifests, and both are addresses.

    `option` is what names the store, for the message. Returns the image. Raises StudyFileError.
    """
    if not _STORE.fullmatch(store):
        allowed = "s3://bucket/prefix, where every pod can reach it, of letters, digits and . _ = / + @ -"
        given = repr(store) if store else "none is set"
        raise StudyFileError(f"{option}: {given}", allowed=allowed, advice=advice)
    if image is None or not _IMAGE.fullmatch(image):
        given, where = repr(image) if image else "none is set", "'image' of the network, or 'cluster: {image: ...}'"
        raise StudyFileError(f"image: {given}", allowed="the reference of an image", advice=f"see {where}")
    return image


def _places(definition: Definition, store: str) -> tuple[str, str]:
    """Where the study lies and what trains it: Argo pastes both into the pods that follow."""
    store = store or definition.file.run.store or ""
    image = definition.file.cluster.image or definition.network.image
    check_program(definition.network)
    return store, check_pod_values(store, image, "store", "-p store=s3://bucket/prefix")


def _with_gpus(definition: Definition, gpus: int) -> Definition:
    own_gpus = definition.file.costs.gpus
    if own_gpus is not None and own_gpus != gpus:
        raise StudyFileError(
            f"costs: gpus: {own_gpus}, sent to a template whose trainings have {gpus}",
            advice="leave it out, or compile this study: automl compile study.yaml",
        )
    return with_settings(definition, gpus, definition.file.run.timeout_minutes)
