"""Writes docs/commands.md from the command line itself and docs/api.md from the public docstrings and signatures.

    make docs

Nothing in those two pages is written by hand, so nothing in them can be wrong but what the program itself says.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import typer

from automl import errors
from automl.cli.app import app
from automl.cli.options import WithProgram

DOCS = Path(__file__).parent.parent / "docs"
MADE = "<!-- made by 'make docs'; do not edit -->"
MODULES = {  # what a program of a user may import, and what for
    "automl.notebook": "A study in a notebook",
    "automl.plots": "Pictures of a study",
    "automl.frames": "A study as a table of pandas",
    "automl.export": "A study in the forms of other tools",
    "automl.opening": "The record of a study",
    "automl.stores": "Where a study lies",
    "automl.training": "What a training program may call",
    "workflows": "Workflows for Argo",
    "workflows.notebook": "A study on a cluster, from a notebook",
}
_SHELLS_OWN = {"help", "install_completion", "show_completion"}  # options whose words are typer's

# -- commands ---------------------------------------------------------------------------------------------------------


def commands() -> str:
    """docs/commands.md."""
    top = typer.main.get_command(app)
    commands_below = list(_below("automl", top))
    index = "\n".join(
        f"| [`{name}`](#{_anchor(name)}) | {_first_line(command.help)} |" for name, command in commands_below[1:]
    )
    parts = [
        f"{MADE}\n# Commands\n",
        "Every command says this itself: `automl COMMAND --help`. Exit codes: 0 done; 1 what no error names better, "
        "or what `replay` and `verify` look for; 2 something for you to fix, which the message names; 5 a study "
        "without a success, or stopped on the cluster; 130 stopped by Ctrl-C. `automl --install-completion` teaches "
        "your shell the commands.\n",
        f"| command | |\n|---|---|\n{index}\n",
        *(_command(name, command) for name, command in commands_below),
    ]
    return "\n".join(parts)


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for word, subcommand in getattr(command, "commands", {}).items():
        yield from _below(f"{name} {word}", subcommand)


def _command(name: str, command: Any) -> str:
    shown = [parameter for parameter in command.params if not _is_hidden(parameter)]
    options = [parameter for parameter in shown if parameter.param_type_name == "option"]
    arguments = [parameter for parameter in shown if parameter.param_type_name == "argument"]
    words = [name, *(["[OPTIONS]"] if options else []), *map(_place, arguments)]
    words += ["[-- COMMAND ...]"] if isinstance(command, WithProgram) else []
    words += ["COMMAND ..."] if getattr(command, "commands", None) else []
    text = [f"## {name}\n", f"```text\n{' '.join(words)}\n```\n", _help(command.help)]
    rows = [f"| `{_metavar(parameter)}` | {_cell(_description(parameter))} |" for parameter in arguments]
    rows += [f"| {_cell(_spelling(parameter))} | {_cell(_description(parameter))} |" for parameter in options]
    if rows:
        text.append("\n".join(["| | |", "|---|---|", *rows]) + "\n")
    return "\n".join(text)


def _is_hidden(parameter: Any) -> bool:
    return parameter.name in _SHELLS_OWN or bool(getattr(parameter, "hidden", False))


def _place(argument: Any) -> str:
    name = _metavar(argument)
    return name if argument.required else f"[{name}]"


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _spelling(option: Any) -> str:
    names = ", ".join(f"`{spelling}`" for spelling in (*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} `{_metavar(option)}`"


def _description(parameter: Any) -> str:
    text = str(parameter.help or "")
    if parameter.required and parameter.param_type_name == "option":
        text = f"{text} Needed."
    if getattr(parameter, "envvar", None):
        text = f"{text} Or `{parameter.envvar}` in the environment."
    default = parameter.default
    if default is not None and not parameter.required and not isinstance(default, bool) and default != ():
        text = f"{text} Default: `{default}`."
    return text.strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _first_line(text: str) -> str:
    return text.strip().partition("\n\n")[0].replace("\n", " ")


def _help(text: str) -> str:
    """Paragraphs as they are, examples and what is indented as code."""
    parts: list[str] = []
    for paragraph in re.split(r"\n{2,}", text.strip()):
        lines = [line.rstrip() for line in paragraph.replace("\b", "").split("\n") if line.strip()]
        if lines and lines[0].startswith("Example: "):
            parts.append(f"```sh\n{lines[0].removeprefix('Example: ')}\n```\n")
            continue
        for indented, group in groupby(lines, key=lambda line: line.startswith(" ")):
            block = "\n".join(group)
            parts.append(f"```text\n{inspect.cleandoc(block)}\n```\n" if indented else f"{block}\n")
    return "\n".join(parts)


# -- Python -----------------------------------------------------------------------------------------------------------


def api() -> str:
    """docs/api.md."""
    index = "\n".join(f"| [`{name}`](#{_anchor(name)}) | {title} |" for name, title in MODULES.items())
    parts = [
        f"{MADE}\n# Python\n",
        "What a program or a notebook may import. All else may change with any version.\n",
        f"| module | |\n|---|---|\n{index}\n| [`automl.errors`](#automlerrors) | What is raised |\n",
        *(_module(import_module(name)) for name in MODULES),
        f"## automl.errors\n\n{_prose(errors.__doc__ or '')}",
    ]
    return "\n".join(parts)


def public(module: ModuleType) -> list[str]:
    """The names of a module that are for users, in the order of its source."""
    return sorted(module.__all__, key=lambda name: _line(getattr(module, name)))


def _line(member: Any) -> tuple[str, int]:
    if not callable(member):
        return "", 0
    return str(inspect.getsourcefile(member)), inspect.getsourcelines(member)[1]


def _module(module: ModuleType) -> str:
    members = [(name, getattr(module, name)) for name in public(module)]
    return "\n".join(
        [f"## {module.__name__}\n", _prose(module.__doc__ or ""), *(_member(name, member) for name, member in members)]
    )


def _member(name: str, member: Any) -> str:
    if not callable(member):
        return f"### {name}\n\n```python\n{name} = {json.dumps(member)}\n```\n"
    if not inspect.isclass(member):
        return f"### {name}\n\n{_signature(name, member)}\n{_prose(inspect.getdoc(member) or '')}"
    parts = [f"### {name}\n", _prose(inspect.getdoc(member) or "")]
    for attribute, value in vars(member).items():
        if attribute.startswith("_"):
            continue
        if isinstance(value, property):
            returns = inspect.signature(value.fget).return_annotation if value.fget else ""
            parts.append(f"```python\n{name}.{attribute}: {returns}\n```\n\n{_prose(inspect.getdoc(value) or '')}")
        elif isinstance(value, classmethod) or inspect.isfunction(value):
            bound = getattr(member, attribute)
            owner = name if isinstance(value, classmethod) else name.lower()
            parts.append(f"{_signature(f'{owner}.{attribute}', bound)}\n{_prose(inspect.getdoc(bound) or '')}")
    return "\n".join(parts)


class _Bare(str):
    """An annotation, which is kept as a text, without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _signature(name: str, function: Callable[..., Any]) -> str:
    """One line, or a line for each argument where that is too long."""
    signature = inspect.signature(function)
    arguments = [
        argument.replace(annotation=_Bare(argument.annotation))
        for argument in signature.parameters.values()
        if argument.name != "self"
    ]
    returns = _Bare(signature.return_annotation)
    text = name + str(signature.replace(parameters=arguments, return_annotation=returns))
    if len(text) > 110:
        star = [argument for argument in arguments if argument.kind is inspect.Parameter.KEYWORD_ONLY][:1]
        lines = [f"    {'*, ' if argument in star else ''}{argument}," for argument in arguments]
        text = "\n".join([f"{name}(", *lines, f") -> {returns}"])
    return f"```python\n{text}\n```\n"


def _prose(text: str) -> str:
    """A docstring, with what is indented by four as Python."""
    parts: list[str] = []
    for indented, group in groupby(
        inspect.cleandoc(text).split("\n\n"), key=lambda paragraph: paragraph.startswith("    ")
    ):
        block = "\n\n".join(group)
        drawn = "text" if "├" in block else "python"
        parts.append(f"```{drawn}\n{inspect.cleandoc(block)}\n```\n" if indented else f"{block}\n")
    return "\n".join(parts)


# -- both -------------------------------------------------------------------------------------------------------------


def _anchor(heading: str) -> str:
    """How GitHub names the heading in a link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


PAGES = {"commands.md": commands, "api.md": api}


def main() -> None:
    """Writes both pages."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
        print(f"wrote {DOCS / name}")


if __name__ == "__main__":
    main()
