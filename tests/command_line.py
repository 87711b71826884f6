"""The command `automl` as tests call it: in this process, for a start of Python takes longer than most tests."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl import cli
from tests.small_network import write_small_study

BETTER = "parameters: {train.x: {default: 0.1}}\nseed: 7\n"  # far from the best, so that a search finds a better one


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, and what it wrote on standard output and standard error."""

    code: int
    out: str
    err: str


def automl(*arguments: str, cwd: Path) -> Ran:
    """Runs `automl` in the folder `cwd`."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main(arguments)
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return Ran(code, out.getvalue(), err.getvalue())


def search(folder: Path, more: str) -> Ran:
    """A study of the small network, with `more` in its file, run to its end in the folder."""
    write_small_study(folder, more)
    ran = automl("run", "study.yaml", "-j", "2", cwd=folder)
    assert ran.code == 0, ran.err
    return ran


def as_json(ran: Ran) -> Any:
    """What `-o json` printed, and nothing beside it."""
    assert ran.err == ""
    return json.loads(ran.out)


def edit_json(path: Path, change: Callable[[Any], object]) -> None:
    """Changes a stored JSON object."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def read_terminal(handle: int) -> bytes:
    """All that is written to a pseudo-terminal until its other end is closed."""
    text = b""
    while True:
        try:
            data = os.read(handle, 65536)
        except OSError:  # Linux says so when the other end is closed
            return text
        if not data:
            return text
        text += data


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with what it holds, and every folder with nothing; not what is under way."""
    found = sorted(folder.rglob("*"))
    paths = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in paths}


# words of the libraries below us, and of Python
_FOREIGN = re.compile(
    r"Traceback|Input should|Value error|extra_forbidden|pydantic|validation error|validator|"
    r"<class|<\w+ object|\bdict\b|\bstr\b|"
    r"\bNone\b|NoneType|\bTrue\b|\bFalse\b|Errno|\\n|Exception\b|boto|type="
)


def refused(ran: Ran, *says: str) -> None:
    """One line on standard error that says all of these, nothing on standard output, exit code 2."""
    assert ran.err.count("\n") == 1, ran.err
    refused_at_last(ran, *says)


def refused_at_last(ran: Ran, *says: str) -> None:
    """As `refused`, after lines about what was done before."""
    *_, last = ran.err.splitlines() or [""]
    assert ran.code == 2, ran
    assert ran.out == ""
    assert last.startswith("automl: ")
    for text in says:
        assert text in last
    found = _FOREIGN.search(last)
    assert found is None, f"{found}: {last}"
