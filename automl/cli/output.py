"""What a command says: an error in one line, data in the form that was asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.text import Text

from automl.text import strict_json, strict_yaml

_WIDE = 10_000  # columns of a table that no terminal shows: there, one row is one line


class Format(StrEnum):
    """How a command prints."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def complain(text: str) -> None:
    """One line on standard error, whatever stands in the text."""
    line = "".join(each if each.isprintable() else " " for each in " ".join(text.split()))
    Console(stderr=True).print(Text("automl: ", style="bold red") + Text(line), highlight=False, soft_wrap=True)


def print_data(data: Any, output: Format, table: Callable[[Console], None] | None) -> None:
    """Data on standard output; as a table where there is one, which is cut to the terminal and to nothing else."""
    if output is Format.TABLE and table is not None:
        if sys.stdout.isatty():
            table(Console())
            return
        console = Console(width=_WIDE)
        with console.capture() as captured:
            table(console)
        text = "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
    elif output is Format.YAML:
        text = strict_yaml.dump(json.loads(json.dumps(data, allow_nan=False)))  # as JSON has it, in its own order
    else:
        text = strict_json.dump(data).decode()
    sys.stdout.write(text)
