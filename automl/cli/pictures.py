"""The command that draws pictures of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli.options import OldFileOption, Store
from automl.cli.output import Format, print_data
from automl.errors import InvalidInput, nearest
from automl.text.new_files import check_folder_of, check_new

SUFFIXES = (".svg", ".png", ".pdf")


def plot(
    kind: Annotated[str | None, typer.Argument(help="What to draw; see --list.", metavar="KIND")] = None,
    study: Annotated[
        str | None,
        typer.Argument(
            help="The study file, or where the study is stored: a folder or s3://bucket/prefix.", metavar="STUDY"
        ),
    ] = None,
    *,
    to: Annotated[
        Path | None, typer.Option("--file", "-f", help="The file to write: .svg, .png or .pdf.", metavar="FILE")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option("--metrics", help="For pareto, the two metrics: horizontal, vertical.", metavar="A,B")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option("--metric", help="Of several metrics, the one to show. Default: the first.", metavar="NAME"),
    ] = None,
    output: OldFileOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Print the kinds of pictures.")] = False,
    store: Store = None,
) -> None:
    """Draw a picture of a study and write it to a file. Needs the extra 'plots' (matplotlib).

    Example: automl plot history ./fashion --file history.svg

    \b
    The numbers are those of report.html. All kinds: automl plot --list
    In Python: from automl import plots; plots.history("./fashion")
    """
    from automl import plots
    from automl.opening import open_study

    if list_:
        _print_kinds()
        return
    if kind is None or study is None:
        what = "KIND" if kind is None else "STUDY"
        raise InvalidInput(f"{what} is missing", allowed="automl plot KIND STUDY --file FILE", advice="see --list")
    plots.check_kind(kind)
    path = _checked(to or output, kind, force=force)
    names = [name.strip() for name in (metrics or "").split(",") if name.strip()]
    facts = plots.facts_in(open_study(study, store), times=plots.KINDS[kind].times)
    figure = plots.draw(kind, facts, names, metric or "")
    plots.write(figure, path)
    print(f"wrote {path}")


def _print_kinds() -> None:
    from automl.plots import KINDS
    from automl.reporting.terminal.tables import write_pairs

    titles = {name: kind.title for name, kind in KINDS.items()}
    print_data(titles, Format.TABLE, lambda console: write_pairs(console, list(titles.items())))


def _checked(to: Path | None, kind: str, *, force: bool) -> Path:
    """The file to write. Raises InvalidInput before anything is read or drawn."""
    if to is None:
        raise InvalidInput("--file is missing", allowed="a file", advice=f"give one, such as --file {kind}.svg")
    if to.suffix.lower() not in SUFFIXES:
        near = nearest(to.suffix, SUFFIXES)
        raise InvalidInput(f"--file: {to} has an unknown suffix", allowed=", ".join(SUFFIXES), advice=near)
    if to.is_dir():
        raise InvalidInput(f"--file: {to} is a folder", advice=f"name a file in it: {to / f'{kind}.svg'}")
    if force:
        check_folder_of(to, option="--file")
    else:
        check_new(to, option="--file", advice="give another name, or --force to write over it")
    return to
