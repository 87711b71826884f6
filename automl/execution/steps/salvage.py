"""After a runner was killed: takes the whole checkpoints that it had not stored yet from the folders of its attempts.

What was trained is then not trained again. The folders lie on the machine that trained; without them (another machine,
a pod that is gone) a study goes on from what is stored, as always.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from automl.errors import CheckpointError, RecordError
from automl.execution.plain_files import is_plain
from automl.execution.pod_contract import LOG
from automl.execution.steps.diagnosis import Ended
from automl.execution.steps.observe import Observer
from automl.execution.steps.stage_in import Launch
from automl.search.agenda import Run
from automl.search.formats import FORMAT, check_format
from automl.search.history import Recommendation
from automl.study.definition import Definition
from automl.study.keys import attempt_prefix
from automl.study.record import Record, study_digest
from automl.text import strict_json

_NOTE = "attempt.json"
_KILLED = -9


def note(definition: Definition, launch: Launch, run: Run, log_from: int = 0) -> None:
    """Leaves in the attempt's folder, before its training starts, what `salvage` has to know.

    `log_from` is where the log of this run begins, when the training has come to it without an interruption.
    """
    content = {
        "format": FORMAT,
        "study": study_digest(definition),
        "stage": run.stage,
        "decision": run.decision,
        "rung": run.rung,
        "recommendation": run.recommendation.to_json(),
        "resume": launch.resume and launch.resume.key,
        **({"log_from": log_from} if log_from else {}),
    }
    (launch.folder / _NOTE).write_bytes(strict_json.dump(content))


def logs_under_way(attempts: Path, experiment: int) -> list[Path]:
    """The logs of trainings of an experiment that are under way on this machine, below the folder of all attempts."""
    logs = []
    for noted in sorted(attempts.glob(f"*/{_NOTE}")):
        try:
            content = strict_json.load(noted.read_bytes(), str(noted))
            number = Recommendation.from_json(content["recommendation"]).number
        except (OSError, RecordError, KeyError, TypeError, ValueError):
            continue  # it ends, or begins, at this moment
        if number == experiment and is_plain(noted.parent / LOG):
            logs.append(noted.parent / LOG)
    return logs


def salvage(record: Record, definition: Definition, attempts: Path, alone: Collection[Path] = ()) -> None:
    """Stores what the attempts in this folder left, and removes it. Nothing may train there any more.

    `alone` are folders of attempts that are not touched: those where something may still train.
    """
    for folder in sorted(attempts.iterdir()) if attempts.is_dir() else []:
        if folder in alone:
            continue
        _salvage(record, definition, folder)
        remove(folder)


def remove(folder: Path) -> None:
    """Removes an attempt's folder, as far as it can be. What is left is in nobody's way, and goes with the next run.

    A program may have removed it, taken the rights of a folder in it, or have a child that still writes there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir():
        _give_rights(folder)
        for inside, names, _ in os.walk(folder):
            for name in names:
                _give_rights(Path(inside) / name)
        shutil.rmtree(folder, ignore_errors=True)


def _give_rights(folder: Path) -> None:
    if not folder.is_symlink():  # it may lead to a folder that is not ours
        with suppress(OSError):
            folder.chmod(stat.S_IRWXU)


def _salvage(record: Record, definition: Definition, folder: Path) -> None:
    if not is_plain(folder / _NOTE):
        return
    try:
        content = strict_json.load((folder / _NOTE).read_bytes(), str(folder / _NOTE))
        check_format(content, str(folder / _NOTE))
        study, stage, rung = content["study"], int(content["stage"]), int(content["rung"])
        index = int(content.get("decision", rung))  # older notes hold none: the decision was that of the rung
        recommendation = Recommendation.from_json(content["recommendation"])
        log_from = int(content.get("log_from", 0))
        resume = content["resume"] and record.manifest(content["resume"])
    except (OSError, RecordError, KeyError, TypeError, ValueError):
        return  # it was killed before it began, or the machine lost power: there is nothing to be sure of
    stored = record.decision(stage, index)
    is_ours = study == study_digest(definition) and stored is not None and recommendation in stored[0].issued
    is_gone = content["resume"] is not None and resume is None
    if not is_ours or is_gone or record.result(recommendation.number, rung) is not None:
        return  # of another study with the same store, or no longer needed
    own = attempt_prefix(recommendation.number, rung, folder.name)
    for checkpoint in record.checkpoints(recommendation.number, rung):  # the newest first
        if checkpoint.manifest.startswith(own):
            with suppress(CheckpointError):  # a damaged one is stored again
                resume = record.manifest(checkpoint.manifest)  # only what came after it is left to store
                break
    launch = Launch((), folder, folder.name, resume)
    observer = Observer(record, definition, recommendation, rung, launch, log_from=log_from)
    observer.finish(Ended(_KILLED, again=True), 0.0)
