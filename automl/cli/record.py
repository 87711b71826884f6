"""The commands that ask a study's record, from replay to download."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from automl.cli.options import Output, Place, Store, whole_number
from automl.cli.output import Format, print_data
from automl.errors import InvalidInput

NewFile = Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.", metavar="PATH")]


def _number(text: str) -> int:
    """What EXPERIMENT takes."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput(f"EXPERIMENT: {text!r}", allowed="the number of an experiment, from 0")
    return int(text)


def shown(steps: Iterable[Any], doing: str, total: int) -> Iterable[Any]:
    """The steps, `total` in all, with a bar on a terminal while they are iterated."""
    from rich.progress import track

    console = Console(stderr=True)
    hidden = not console.is_terminal
    return track(steps, doing, total, console=console, transient=True, show_speed=False, disable=hidden)


def replay(study: Place, store: Store = None, output: Output = Format.TABLE) -> None:
    """Compute every decision again from the record and name the first that differs. Exit code 1 when one does.

    Example: automl replay ./fashion

    \b
    A decision hangs on the study, the decisions and results before it and the
    seed, and on nothing else. Where one differs the record was changed, or other
    versions of numpy or scikit-optimize have computed it; both are printed.
    """
    from automl.opening import open_study
    from automl.operations.replay import Replay, summary
    from automl.reporting.terminal import record_tables

    opened = open_study(study, store)
    decisions = Replay(opened.record, opened.definition)
    found = next((each for each in shown(decisions, "replaying", len(decisions)) if each.difference is not None), None)
    data = summary(opened, len(decisions), found)
    print_data(data, output, lambda out: record_tables.replay(out, data))
    if found is not None:
        raise typer.Exit(1)


def why(
    study: Place,
    experiment: Annotated[int, typer.Argument(help="Its number.", metavar="EXPERIMENT", parser=_number)],
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Say why an experiment was proposed, promoted at each rung, stopped, or failed.

    Example: automl why study.yaml 5
    """
    from automl.analysis.explain import explain
    from automl.opening import open_study
    from automl.reporting.terminal import record_tables

    opened = open_study(study, store)
    data = explain(opened.definition, opened.history(), experiment)
    print_data(data, output, lambda out: record_tables.why(out, data))


def verify(study: Place, store: Store = None, output: Output = Format.TABLE) -> None:
    """Look at every object of a study and list what is wrong. Exit code 1 when anything is.

    Example: automl verify s3://bucket/studies/fashion

    \b
    Checked are the sha256 of the checkpoints and of best_model, the chain of
    decisions, the results that they saw, the views, and objects that nobody
    asked for. Checkpoints are read whole, from a bucket too.
    'automl replay' checks what the decisions say.
    """
    from automl.opening import open_study
    from automl.operations.verify import verify as look
    from automl.reporting.terminal import record_tables

    opened = open_study(study, store)
    with Console(stderr=True).status("verifying") as line:
        data = look(opened, lambda what: line.update(f"verifying {what}"))
    print_data(data, output, lambda out: record_tables.verify(out, data))
    if not data["whole"]:
        raise typer.Exit(1)


def diff(
    a: Annotated[str, typer.Argument(help="A study file, or where a study lies.", metavar="A")],
    b: Annotated[str, typer.Argument(help="Another one.", metavar="B")],
    output: Output = Format.TABLE,
) -> None:
    """Compare two studies: the settings that differ, the first decision that does, the best and the gain of each.

    Example: automl diff ./fashion s3://bucket/studies/fashion
    """
    from automl.opening import open_study
    from automl.operations.diff import Side, compare
    from automl.reporting.terminal import record_tables

    sides = [Side.read(open_study(each)) for each in (a, b)]
    data = compare(*sides)
    print_data(data, output, lambda out: record_tables.diff(out, data))


def clone(
    study: Place,
    path: NewFile,
    *,
    store: Store = None,
    recommendations: Annotated[
        int | None,
        typer.Option(
            "--recommendations",
            help="Another max_recommendations.",
            metavar="N",
            parser=whole_number("--recommendations", 1),
        ),
    ] = None,
    R: Annotated[  # noqa: N803
        int | None, typer.Option("--R", help="Another R, of Hyperband.", metavar="N", parser=whole_number("--R", 2))
    ] = None,
    best: Annotated[
        int | None,
        typer.Option("--best", help="Try its N best values first.", metavar="N", parser=whole_number("--best", 1)),
    ] = None,
) -> None:
    """Write a study file that starts anew what a stored study was begun with, under another name and store.

    Example: automl clone s3://bucket/studies/fashion again.yaml --R 81 --best 3
    """
    from automl.opening import open_study
    from automl.operations.clone import Changes, network_path
    from automl.operations.clone import clone as cloned

    opened = open_study(study, store)
    found = cloned(opened.record, opened.definition, path, Changes(recommendations, R, best or 0))
    files = {path: found.text} | ({network_path(path): found.network} if found.network else {})
    for each in files:
        if each.exists() or each.is_symlink():
            raise InvalidInput(f"{each} is there already", advice="give another name, or remove it first")
    if not path.parent.is_dir():
        raise InvalidInput(f"there is no folder {path.parent}", advice="make it first")
    for each, text in files.items():
        with each.open("x", encoding="utf-8") as file:
            file.write(text)
        print(f"wrote {each}")
    print(f"next: automl plan {path}")


def export(
    study: Place,
    path: Annotated[
        str,
        typer.Argument(help="The file or folder to write, new; for mlflow the store to add to.", metavar="PATH"),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="csv, jsonl, optuna, tensorboard, mlflow or wandb.",
            metavar="csv|jsonl|optuna|tensorboard|mlflow|wandb",
        ),
    ],
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Write a study in a form that other tools read. Needs the extra 'export', 'mlflow' or 'wandb', but for text.

    Example: automl export ./fashion --to csv fashion.csv

    \b
      csv, jsonl     one row for every run of an experiment
      optuna         NAME.db (SQLite) or NAME.log (Optuna's journal);
                     then: optuna-dashboard sqlite:///NAME.db
      tensorboard    a folder; then: tensorboard --logdir NAME
      mlflow         NAME.db (SQLite) or http://host:port, new or not: a study
                     that is there gets what is new, and no run twice
      wandb          a folder; then: wandb sync NAME/wandb/offline-run-*
    """
    from automl.export import FORMS
    from automl.export import export as write
    from automl.opening import open_study

    opened = open_study(study, store)
    count = write(opened.definition, opened.history(), to, path)
    data = {"wrote": path, "form": to, FORMS[to].counts: count}
    print_data(data, output, lambda out: out.print(f"wrote {path}: {count} {FORMS[to].counts}", markup=False))


def download(
    study: Place,
    folder: Annotated[Path, typer.Argument(help="The folder to make.", metavar="FOLDER")],
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints/--no-checkpoints", help="Also the checkpoints of experiments.")
    ] = True,
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Copy a study into a folder of this machine, where every command goes on with it. Cut off, it goes on too.

    Example: automl download s3://bucket/studies/fashion ./fashion

    \b
    --no-checkpoints leaves out all weights but those of best_model: enough to
    read and export, not to go on with the search.
    """
    from automl.opening import open_study
    from automl.operations.download import Download

    opened = open_study(study, store)
    copied = Download(opened, folder, checkpoints=checkpoints)
    objects = sum(1 for _ in shown(copied, "downloading", len(copied)))
    data = {"study": opened.record.store.uri, "folder": str(folder), "objects": objects}
    print_data(data, output, lambda out: out.print(f"{objects} objects are in {folder}", markup=False))


COMMANDS: tuple[Callable[..., None], ...] = (replay, why, verify, diff, clone, export, download)
