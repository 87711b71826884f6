"""What a command prints: an error in one line, data in the format that the user chose."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, TypeVar

from rich.console import Console
from rich.text import Text

from automl.reporting.plain_console import plain_console
from automl.text import strict_json, strict_yaml

T = TypeVar("T")

_WIDE = 10_000  # columns of a table that no terminal shows: there, one row is one line


class Format(StrEnum):
    """How a command prints."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def complain(text: str) -> None:
    """Prints one line on standard error, whatever characters the text has."""
    line = "".join(character if character.isprintable() else " " for character in " ".join(text.split()))
    plain_console(stderr=True).print(Text("automl: ", style="bold red") + Text(line), highlight=False, soft_wrap=True)


def print_data(data: Any, output: Format, table: Callable[[Console], None] | None) -> None:
    """Prints data on standard output, as a table where there is one. Only a terminal cuts a table to its width."""
    if output is Format.TABLE and table is not None:
        if sys.stdout.isatty():
            table(plain_console())
            return
        console = plain_console(width=_WIDE)
        with console.capture() as captured:
            table(console)
        text = "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
    elif output is Format.YAML:
        text = strict_yaml.dump(json.loads(json.dumps(data, allow_nan=False)))  # as JSON has it, in its own order
    else:
        text = strict_json.dump(data).decode()
    sys.stdout.write(text)


def with_progress(steps: Iterable[T], doing: str, total: int) -> Iterable[T]:
    """The steps, of which there are `total`, with a bar on a terminal while they are iterated."""
    from rich.progress import track

    console = plain_console(stderr=True)
    hidden = not console.is_terminal
    return track(steps, doing, total, console=console, transient=True, show_speed=False, disable=hidden)
