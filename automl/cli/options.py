"""The arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from automl.cli.output import Format
from automl.errors import InvalidInput, nearest

MOST_JOBS = 1024
OPENMETRICS = "openmetrics"


def number_of_jobs(text: str) -> int:
    """What --jobs takes."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_JOBS:
        raise InvalidInput(f"--jobs: {text!r}", allowed=f"a whole number from 1 to {MOST_JOBS:,}")
    return int(text)


def whole_number(option: str, least: int) -> Callable[[str], int]:
    """What an option takes that is a whole number from `least`."""

    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < least:
            raise InvalidInput(f"{option}: {text!r}", allowed=f"a whole number from {least}")
        return int(text)

    return number


def _format(text: str) -> Format:
    if text not in set(Format):
        raise InvalidInput(f"--output: {text!r}", allowed=", ".join(Format), advice=nearest(text, map(str, Format)))
    return Format(text)


def _status_format(text: str) -> str:
    known = [*map(str, Format), OPENMETRICS]
    if text not in known:
        raise InvalidInput(f"--output: {text!r}", allowed=", ".join(known), advice=nearest(text, known))
    return text


StudyPath = Annotated[Path, typer.Argument(help="The study file.", metavar="STUDY.yaml")]
Place = Annotated[
    str, typer.Argument(help="The study file, or where a study lies: a folder or s3://bucket/prefix.", metavar="STUDY")
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
    typer.Option("--store", help="Where the study lies, instead of the study file's 'run: store'.", metavar="PLACE"),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        "-j",
        help="Experiments side by side; default: one for each CPU core.",
        parser=number_of_jobs,
        metavar="N",
    ),
]
