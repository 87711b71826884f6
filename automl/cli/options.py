"""The arguments and options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from automl.cli.output import Format
from automl.errors import InvalidInput, nearest
from automl.text import whole_numbers

MOST_JOBS = 1024
_PROGRAM = "automl.program"
OPENMETRICS = "openmetrics"


def whole_number(option: str, least: int, most: int | None = None) -> Callable[[str], int]:
    """The parser of an option that takes a whole number from `least`, up to `most` if that is given."""

    def parse(text: str) -> int:
        number = whole_numbers.whole_number(text, least, most)
        if number is None:
            end = "" if most is None else f" to {most:,}"
            raise InvalidInput(f"{option}: {text!r}", allowed=f"a whole number from {least}{end}")
        return number

    return parse


def _format(text: str) -> Format:
    if text not in set(Format):
        raise InvalidInput(f"--output: {text!r}", allowed=", ".join(Format), advice=nearest(text, map(str, Format)))
    return Format(text)


def _status_format(text: str) -> str:
    formats = [*map(str, Format), OPENMETRICS]
    if text not in formats:
        raise InvalidInput(f"--output: {text!r}", allowed=", ".join(formats), advice=nearest(text, formats))
    return text


number_of_jobs = whole_number("--jobs", 1, MOST_JOBS)
StudyPath = Annotated[Path, typer.Argument(help="The study file.", metavar="STUDY.yaml")]
NewFile = Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.", metavar="PATH")]
StudyName = Annotated[
    str,
    typer.Argument(
        help="The study file, or where the study is stored: a folder or s3://bucket/prefix.", metavar="STUDY"
    ),
]
Output = Annotated[
    Format, typer.Option("--output", "-o", help="How to print.", parser=_format, metavar="table|json|yaml")
]
StatusOutput = Annotated[
    str,
    typer.Option(
        "--output", "-o", help="How to print.", parser=_status_format, metavar=f"table|json|yaml|{OPENMETRICS}"
    ),
]
Store = Annotated[
    str | None,
    typer.Option(
        "--store", help="Where the study is stored, instead of the study file's 'run: store'.", metavar="FOLDER|URI"
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        help="Experiments that train at the same time; default: one for each GPU, or for each CPU core.",
        parser=number_of_jobs,
        metavar="N",
    ),
]


Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="A setting that replaces the study file's: R=27, run.jobs=2; repeatable.",
        metavar="KEY=VALUE",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", help="The same as --set seed=N.", parser=whole_number("--seed", 0), metavar="N"),
]


def settings_of(settings: list[str] | None, seed: int | None) -> list[str]:
    """All that `--set` and `--seed` say, as KEY=VALUE."""
    return [*(settings or []), *([] if seed is None else [f"seed={seed}"])]


def _renamed_to_file(context: typer.Context, given: Path | None) -> Path | None:
    """`--output FILE`, as `--file` was called before `--output` had one meaning; it goes on and prints a note."""
    if given is not None and not context.resilient_parsing:
        print(f"note: '--output {given}' is called '--file {given}' now", file=sys.stderr)
    return given


OldFileOption = Annotated[
    Path | None, typer.Option("--output", "-o", hidden=True, callback=_renamed_to_file, metavar="FILE")
]
NewFileOption = Annotated[
    Path | None, typer.Option("--file", "-f", help="The file to write; default: standard output.", metavar="FILE")
]


def _no_type(**_: Any) -> None:
    return None


def _without_types(parameters: list[Any]) -> list[Any]:
    """The parameters, of which none shows <bool>, <str> or <path> in the help: its name and text say what it takes.

    Older versions of typer print nothing there, and have no such method.
    """
    for parameter in parameters:
        named = parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False)
        if not named and hasattr(parameter, "display_type_rich"):
            parameter.display_type_rich = _no_type
    return parameters


class PlainCommand(TyperCommand):
    """A command whose help has no names of Python types."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters with `--help`."""
        return _without_types(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """A group of commands whose help has no names of Python types."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters with `--help`."""
        return _without_types(super().get_params(ctx))


class WithProgram(PlainCommand):
    """A command that takes the command line of a program after `--`, whatever its words are."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Takes the words after the first `--` away from those that are options and arguments."""
        if "--" in args:
            ctx.meta[_PROGRAM] = args[args.index("--") + 1 :]
            args = args[: args.index("--")]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage line."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND ...]"]


def program_of(context: typer.Context) -> tuple[str, ...] | None:
    """The words after `--`; None without it."""
    words = context.meta.get(_PROGRAM)
    return None if words is None else tuple(words)
