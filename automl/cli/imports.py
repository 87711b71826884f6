"""The commands that turn a search of another tool into a study file: `automl import katib` and so on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl.cli.options import Output, PlainCommand, PlainGroup, WithProgram, program_of
from automl.cli.output import Format, print_data
from automl.text.extras import not_installed

if TYPE_CHECKING:
    from automl.importing import Imported

app = typer.Typer(cls=PlainGroup, no_args_is_help=True, help="Turn a search of another tool into a study file.")
To = Annotated[Path, typer.Option("--to", help="The study file to write; it must not exist yet.", metavar="PATH")]
Metric = Annotated[str | None, typer.Option("--metric", help="The metric, when there are several.", metavar="NAME")]
Goal = Annotated[
    str | None,
    typer.Option("--goal", help="Whether a lower or a higher value is better.", metavar="minimize|maximize"),
]
_STUDY = Path("study.yaml")


@app.command(cls=PlainCommand)
def katib(
    experiment: Annotated[Path, typer.Argument(help="The Experiment, in YAML.", metavar="EXPERIMENT.yaml")],
    to: To = _STUDY,
    output: Output = Format.TABLE,
) -> None:
    """Write a study file for a Katib Experiment. What has no counterpart here is listed.

    Example: automl import katib experiment.yaml --to study.yaml
    """
    from automl.importing.katib_experiment import imported

    _write(imported(_mapping(experiment, "an Experiment of Katib, in YAML"), str(experiment)), to, output)


@app.command(cls=PlainCommand)
def wandb(
    sweep: Annotated[Path, typer.Argument(help="The sweep's configuration, in YAML.", metavar="SWEEP.yaml")],
    to: To = _STUDY,
    output: Output = Format.TABLE,
) -> None:
    """Write a study file for a sweep of Weights & Biases. What has no counterpart here is listed.

    Example: automl import wandb sweep.yaml --to study.yaml
    """
    from automl.importing.wandb_sweep import imported

    _write(imported(_mapping(sweep, "a sweep of W&B, in YAML"), str(sweep)), to, output)


@app.command(cls=WithProgram)
def optuna(
    context: typer.Context,
    storage: Annotated[
        str, typer.Argument(help="NAME.db, NAME.log (a journal), or an address such as sqlite:///NAME.db.")
    ],
    study: Annotated[
        str | None, typer.Option("--study", help="Which study, when it has several.", metavar="NAME")
    ] = None,
    to: To = _STUDY,
    output: Output = Format.TABLE,
) -> None:
    """Write a study file for an Optuna study, and its finished trials as CSV. Needs the extra 'export'.

    A storage does not name the program: give the command that starts it after --.

    Example: automl import optuna sqlite:///search.db --study lr -- python train.py --epochs 10
    """
    try:
        from automl.importing.optuna_study import imported
    except ModuleNotFoundError as error:
        raise not_installed(str(error.name), "export") from error
    _write(_started(imported(storage, study), context, to), to, output)


@app.command(cls=WithProgram)
def ray(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The folder of an experiment of Ray Tune.", metavar="FOLDER")],
    *,
    to: To = _STUDY,
    metric: Metric = None,
    goal: Goal = None,
    output: Output = Format.TABLE,
) -> None:
    """Write a study file for a Ray Tune experiment, and its finished trials as CSV. No pickle is read.

    A folder of Ray does not name the program: give the command that starts it after --.

    Example: automl import ray ~/ray_results/train_2026 --metric val_acc -- python train.py --epochs 10
    """
    from automl.cli.new_studies import check_goal
    from automl.importing.ray_results import imported

    check_goal(goal)
    _write(_started(imported(folder, metric, goal), context, to), to, output)


def _mapping(path: Path, what: str) -> dict[str, Any]:
    from automl.text import strict_yaml

    return strict_yaml.mapping(strict_yaml.read_text(path, what), str(path))


def _started(imported: Imported, context: typer.Context, to: Path) -> Imported:
    """The import with the program whose command line stands after `--`, if there is one. Raises InvalidInput."""
    from automl.cli.new_studies import read_program
    from automl.drafting.metrics import by_name, printed
    from automl.drafting.program import with_program
    from automl.drafting.source_lines import printed_lines

    words = program_of(context)
    if words is None:
        return imported
    program, source = read_program(words, to.parent)
    name = imported.draft.network["metric"]["name"]
    metrics = {metric.name: metric for metric in printed("\n".join(printed_lines(source)))}
    return imported.of_program(with_program(imported.draft, program, metrics.get(name) or by_name(name)))


def _write(imported: Imported, to: Path, output: Format) -> None:
    """Writes the study file, and the finished trials beside it; both are new. Raises InvalidInput."""
    from automl.cli.new_studies import free_name
    from automl.study import study_file
    from automl.text.new_files import check_new, write_new

    name = free_name(imported.draft.name, to.parent)
    imported = replace(imported, draft=replace(imported.draft, name=name))
    trials = to.with_name(f"{to.stem}.trials.csv")
    text = imported.text(trials.name)
    check_new(to)
    if imported.trials:
        check_new(trials)
    study_file.parse(text, str(to), to.parent)
    write_new(to, text)
    if imported.trials:
        write_new(trials, imported.history())
    data: dict[str, Any] = {
        "wrote": str(to),
        "parameters": [parameter.name for parameter in imported.draft.searched],
        "not_taken_over": list(imported.left_out),
        "finished_trials": len(imported.trials),
        "trials_file": str(trials) if imported.trials else None,
    }

    def table(console: Any) -> None:
        console.print(f"searched: {', '.join(data['parameters'])}", markup=False, highlight=False)
        for sentence in imported.left_out:
            console.print(f"not taken over: {sentence}", markup=False, highlight=False, soft_wrap=True)
        if imported.trials:
            console.print(f"wrote {trials}: {len(imported.trials)} finished trials", markup=False, highlight=False)
        console.print(f"wrote {to}; next: automl plan {to}", markup=False, highlight=False)

    print_data(data, output, table)
