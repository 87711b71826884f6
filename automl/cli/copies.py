"""The commands that copy a study: into a new study file, into the form of another tool, into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli.options import NewFile, Output, Store, StudyName, whole_number
from automl.cli.output import Format, print_data, with_progress
from automl.text.formatting import counted


def clone(
    study: StudyName,
    path: NewFile,
    *,
    store: Store = None,
    recommendations: Annotated[
        int | None,
        typer.Option(
            "--recommendations",
            help="A new max_recommendations.",
            metavar="N",
            parser=whole_number("--recommendations", 1),
        ),
    ] = None,
    R: Annotated[  # noqa: N803
        int | None, typer.Option("--R", help="A new R, for Hyperband.", metavar="N", parser=whole_number("--R", 2))
    ] = None,
    best: Annotated[
        int | None,
        typer.Option("--best", help="Try its N best values first.", metavar="N", parser=whole_number("--best", 1)),
    ] = None,
) -> None:
    """Write a study file that begins a stored study again, under another name and store.

    Example: automl clone s3://bucket/studies/fashion again.yaml --R 81 --best 3
    """
    from automl.opening import open_study
    from automl.operations.clone import Changes, network_path
    from automl.operations.clone import clone as cloned
    from automl.text.new_files import check_new, write_new

    opened = open_study(study, store)
    file = Path(study) if Path(study).is_file() else None
    copy = cloned(opened.record, opened.definition, path, Changes(recommendations, R, best or 0), file)
    texts = {path: copy.text} | ({network_path(path): copy.network} if copy.network else {})
    for new in texts:
        check_new(new)
    for new, text in texts.items():
        write_new(new, text)
        print(f"wrote {new}")
    print(f"next: automl plan {path}")


def export(
    study: StudyName,
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
    """Write a study in a form that other tools read. All but csv and jsonl need an extra: export, mlflow or wandb.

    Example: automl export ./fashion --to csv fashion.csv

    \b
      csv, jsonl     one row for every run of an experiment
      optuna         NAME.db (SQLite) or NAME.log (Optuna's journal);
                     then: optuna-dashboard sqlite:///NAME.db
      tensorboard    a folder; then: tensorboard --logdir NAME
      mlflow         NAME.db (SQLite) or http://host:port, new or not: a study
                     that it has gets what is new, and no run twice
      wandb          a folder; then: wandb sync NAME/wandb/offline-run-*
    """
    from automl.export import FORMS
    from automl.export import export as write
    from automl.opening import open_study

    opened = open_study(study, store)
    count = write(opened.definition, opened.history(), to, path)
    data = {"wrote": path, "form": to, FORMS[to].counts: count}
    print_data(data, output, lambda out: out.print(f"wrote {path}: {count} {FORMS[to].counts}"))


def download(
    study: StudyName,
    folder: Annotated[Path, typer.Argument(help="The folder to create.", metavar="FOLDER")],
    *,
    checkpoints: Annotated[
        bool, typer.Option("--checkpoints/--no-checkpoints", help="Also copy the checkpoints of all experiments.")
    ] = True,
    experiment: Annotated[
        int | None,
        typer.Option(
            "--experiment",
            help="Copy only the kept checkpoint of this experiment, such as one of a front.",
            metavar="N",
            parser=whole_number("--experiment", 0),
        ),
    ] = None,
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Copy a study into a folder on this machine, where every command works on it. Run it again to resume.

    Example: automl download s3://bucket/studies/fashion ./fashion

    \b
    --no-checkpoints leaves out all weights but those of best_model: enough to
    read and export, not to go on with the search.
    """
    from automl.opening import open_study
    from automl.operations.download import Download, fetch_experiment

    opened = open_study(study, store)
    if experiment is not None:
        fetched = fetch_experiment(opened, experiment, folder)
        text = f"{counted(len(fetched.files), 'file')} of experiment {experiment}, epoch {fetched.epoch}: in {folder}"
        print_data(fetched.to_json(), output, lambda out: out.print(text))
        return
    copied = Download(opened, folder, checkpoints=checkpoints)
    objects = sum(1 for _ in with_progress(copied, "downloading", len(copied)))
    data = {"study": opened.record.store.uri, "folder": str(folder), "objects": objects}
    print_data(data, output, lambda out: out.print(f"{objects} objects are in {folder}"))
