"""What stands in code on a page is taken by the program: commands by its parser, YAML by its models, Python by Python.

Nothing is run here; the pages whose commands can run here are run in test_pages_run.py and test_results_page.py.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from automl.cli.app import app
from automl.networks import definition
from automl.networks.definition import Network
from automl.study import study_file
from automl.study.options import StudyFile
from tests.docs.pages import NAMES, blocks, command_lines, named_commands, words

TOP: Any = typer.main.get_command(app)
STUDY = "name: page\nnetwork: fashion_mnist\nalgorithm: bayesian\n"
LINES = [(name, line) for name in NAMES for line in command_lines(name)]
NAMED = [(name, line) for name in NAMES if name != "CHANGELOG.md" for line in named_commands(name)]
PYTHON = [(name, block.text) for name in NAMES for block in blocks(name, "python")]


def parsed(line: str) -> None:
    """Raises what the command line would refuse: an unknown command or option, a value of the wrong kind."""
    rest, command, path = words(line), TOP, ["automl"]
    while rest and rest[0] in getattr(command, "commands", {}):
        path.append(rest.pop(0))
        command = command.commands[path[-1]]
    assert command is not TOP or not rest or rest[0].startswith("-"), f"no command is called {rest[0]!r}"
    command.make_context(" ".join(path), rest)


@pytest.mark.parametrize(("name", "line"), LINES)
def test_a_command_line_is_one(name: str, line: str) -> None:
    parsed(line)


@pytest.mark.parametrize(("name", "line"), NAMED)
def test_a_command_in_the_prose_is_one(name: str, line: str) -> None:
    command: Any = TOP
    rest = words(line)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    assert command is not TOP or rest[:1] in ([], ["COMMAND"]) or rest[0].startswith("-"), line
    if rest and rest not in (["COMMAND", "--help"], ["--install-completion"]):  # a bare name only has to be one
        parsed(line)


@pytest.mark.parametrize("line", ["automl rum x.yaml", "automl run --fast x.yaml", "automl run -j many x.yaml"])
def test_what_is_no_command_line_is_found(line: str) -> None:
    with pytest.raises(Exception, match=r"rum|--fast|many"):
        parsed(line)


@pytest.mark.parametrize("name", [name for name in NAMES if blocks(name, "yaml")])
def test_the_yaml_of_a_page_is_taken(name: str, tmp_path: Path) -> None:
    """A whole study or network file, or a piece of one, which is put into one."""
    texts = [block.text for block in blocks(name, "yaml")]
    for text in texts:
        if text.startswith("# ") and ".yaml\n" in text:
            (tmp_path / text[2:].partition("\n")[0]).write_text(text)
    for text in texts:
        data = yaml.safe_load(text)
        if "command" in data:
            definition.parse(text, name)
        elif "network" in data:
            study_file.parse(text, name, tmp_path)
        elif set(data) <= set(StudyFile.model_fields):
            study_file.parse(STUDY + text, name, tmp_path)
        else:
            assert set(data) <= set(Network.model_fields), text


@pytest.mark.parametrize(("name", "text"), PYTHON)
def test_the_python_of_a_page_imports_and_calls_what_is_there(name: str, text: str) -> None:
    tree = ast.parse(text if not _is_signature(text) else "...")
    modules: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                modules[each.asname or each.name] = _imported(node.module, each.name)
        elif isinstance(node, ast.Import):
            for each in node.names:
                modules[each.asname or each.name] = import_module(each.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            assert hasattr(modules[node.value.id], node.attr), f"{node.value.id}.{node.attr}"


def _is_signature(text: str) -> bool:
    """Whether it is one of docs/api.md, which is made from the source."""
    head = text.partition("\n")[0]
    return "->" in text or ": " in head


def _imported(module: str, name: str) -> Any:
    found = import_module(module)
    return getattr(found, name) if hasattr(found, name) else import_module(f"{module}.{name}")
