"""One run of a program that is no training of a study yet: in a folder of its own that shows what lies beside it.

Small files are copied there and large ones linked, so the program writes over nothing that its user has.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl.execution.local_program import located
from automl.execution.status_readers import Follower, StatusRule
from automl.execution.steps.last_words import last_lines
from automl.execution.steps.stage_in import Launch
from automl.execution.training_process import TrainingProcess

_POLL_SECONDS = 0.1
_MOST_FILES, _MOST_BYTES = 2000, 64 << 20  # of a folder that is copied; a larger one is linked
_MODELS = (
    *(".pt", ".pth", ".ckpt", ".h5", ".hdf5", ".keras", ".safetensors", ".onnx", ".joblib", ".pkl", ".pickle"),
    *(".npz", ".tflite", ".mlmodel", ".ubj", ".model", ".cbm", ".bin", ".weights"),
)
_STATUS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json_lines", ".ndjson": "json_lines"}
_MOST_KEPT = 5


@dataclass(frozen=True)
class Tried:
    """What came of a run. `code` is its exit code, None when its time was up; `written` are files that it left.

    The paths of `written` are relative to `folder`, where the program was told to write, or where it ran.
    """

    code: int | None
    log: Path
    folder: Path
    written: tuple[Path, ...]

    @property
    def text(self) -> str:
        """All that it printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    @property
    def ending(self) -> list[str]:
        """The end of what it printed."""
        return last_lines(self.log)

    @property
    def models(self) -> tuple[str, ...]:
        """Patterns of the files with weights among those that it left."""
        names = [path for path in self.written if path.suffix.lower() in _MODELS]
        return tuple(dict.fromkeys(map(_pattern, names)))[:_MOST_KEPT]


def run_once(
    words: Sequence[str], variables: Mapping[str, str], home: Path, folder: Path, seconds: float | None = None
) -> Tried:
    """Runs the program of these words, which lies in `home`, below `folder`, which is empty, to its end.

    A word that begins with the path of `folder/results` tells it to write there. Raises AutoMLError.
    """
    work, results = folder / "work", folder / "results"
    results.mkdir()
    _show(home, work)
    before = dict(_files(work))
    launch = Launch(located(words, home), folder, f"trial-{os.getpid()}", None, variables, work)
    training = TrainingProcess(launch, 1)
    begun = time.monotonic()
    try:
        while (code := training.poll()) is None and (seconds is None or time.monotonic() - begun < seconds):
            time.sleep(_POLL_SECONDS)
    finally:
        training.close()
    told = any(str(results) in word for word in (*words, *variables.values()))
    written = [path for path, about in _files(work) if before.get(path) != about]
    if told:
        own = [path for path, _ in _files(results)]
        return Tried(code, launch.log, results, (*own, *written))
    return Tried(code, launch.log, work, tuple(written))


def status_files(tried: Tried) -> Iterator[tuple[StatusRule, Mapping[str, Mapping[int, float]]]]:
    """The files that it left and that hold metrics, each with the rule that reads it and what that read."""
    seen = set()
    for path in tried.written:
        if not (tried.folder / path).is_file():
            continue
        reader = "tensorboard" if "tfevents" in path.name else _STATUS.get(path.suffix.lower())
        where = "**/*tfevents*" if reader == "tensorboard" else _pattern(path)
        if reader is None or where in seen:
            continue
        seen.add(where)
        ways: list[dict[str, str]] = [{}, {"epoch": "epoch"}] if reader == "tensorboard" else [{}]
        for more in [*ways, {"without_epoch": "counted"}]:
            rule = StatusRule.model_validate({"reader": reader, "path": where, **more})
            values = _read(rule, tried)
            if values and more.get("without_epoch") != "counted" and min(min(each) for each in values.values()) == 0:
                rule = rule.model_copy(update={"first_epoch": 0})
                values = _read(rule, tried)
            usable = {name: each for name, each in values.items() if each and min(each) >= 1 and max(each) < 1000}
            if usable:
                yield rule, usable
                break


def _read(rule: StatusRule, tried: Tried) -> Mapping[str, Mapping[int, float]]:
    follower = Follower(rule, tried.folder, tried.log, "", 0)
    follower.close()
    return {name: values for name, values in follower.readings.values.items() if values and name != "step"}


def _pattern(path: Path) -> str:
    """The path with '*' for the numbers in it, which another training has others of."""
    return re.sub(r"\d+", "*", path.as_posix()) if re.search(r"\d", path.as_posix()) else path.as_posix()


def _show(source: Path, folder: Path) -> None:
    """All that lies in `source`: what is small is copied, what is large or hidden is linked."""
    folder.mkdir()
    for entry in sorted(source.iterdir()):
        to = folder / entry.name
        if folder.resolve().is_relative_to(entry.resolve()):
            continue
        if entry.name.startswith(".") or not _is_small(entry):
            to.symlink_to(entry.resolve())
        elif entry.is_dir():
            shutil.copytree(entry, to, symlinks=True)
        else:
            shutil.copy2(entry, to)


def _is_small(entry: Path) -> bool:
    if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
        return False
    size = 0
    for count, path in enumerate([entry] if entry.is_file() else entry.rglob("*"), 1):
        if path.is_symlink() or (not path.is_file() and not path.is_dir()):
            return False
        size += path.stat().st_size if path.is_file() else 0
        if count > _MOST_FILES or size > _MOST_BYTES:
            return False
    return True


def _files(folder: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    """The files below a folder, with their size and time of change; not what is linked there."""
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(root, name)
            if path.is_file() and not path.is_symlink():
                about = path.stat()
                yield path.relative_to(folder), (about.st_size, about.st_mtime_ns)
