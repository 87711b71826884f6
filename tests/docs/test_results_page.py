"""The commands and the Python of docs/results.md are run as they stand there, on a study that really ran."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from automl.cli.app import app
from tests.command_line import automl
from tests.small_network import write_small_study

PAGE = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
COMMANDS = [line.partition("#")[0].strip() for line in SHELL if line.startswith("automl ")]


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the study `fashion` of the page: another network, in no time."""
    folder = tmp_path_factory.mktemp("studied")
    write_small_study(folder, study="name: fashion\nnetwork: small.yaml\nR: 3\n")
    ran = automl("run", "study.yaml", cwd=folder)
    assert ran.code == 0, ran.err
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_runs(command: str, studied: Path) -> None:
    ran = automl(*shlex.split(command)[1:], cwd=studied)
    assert (ran.code, ran.err) == (0, "")


def test_the_python_of_the_page_runs(studied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(studied)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 - the page is ours
    assert "experiment" in getattr(names["frame"], "columns", ())


def test_every_command_that_the_page_names_exists() -> None:
    known = {command.name or (command.callback and command.callback.__name__) for command in app.registered_commands}
    named = {line.split()[1] for line in re.findall(r"`(automl [^`]*)`", PAGE)}
    assert {"why", "replay", "verify", "diff", "clone", "export"} <= named <= known
