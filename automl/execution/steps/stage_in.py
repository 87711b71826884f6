"""What a training finds when it starts: its train spec, and the checkpoint to go on from, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.errors import CheckpointError
from automl.execution.pod_contract import LOG
from automl.networks.braces import SPEC
from automl.networks.spec_formats import FORMATS
from automl.search.history import Checkpoint, Recommendation
from automl.search.plan import Resume
from automl.study.definition import Definition
from automl.study.manifest import Manifest
from automl.study.record import Record
from automl.study.train_spec import told_epochs, train_spec
from automl.text.digests import sha256_of

RESULTS = "results"  # in a training's folder, what its program writes to
RESUME = "resume"  # beside it, the checkpoint to go on from


@dataclass(frozen=True)
class Launch:
    """A training that is ready to start. `resume` is the checkpoint that was copied into its folder, if any.

    `environment` are variables beside those that it inherits, `working` is the folder that it runs in, its own unless
    said.
    """

    argv: tuple[str, ...]
    folder: Path
    attempt: str
    resume: Manifest | None
    environment: Mapping[str, str] = field(default_factory=dict)
    working: Path | None = None

    @property
    def results(self) -> Path:
        return self.folder / RESULTS

    @property
    def log(self) -> Path:
        return self.folder / LOG


def stage_in(record: Record, definition: Definition, recommendation: Recommendation, rung: int, folder: Path) -> Launch:
    """Prepares `folder`, whose name is the attempt's, for one training.

    It goes on from the newest whole checkpoint that an attempt at this rung has left, otherwise from the one that the
    result of the rung before names, its own or that of the experiment from which it takes over, whose epoch must be
    the one promised (state rule 7). Raises CheckpointError.
    """
    results = folder / RESULTS
    results.mkdir(parents=True, exist_ok=True)
    resume = _newest(record, recommendation, rung, folder) if definition.network.can_resume else None
    if definition.resume is not Resume.STOP:  # there it begins anew when it was cut off
        resume = resume or _promoted(record, recommendation, rung, folder)
    if resume is not None and _resumes_in_place(definition):
        _move_into_results(resume, folder)
    path = _checkpoint_path(definition, resume, folder)
    spec = train_spec(definition, recommendation, {"results": str(results), "resume_from": path})
    words = definition.network.words
    if SPEC in words.names:
        text = FORMATS[definition.network.spec_format].dump(spec)
        _spec_file(definition, folder).write_text(text, encoding="utf-8")
    ours = _ours(definition, recommendation, path, folder)
    argv = (*words.argv(spec, ours), *_resume_words(definition, resume, folder))
    return Launch(argv, folder, folder.name, resume, words.variables(spec, ours))


def _ours(
    definition: Definition, recommendation: Recommendation, checkpoint: str | None, folder: Path
) -> dict[str, Any]:
    """What the braces stand for that are no values of the train spec."""
    return {
        "spec": str(_spec_file(definition, folder)),
        "results": str(folder / RESULTS),
        "gpus": definition.costs.gpus,
        "epochs": told_epochs(definition, recommendation),
        "seed": recommendation.seed,
        "checkpoint": checkpoint,
    }


def _resume_words(definition: Definition, resume: Manifest | None, folder: Path) -> tuple[str, ...]:
    """What the command gets in addition when it goes on from a checkpoint."""
    rule = definition.network.checkpoints
    if resume is None or rule is None:
        return ()
    filled = {
        "{checkpoint}": str(folder / RESUME / rule.handed_over(resume.files[0].name)),
        "{epoch}": str(resume.epoch),
        "{next_epoch}": str(resume.epoch + 1),
    }
    return tuple(_filled(word, filled) for word in rule.arguments)


def _filled(word: str, values: dict[str, str]) -> str:
    for placeholder, value in values.items():
        word = word.replace(placeholder, value)
    return word


def _spec_file(definition: Definition, folder: Path) -> Path:
    return folder / f"spec.{FORMATS[definition.network.spec_format].ending}"


def _newest(record: Record, recommendation: Recommendation, rung: int, folder: Path) -> Manifest | None:
    for checkpoint in record.checkpoints(recommendation.number, rung):
        if checkpoint.epoch <= recommendation.epochs:
            try:
                return _fetch(record, checkpoint, folder)
            except CheckpointError:
                continue  # an attempt that was cut off while it wrote: the one before it will do
    return None


def _promoted(record: Record, recommendation: Recommendation, rung: int, folder: Path) -> Manifest | None:
    if recommendation.resume_epoch == 0:
        return None
    number, parent = recommendation.number, recommendation.parent
    before = record.result(number if parent is None else parent, rung - 1)
    if before is None or before.last is None:
        whose = "its result" if parent is None else f"the result of experiment {parent}"
        raise CheckpointError(
            f"experiment {number} is to resume from epoch {recommendation.resume_epoch}, and {whose} at rung {rung - 1}"
            " names no checkpoint",
            advice="give the network file a 'checkpoints' rule that matches what the program writes",
        )
    manifest = _fetch(record, before.last, folder)
    if manifest.epoch != recommendation.resume_epoch:
        raise CheckpointError(
            f"the checkpoint {manifest.key} is of epoch {manifest.epoch}",
            allowed=f"epoch {recommendation.resume_epoch}",
        )
    return manifest


def _fetch(record: Record, checkpoint: Checkpoint, folder: Path) -> Manifest:
    """The checkpoint's files in `folder/resume`, each with the sha256 that its manifest promises."""
    manifest = record.manifest(checkpoint.manifest)
    if manifest is None:
        raise CheckpointError(f"the checkpoint {checkpoint.manifest} is not in the store")
    if manifest.epoch != checkpoint.epoch:
        raise CheckpointError(
            f"the checkpoint {manifest.key} is of epoch {manifest.epoch}", allowed=f"epoch {checkpoint.epoch}"
        )
    for index, file in enumerate(manifest.files):
        to = folder / RESUME / file.name
        to.parent.mkdir(parents=True, exist_ok=True)
        if not record.store.fetch(manifest.file_key(index), to):
            raise CheckpointError(f"{manifest.file_key(index)}, a file of a checkpoint, is not in the store")
        if sha256_of(to) != file.sha256:
            to.unlink()
            raise CheckpointError(f"{manifest.file_key(index)} does not match the sha256 of its manifest")
    for name in manifest.folders:
        (folder / RESUME / name).mkdir(parents=True, exist_ok=True)
    return manifest


def _resumes_in_place(definition: Definition) -> bool:
    """Whether the program looks for the checkpoint in its own results folder."""
    rule = definition.network.checkpoints
    return rule is not None and rule.resume == "in_place"


def _move_into_results(resume: Manifest, folder: Path) -> None:
    for file in resume.files:
        to = folder / RESULTS / file.name
        to.parent.mkdir(parents=True, exist_ok=True)
        (folder / RESUME / file.name).replace(to)
    for name in resume.folders:
        (folder / RESULTS / name).mkdir(parents=True, exist_ok=True)


def _checkpoint_path(definition: Definition, resume: Manifest | None, folder: Path) -> str | None:
    """The path of the checkpoint for the train spec: its first file, or its folder. None when it needs no path."""
    rule = definition.network.checkpoints
    if resume is None or rule is None or _resumes_in_place(definition):
        return None
    return str(folder / RESUME / rule.handed_over(resume.files[0].name))
