"""A study in the forms that other tools read: the table of forms, and how a file of theirs is written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from automl.errors import AutoMLError, InvalidInput, nearest
from automl.search.history import History
from automl.study.definition import Definition
from automl.text.new_files import check_new

__all__ = ["export"]

Write = Callable[[Definition, History, Path], int]  # into a new path; returns how many it wrote
Add = Callable[[Definition, History, str], int]  # to what is there


@dataclass(frozen=True)
class Form:
    """A form of export. writer: where its function lies. counts: what the function's number counts.

    extra: what brings the libraries that it needs. adds: it takes a store that may hold others, and no new path.
    """

    title: str
    module: str
    writer: str
    counts: str
    extra: str = "export"
    adds: bool = False


FORMS = {
    "csv": Form("one row for every run of an experiment", "automl.export.rows", "write_csv", "rows"),
    "jsonl": Form("the same, one JSON object a line", "automl.export.rows", "write_jsonl", "rows"),
    "optuna": Form(
        "a storage of Optuna: NAME.db (SQLite), or NAME.log (its journal)",
        "automl.export.optuna_storage",
        "write",
        "trials",
    ),
    "tensorboard": Form("a log folder of TensorBoard, with HPARAMS", "automl.export.tensorboard", "write", "runs"),
    "mlflow": Form(
        "runs in a tracking store of MLflow: one for the study, below it one for each experiment",
        "automl.export.mlflow_runs",
        "write",
        "experiments",
        extra="mlflow",
        adds=True,
    ),
    "wandb": Form(
        "offline runs of Weights & Biases, for 'wandb sync'",
        "automl.export.wandb_runs",
        "write",
        "experiments",
        extra="wandb",
    ),
}


def export(definition: Definition, study: History, form: str, to: str | Path) -> int:
    """Writes a study in one of the forms; returns how many rows, trials or runs it wrote.

    definition, study: `record, definition = open_study(...)`, then `record.history(definition)`. form:
    csv, jsonl, optuna, tensorboard, mlflow or wandb. to: a new path; for a form that
    adds, a store that may be there. Raises InvalidInput, AutoMLError.
    """
    if form not in FORMS:
        raise InvalidInput(f"--to: {form!r} is not known", allowed=", ".join(FORMS), advice=nearest(form, FORMS))
    wanted = FORMS[form]
    try:
        write = getattr(import_module(wanted.module), wanted.writer)
    except ModuleNotFoundError as error:
        advice = f"pip install 'argo-automl[{wanted.extra}]'"
        raise AutoMLError(f"{error.name} is not installed", advice=advice) from error
    if wanted.adds:
        add: Add = write
        return add(definition, study, str(to))
    make: Write = write
    with _new(Path(to)) as temporary:
        return make(definition, study, temporary)


@contextmanager
def _new(to: Path) -> Iterator[Path]:
    """A path of the same name in a folder beside `to`, moved to it when the block ends well. Overwrites nothing."""
    check_new(to)
    try:
        folder = tempfile.mkdtemp(prefix=".tmp-export-", dir=to.parent)
    except OSError as error:
        raise InvalidInput(f"{to} cannot be written: {error.strerror}", advice="choose another place") from error
    try:
        temporary = Path(folder) / to.name
        yield temporary
        temporary.rename(to)
    finally:
        shutil.rmtree(folder)
