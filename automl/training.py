"""The training contract, and what a program that keeps it may call. Standard library only: import it or copy it.

A study trains with any program, in any image, that does four things:

1. It is started as `PROGRAM --spec SPEC --results DIR` (or whatever command its network file gives) and reads its
   train spec, one file: `load_spec`.
2. It appends lines of JSON to `DIR/status.json`, in TAO's dialect: `started`, then `report` after every epoch, then
   `finished` or `failed`. A line is written once and never changed.
3. It writes a checkpoint into DIR every few epochs, under a name that ends in the number of finished epochs, and only
   whole: `save_atomically`. A checkpoint holds everything that going on exactly needs: weights, optimizer, schedule.
4. It exits with 0 when it is done, with `PREEMPTED` (75) when it was told to stop and wants to be run again, and with
   anything else when it failed.

Started again with the same DIR it goes on from its newest checkpoint (`latest_checkpoint`); with a checkpoint named in
its spec and an empty DIR it goes on from that one. The schedule of the learning rate spans the study's whole budget,
not this run's epochs: a run that is stopped after epoch 1 and taken up again must not differ from one that was not.

    import sys
    from automl import training

    training.handle_preemption()
    spec = training.load_spec(spec_path)
    training.started(results)
    for epoch in range(first, spec["epochs"] + 1):
        accuracy = train_one_epoch()
        training.save_atomically(results / f"checkpoint_epoch_{epoch:03d}.pt", write_checkpoint)
        training.report(results, epoch, max_epoch=spec["epochs"], metrics={"val_accuracy": accuracy})
        if training.preempted() and epoch < spec["epochs"]:
            sys.exit(training.PREEMPTED)
    training.finished(results)

Epochs count from 1: the epoch of a line is the number of finished epochs. Save, then report: who sees the line of an
epoch may ask for its checkpoint.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, BinaryIO, SupportsFloat

__all__ = [
    "PREEMPTED",
    "STATUS_FILE",
    "Preempted",
    "failed",
    "finished",
    "handle_preemption",
    "latest_checkpoint",
    "load_spec",
    "preempted",
    "report",
    "save_atomically",
    "started",
]

PREEMPTED = 75  # EX_TEMPFAIL of sysexits.h: nothing is wrong, run me again

STATUS_FILE = "status.json"

_OWN_MEMBERS = frozenset({"date", "time", "status", "verbosity", "message", "epoch", "max_epoch", "kpi"})
_stop = SimpleNamespace(asked=False)  # set by a signal handler, so no lock may be in the way


# -- the spec ---------------------------------------------------------------------------------------------------------


def load_spec(path: str | Path) -> dict[str, Any]:
    """The train spec in a file: JSON always, YAML where PyYAML is installed.

    Raises ValueError when the text is neither, or is not a mapping; OSError when the file cannot be read.
    """
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    try:
        spec = json.loads(text)
    except ValueError as error:
        if path.suffix == ".json":
            raise ValueError(f"{path} is not JSON ({error})") from error
        spec = _parse_yaml(path, text)
    if not isinstance(spec, dict):
        raise ValueError(f"{path} holds a {type(spec).__name__}; a train spec is a mapping of names to values")
    return spec


def _parse_yaml(path: Path, text: str) -> object:
    try:
        import yaml  # noqa: PLC0415  this file must be importable where only the standard library is
    except ImportError as error:
        raise ValueError(
            f"{path} is not JSON, and PyYAML, which reads YAML, is not installed; install pyyaml or give a JSON file"
        ) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is neither JSON nor YAML ({error})") from error


# -- status lines -----------------------------------------------------------------------------------------------------


def started(results_dir: str | Path, message: str = "Training starts.") -> None:
    """Appends the line with status STARTED."""
    _append(results_dir, {"status": "STARTED", "message": message})


def report(
    results_dir: str | Path,
    epoch: int,
    *,
    metrics: Mapping[str, SupportsFloat],
    max_epoch: int | None = None,
    seconds: float | None = None,
    **extra: object,
) -> None:
    """Appends the line for an epoch.

    `epoch` is the number of finished epochs, from 1, and `max_epoch` the epoch at which this run stops. `seconds` is
    how long the epoch took; `time_per_epoch` and `eta` are computed from it. `metrics` may hold anything that float()
    takes; NaN and infinity are written as the texts "nan", "inf" and "-inf", since JSON has no such numbers. `extra`
    holds further members of the line.

    Raises ValueError when the epoch is below 1 or `extra` would overwrite a member.
    """
    if epoch < 1:
        raise ValueError(f"epoch {epoch}: epochs count from 1, the number of finished epochs")
    if taken := sorted(_OWN_MEMBERS & extra.keys()):
        raise ValueError(f"{', '.join(taken)}: the line has such a member already; give it another name")
    line: dict[str, object] = {"status": "RUNNING", "epoch": epoch}
    if max_epoch is not None:
        line["max_epoch"] = max_epoch
    if seconds is not None:
        line["time_per_epoch"] = str(timedelta(seconds=seconds))
        if max_epoch is not None:
            line["eta"] = str(timedelta(seconds=seconds * max(0, max_epoch - epoch)))
    line["kpi"] = {name: float(value) for name, value in metrics.items()}
    line["message"] = f"Epoch {epoch} is finished."
    _append(results_dir, line | extra)


def finished(results_dir: str | Path, message: str = "Training finished successfully.") -> None:
    """Appends the line with status SUCCESS. The exit code 0 must follow."""
    _append(results_dir, {"status": "SUCCESS", "message": message})


def failed(results_dir: str | Path, message: str) -> None:
    """Appends the line with status FAILURE and the reason. An exit code other than 0 and 75 must follow.

    A message that begins with "out of memory" makes that the kind of the failure.
    """
    _append(results_dir, {"status": "FAILURE", "message": message})


def _append(results_dir: str | Path, members: Mapping[str, object]) -> None:
    """Adds one line and has it on the disk before it returns."""
    now = datetime.now()
    head = {
        "date": f"{now.month}/{now.day}/{now.year}",
        "time": f"{now.hour}:{now.minute}:{now.second}",
        "verbosity": "INFO",
    }
    line = json.dumps(_without_non_numbers(head | dict(members)), allow_nan=False).encode() + b"\n"
    path = Path(results_dir) / STATUS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # a killed run left half a line: keep it from spoiling this one
                line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _without_non_numbers(value: object) -> object:
    """The value with every NaN and infinity in it as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _without_non_numbers(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_without_non_numbers(member) for member in value]
    return value


# -- checkpoints ------------------------------------------------------------------------------------------------------


def save_atomically(path: str | Path, write: Callable[[BinaryIO], None]) -> None:
    """Lets `write` fill a file that gets its name only when it is complete and on the disk.

    So a file of that name is complete at every moment, whatever is killed and when. Errors of `write` pass through and
    leave an earlier file of that name as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")  # one name: the next run writes over what a killed one left
    try:
        with unfinished.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Has a rename on the disk too, where the system can do that (not on Windows, not on every network volume)."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # the file itself is safe; a volume that cannot sync folders loses at most the rename
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def latest_checkpoint(results_dir: str | Path, pattern: str = "checkpoint_epoch_*.pt") -> Path | None:
    """The file (or folder) with the greatest epoch where the pattern has its `*`; None when there is none.

    Names with anything but digits in that place are ignored. Raises ValueError unless the pattern has exactly one `*`.
    """
    before, star, after = pattern.partition("*")
    if not star or "*" in after:
        raise ValueError(f"the pattern {pattern!r} must have exactly one *, in the place of the epoch")
    form = re.compile(re.escape(before) + "([0-9]+)" + re.escape(after))
    folder = Path(results_dir)
    if not folder.is_dir():
        return None
    checkpoints = [(int(match[1]), path) for path in folder.iterdir() if (match := form.fullmatch(path.name))]
    return max(checkpoints, default=(0, None))[1]


# -- being stopped ----------------------------------------------------------------------------------------------------


class Preempted(Exception):
    """For a program to raise where it stops because `preempted()` is true, and to turn into the exit code PREEMPTED."""


def handle_preemption() -> None:
    """From now on SIGTERM only makes `preempted()` true. Call it first thing, from the main thread."""
    _stop.asked = False
    signal.signal(signal.SIGTERM, _ask_to_stop)


def preempted() -> bool:
    """Whether SIGTERM came. Ask at every place where the program can stop, then exit with PREEMPTED."""
    return bool(_stop.asked)


def _ask_to_stop(_number: int, _frame: FrameType | None) -> None:
    _stop.asked = True
