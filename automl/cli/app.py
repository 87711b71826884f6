"""The command `automl`."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from automl import __version__
from automl.cli import change, cluster, networks, plot, record
from automl.cli.options import OPENMETRICS, Jobs, Output, Place, StatusOutput, Store, StudyPath, number_of_jobs
from automl.cli.output import Format, complain, print_data
from automl.errors import AutoMLError, InvalidInput, RecordError

_HELP = """Hyperparameter search for deep-learning training: one study file, on this machine or by Argo Workflows.

A first search on real data, in a few minutes:

\b
  automl init               writes study.yaml
  automl plan study.yaml    what it will do, and what that takes
  automl run study.yaml     does it; Ctrl-C stops, the same command goes on
  automl best study.yaml    what it found
"""
app = typer.Typer(
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(networks.app, name="networks")
_USAGE_ERROR = cast(
    type[Exception], typer.BadParameter.__mro__[1]
)  # typer names it nowhere else, and where it comes from has changed


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command; an expected error becomes one line on standard error and its exit code."""
    try:
        code = app(arguments, prog_name="automl", standalone_mode=False)
        sys.stdout.flush()
    except AutoMLError as error:
        complain(str(error))
        code = error.exit_code
    except _USAGE_ERROR as error:
        code = _usage(error)
    except (KeyboardInterrupt, typer.Abort):
        complain("stopped; the same command goes on")
        code = 130
    except BrokenPipeError:  # the reader of our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed
        code = 141
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        again = "mend that, then run the same command again; what was stored before is intact"
        complain(f"{where}{error.strerror or error}; {again}")
        code = InvalidInput.exit_code
    sys.exit(code if isinstance(code, int) else 0)


def _usage(error: Exception) -> int:
    """Says what is wrong with the command itself, in one line; the help when it was given bare."""
    said = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    if not said:  # no arguments at all, for which the help has been printed
        return 2
    near = ", ".join(getattr(error, "possibilities", None) or ())
    advice = f"; did you mean {near}?" if near else ""
    said = said.partition(" (Possible options")[0].rstrip(".")
    path = context.command_path if context else "automl"
    complain(f"{said[:1].lower()}{said[1:]}{advice}{'' if said.endswith('?') else ';'} see '{path} --help'")
    return 2


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("study.yaml"),
    network: Annotated[str, typer.Option("--network", "-n", help="What to train; see 'automl networks'.")] = (
        "fashion_mnist"
    ),
    algorithm: Annotated[str, typer.Option("--algorithm", "-a", help="How to search.")] = "hyperband",
) -> None:
    """Write a commented study file to start from. An existing file is never overwritten.

    Example: automl init mine.yaml --network fashion_mnist --algorithm bayesian
    """
    from automl.study.template import template

    text = template(network, algorithm, path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise InvalidInput(f"{path} is there already", advice="give another name, or remove it first") from error
    except OSError as error:
        if not path.parent.is_dir():
            raise InvalidInput(f"there is no folder {path.parent}", advice="make it first") from error
        raise InvalidInput(f"{path} cannot be written: {error.strerror}", advice="choose another place") from error
    print(f"wrote {path}; next: automl plan {path}")


@app.command()
def plan(
    study: StudyPath,
    jobs: Annotated[
        list[int] | None,
        typer.Option(
            "--jobs",
            "-j",
            help="Experiments side by side, for the wall time; may be given again. Default: 1, 2, 4, 8.",
            parser=number_of_jobs,
            metavar="N",
        ),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Print what a study will do and what that takes, before anything is trained.

    Example: automl plan study.yaml -j 1 -j 8

    \b
    With -o json or yaml, null where 'costs' does not say:
      study network algorithm sampler   names
      parameters notes                  what is searched; what was adjusted
      stages                            name, kind (search or final), experiments,
                                        rungs: experiments, from_epoch, epochs
      totals
        experiments runs                a run is one start of a training
        search_epochs final_epochs      search_epochs_from_scratch: if none
                                        went on from a checkpoint
        training_minutes gpu_hours price storage_megabytes
        wall_minutes                    by the number of --jobs
      workflow                          bytes: about what it takes on Argo at its end;
                                        most_bytes: what Kubernetes takes
    """
    from automl.analysis import status
    from automl.reporting.terminal import tables
    from automl.study import study_file
    from workflows.size import MOST_BYTES, study_bytes

    definition = study_file.read(study)
    data = status.plan_data(definition, tuple(sorted(set(jobs or [1, 2, 4, 8]))))
    data["workflow"] = {"bytes": study_bytes(definition), "most_bytes": MOST_BYTES}
    print_data(data, output, lambda console: tables.plan(console, data))


@app.command()
def run(
    study: StudyPath,
    store: Store = None,
    jobs: Jobs = None,
    output: Output = Format.TABLE,
) -> None:
    """Run a study on this machine to its end. Ctrl-C stops it; the same command goes on.

    Example: automl run study.yaml -j 2
    """
    from automl.analysis import status
    from automl.execution import local_runner
    from automl.reporting.terminal import live_view, tables
    from automl.stores import open_store
    from automl.study import study_file
    from automl.study.opened_study import begin
    from automl.study.record import Record

    text = study_file.read_text(study)
    definition = study_file.parse(text, str(study), study.parent)
    uri = study_file.store_uri(definition, study) if store is None else store
    side_by_side = jobs or definition.file.run.jobs or live_view.default_jobs()
    record = Record(open_store(uri, probe=True))
    definition = begin(record, definition, text).definition
    console = Console(stderr=output is not Format.TABLE)
    view = live_view.LiveView(definition, console, side_by_side)
    with view.shown():
        local_runner.LocalRun(record, definition, side_by_side, _work(record.store.uri), view).run()
    data = status.status(record, definition, side_by_side)
    print_data(data, output, lambda out: tables.finished(out, definition, data, str(study) if store is None else uri))


@app.command()
def status(study: Place, store: Store = None, output: StatusOutput = str(Format.TABLE)) -> None:
    """Print where a study stands: experiments, epochs pending, time left, the best so far.

    Example: automl status s3://bucket/studies/fashion -o json

    \b
    -o openmetrics prints gauges for Prometheus, by its textfile collector:
      automl status STUDY -o openmetrics > fashion.tmp
      mv fashion.tmp /var/lib/node_exporter/fashion.prom
    """
    from automl.analysis import status
    from automl.opening import open_study
    from automl.reporting.terminal import openmetrics, tables

    opened = open_study(study, store)
    data = status.status(opened.record, opened.definition)
    if output == OPENMETRICS:
        sys.stdout.write(openmetrics.text(data))
        return
    print_data(data, Format(output), lambda out: tables.status(out, data))


@app.command()
def best(study: Place, store: Store = None, output: Output = Format.TABLE) -> None:
    """Print the best experiment so far: its number, value and parameters, and why it was proposed.

    Example: automl best study.yaml -o json
    """
    from automl.analysis import status
    from automl.opening import open_study
    from automl.reporting.terminal import tables

    opened = open_study(study, store)
    found = status.best(opened.definition, opened.history())
    if found is None:
        raise RecordError(
            f"no experiment has succeeded yet in {opened.record.store.uri}", advice=f"see 'automl status {study}'"
        )
    print_data(found, output, lambda out: tables.best(out, opened.definition, found))


@app.command()
def report(
    study: Place,
    store: Store = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write it as a page for a browser instead.", metavar="FILE")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Print the whole report: the verdict first, then every experiment with its results and reasons.

    Example: automl report study.yaml -o yaml

    \b
    A finished study has its page, report.html, beside its other files. Of one
    that is running:  automl report study.yaml --html report.html
    """
    from automl.analysis import status as reports
    from automl.opening import open_study
    from automl.reporting.page import page
    from automl.reporting.terminal import tables

    if html is not None and output is not Format.TABLE:
        raise InvalidInput(f"--html {html} with --output {output}", advice="give one of the two")
    opened = open_study(study, store)
    if html is not None:
        page.write(page.render(opened), html)
        print(f"wrote {html}")
        return
    data = reports.status(opened.record, opened.definition)
    print_data(data, output, lambda out: tables.report(out, opened.definition, data))


@app.command()
def rebuild(study: Place, store: Store = None) -> None:
    """Make every view anew from the record: brain.json, controller.json, recommendations, logs, best_model.

    Example: automl rebuild ./fashion
    """
    from automl.opening import open_study
    from automl.reporting import views

    opened = open_study(study, store)
    views.rebuild(opened)
    print(f"made the views of {opened.record.store.uri} anew")


@app.command("compile")
def compile_(
    study: StudyPath,
    to: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; default: standard output.")
    ] = None,
) -> None:
    """Compile a study into an Argo Workflow, for 'argo submit'. Needs the extra 'cluster' (hera), no cluster.

    Example: automl compile study.yaml | argo submit -n argo -
    """
    from workflows.submit import workflow_of

    compiled = workflow_of(study).to_yaml()
    if to is None:
        sys.stdout.write(compiled)
        return
    to.write_text(compiled, encoding="utf-8")
    print(f"wrote {to}; next: argo submit -n argo {to}")


_ELSEWHERE: tuple[Callable[..., object], ...] = (
    *record.COMMANDS,
    *change.COMMANDS,
    *plot.COMMANDS,
    *cluster.COMMANDS,
)
for _command in _ELSEWHERE:
    app.command()(_command)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a study file, for editors.

    Example: automl schema > study.schema.json
    """
    from automl.study import study_file

    print_data(study_file.schema(), Format.JSON, None)


def _work(uri: str) -> Path:
    """A folder of this machine for what is under way: inside a folder study, otherwise in the user's cache."""
    if "://" not in uri:
        return Path(uri) / ".work"
    return Path.home() / ".cache" / "argo-automl" / hashlib.sha256(uri.encode()).hexdigest()[:16]
