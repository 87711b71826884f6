"""A study in the forms that other tools read: the table of forms, and how their files are written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from automl.errors import InvalidInput, nearest
from automl.search.history import History
from automl.study.definition import Definition
from automl.text.extras import not_installed
from automl.text.new_files import check_new

__all__ = ["export"]

Write = Callable[[Definition, History, Path], int]  # into a new path; returns how many it wrote
Add = Callable[[Definition, History, str], int]  # to a store that may exist


@dataclass(frozen=True)
class Form:
    """A form of export. `writer` is the name of its function in `module`, and `counts` is what its result counts.

    `extra` is the extra that installs its libraries. `adds` says that it writes to a store that may hold other studies,
    instead of a new path.
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

    With `opened = automl.opening.open_study(...)`, `definition` is `opened.definition` and `study` is
    `opened.history()`. `form` is csv, jsonl, optuna, tensorboard, mlflow or wandb. `to` is a new path; for mlflow it is
    a store, which may exist. Raises InvalidInput, AutoMLError.
    """
    if form not in FORMS:
        raise InvalidInput(f"--to: {form!r} is not known", allowed=", ".join(FORMS), advice=nearest(form, FORMS))
    chosen = FORMS[form]
    try:
        write = getattr(import_module(chosen.module), chosen.writer)
    except ModuleNotFoundError as error:
        raise not_installed(str(error.name), chosen.extra) from error
    if chosen.adds:
        add: Add = write
        return add(definition, study, str(to))
    make: Write = write
    with _new(Path(to)) as temporary:
        return make(definition, study, temporary)


@contextmanager
def _new(to: Path) -> Iterator[Path]:
    """A path of the same name in a folder next to `to`, moved to it when the block succeeds. Overwrites nothing."""
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
