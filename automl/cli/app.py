"""Puts the command `automl` together, and turns every expected error into one line and an exit code."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, cast

import typer

from automl import __version__
from automl.cli import (
    catalogue,
    changes,
    checks,
    clusters,
    copies,
    imports,
    new_studies,
    pictures,
    results,
    study_files,
)
from automl.cli.options import PlainCommand, PlainGroup, WithProgram
from automl.cli.output import complain
from automl.errors import AutoMLError, InvalidInput

_HELP = """Hyperparameter search for deep-learning training: one study file, on this machine or by Argo Workflows.

A first search on real data, in a few minutes:

\b
  automl init               writes study.yaml
  automl plan study.yaml    what it will do, and what that takes
  automl run study.yaml     does it; Ctrl-C stops, the same command resumes
  automl best study.yaml    what it found

Your own program, as it is:

\b
  automl init --try -- python train.py --lr 0.001 --epochs 10
"""

GROUPS: dict[str, dict[str, Callable[..., None]]] = {  # in the order of the help
    "Search": {
        "init": new_studies.init,
        "plan": study_files.plan,
        "run": study_files.run,
    },
    "Look at a study": {
        "status": results.status,
        "best": results.best,
        "report": results.report,
        "watch": clusters.watch,
        "logs": results.logs,
        "why": checks.why,
        "plot": pictures.plot,
        "diff": checks.diff,
        "replay": checks.replay,
        "verify": checks.verify,
    },
    "Change or copy a study": {
        "extend": changes.extend,
        "enqueue": changes.enqueue,
        "retry": changes.retry,
        "gc": changes.gc,
        "rebuild": results.rebuild,
        "clone": copies.clone,
        "download": copies.download,
        "export": copies.export,
    },
    "On a cluster": {
        "compile": study_files.compile_study,
        "submit": clusters.submit,
        "stop": clusters.stop,
        "pause": clusters.pause,
        "resume": clusters.resume,
    },
    "Networks and study files": {
        "schema": study_files.schema,
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}
app = typer.Typer(
    cls=PlainGroup,
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _title, _commands in GROUPS.items():
    for _name, _command in _commands.items():
        app.command(_name, cls=WithProgram if _name == "init" else PlainCommand, rich_help_panel=_title)(_command)
app.add_typer(catalogue.app, name="networks", rich_help_panel=_title)
app.add_typer(imports.app, name="import", rich_help_panel=next(iter(GROUPS)))

# click's UsageError, the parent of BadParameter: older versions of typer take it from click and newer ones from a copy
# of click that is private to them, so that no import of it works with all the versions that pyproject.toml allows
_USAGE_ERROR = cast(type[Exception], typer.BadParameter.__base__)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command; an expected error becomes one line on standard error and its exit code."""
    try:
        code = app(arguments, prog_name="automl", standalone_mode=False)
        sys.stdout.flush()
    except AutoMLError as error:
        for line in error.lines:
            complain(line)
        code = error.exit_code
    except _USAGE_ERROR as error:
        code = _explain_usage(error)
    except (KeyboardInterrupt, typer.Abort):
        complain("stopped; run the same command again to continue")
        code = 130
    except BrokenPipeError:  # the reader of our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed
        code = 141
    except OSError as error:
        path = f"{error.filename}: " if error.filename else ""
        advice = "fix that, then run the same command again; what was stored before is intact"
        complain(f"{path}{error.strerror or error}; {advice}")
        code = InvalidInput.exit_code
    sys.exit(code if isinstance(code, int) else 0)


def _explain_usage(error: Exception) -> int:
    """Says in one line what is wrong with the command line. `automl` alone has printed its help, which is enough."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    if not message:
        return 2
    options = ", ".join(getattr(error, "possibilities", None) or ())
    advice = f"; did you mean {options}?" if options else ""
    message = message.partition(" (Possible options")[0].rstrip(".")
    path = context.command_path if context else "automl"
    end = "" if message.endswith("?") else ";"
    complain(f"{message[:1].lower()}{message[1:]}{advice}{end} see '{path} --help'")
    return 2


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the versions of this program and of Python.")
    ] = False,
) -> None:
    if version:
        print(
            f"argo-automl {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
        )
        raise typer.Exit
