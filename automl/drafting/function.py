"""A function of a notebook as a training program: its source becomes a file of its own, without a pickle.

Its parameters come by keyword, `report(epoch=..., val_acc=...)` inside of it says how it does. What it uses of the
imports of the notebook is imported in the file too; any other name from outside of it is refused.
"""

from __future__ import annotations

import ast
import base64
import builtins
import inspect
import symtable
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from automl.drafting.draft import Draft, Searched
from automl.drafting.metrics import goal as goal_of
from automl.errors import InvalidInput, nearest

REPORT = "report"
REPORTS = "reports.jsonl"  # in the folder that it runs in: a line for each epoch
_GIVEN = ("epochs", "seed")  # parameters that the search sets itself, where the function has them
_VARIABLE = "AUTOML_PROGRAM"
# In an image the file does not lie, so it comes in a variable and is written before it is run
_UNPACK = (
    "import base64, os, sys, tempfile; path = os.path.join(tempfile.mkdtemp(dir='.'), 'program.py'); "
    f"open(path, 'wb').write(base64.b64decode(os.environ['{_VARIABLE}'])); "
    "os.execv(sys.executable, [sys.executable, path, *sys.argv[1:]])"
)
_PROGRAM = '''\
"""A training program, made from the function {name} by automl; change the function, not this file."""

import json
import os
import sys
{imports}
_REPORTS = os.path.abspath("{reports}")


def report(*, epoch, **metrics):
    """Says how the training does after so many epochs."""
    line = {{"epoch": int(epoch), **{{name: float(value) for name, value in metrics.items()}}}}
    with open(_REPORTS, "a") as file:
        file.write(json.dumps(line) + "\\n")
    print(line, flush=True)


{source}

if __name__ == "__main__":
    {name}(**{{**json.loads(sys.argv[1]){given}}})
'''


def program_text(function: Callable[..., Any]) -> str:
    """The program of a function. Raises InvalidInput for a function that has no source or needs more than that."""
    source = _source(function)
    imports, missing = _names(function, source)
    if missing:
        raise InvalidInput(
            f"{function.__name__} needs what stands outside of it: {', '.join(missing)}",
            allowed="its own source, what it imports, and report()",
            advice="move that into the function, make it a parameter, or import it from an installed module",
        )
    taken = [name for name in _GIVEN if name in inspect.signature(function).parameters]
    given = "".join(f', "{name}": int(sys.argv[{index}])' for index, name in enumerate(taken, 2))
    lines = "".join(f"{line}\n" for line in imports)
    return _PROGRAM.format(name=function.__name__, imports=lines, reports=REPORTS, source=source, given=given)


def draft(
    function: Callable[..., Any],
    name: str,
    *,
    program: str,
    space: Mapping[str, Any],
    metric: tuple[str, str | None],
    network: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Draft:
    """The draft of a study of a function, whose program is the file `program`.

    `space` has a row for each searched parameter: {low, high, log}, [options], or (low, high). `metric` is its
    name and its goal, if that is given. `network` are further keys of its network, such as epochs and keep; with image
    its command carries the program. Raises InvalidInput.
    """
    searched = tuple(_row(parameter, given) for parameter, given in space.items())
    _check_parameters(function, [parameter.name for parameter in searched])
    named, goal = metric[0], metric[1] or goal_of(metric[0])
    if goal not in {"minimize", "maximize"}:
        given = f"goal: {goal!r}" if goal else f"whether less or more of {named} is better is not known"
        raise InvalidInput(given, allowed="goal='minimize' or goal='maximize'")
    taken = [f"{{{each}}}" for each in _GIVEN if each in inspect.signature(function).parameters]
    is_carried = network.get("image") is not None
    start = ["python", "-c", _UNPACK] if is_carried else [sys.executable, program]  # that has its libraries
    text = {_VARIABLE: base64.b64encode(program_text(function).encode()).decode()} if is_carried else {}
    described: dict[str, Any] = {
        **({"image": network["image"]} if is_carried else {}),
        "command": [*start, "{args}", *taken],
        "arguments": "json",
        **({"environment": text} if text else {}),
        "metric": {"name": named, "goal": goal},
        "status": {"reader": "json_lines", "path": REPORTS},
        **{key: value for key, value in network.items() if key != "image"},
        **({} if "{epochs}" in taken else {"fixed_epochs": True}),
    }
    comments = {"environment": "the program, in base64: an image does not have it"} if text else {}
    return Draft(name, described, searched, options, comments, head=(f"From the function {function.__name__}.",))


def _source(function: Callable[..., Any]) -> str:
    """The source of a function, without indentation and decorators."""
    name = getattr(function, "__name__", repr(function))
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError) as error:
        raise InvalidInput(
            f"the source of {name} is not to be had: {error}", allowed="a function of a notebook or of a file"
        ) from error
    try:
        tree = ast.parse(source)
    except SyntaxError:
        tree = ast.Module([], [])
    if not tree.body or not isinstance(tree.body[0], ast.FunctionDef):
        raise InvalidInput(f"{name} is no function of its own", allowed="def train(lr, epochs): ...")
    definition = tree.body[0]
    if definition.decorator_list:
        raise InvalidInput(f"{name} has a decorator", allowed="a plain function", advice="call it from a plain one")
    if "self" in inspect.signature(function).parameters or inspect.ismethod(function):
        raise InvalidInput(f"{name} is a method", allowed="a plain function", advice="call it from a plain one")
    return source.rstrip() + "\n"


def _names(function: Callable[..., Any], source: str) -> tuple[list[str], list[str]]:
    """The lines that import what the source takes from outside, and the names that nothing can import."""
    imports, missing = [], []
    closure = inspect.getclosurevars(function).nonlocals
    outside = {**getattr(function, "__globals__", {}), **closure}
    for name in sorted(set(_taken(symtable.symtable(source, "<function>", "exec")))):
        if name in {function.__name__, REPORT} or (hasattr(builtins, name) and name not in outside):
            continue
        line = _import(name, outside[name], function.__module__) if name in outside and name not in closure else None
        if line is None:
            missing.append(name)
        else:
            imports.append(line)
    return imports, missing


def _taken(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that a source and all scopes in it read from outside."""
    for symbol in table.get_symbols():
        is_outer = table.get_type() == "module" and not symbol.is_assigned() and not symbol.is_imported()
        if symbol.is_referenced() and (symbol.is_global() or is_outer) and not symbol.is_namespace():
            yield symbol.get_name()
    for below in table.get_children():
        yield from _taken(below)


def _import(name: str, value: Any, own: str) -> str | None:
    """The line that imports a value under this name; None where no installed module has it."""
    if isinstance(value, ModuleType):
        if value.__name__ == "__main__":
            return None
        return f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}")
    module, own_name = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if not isinstance(module, str) or not isinstance(own_name, str) or module in {"__main__", own}:
        return None
    if getattr(sys.modules.get(module), own_name, None) is not value:
        return None
    return f"from {module} import {own_name}" + ("" if own_name == name else f" as {name}")


def _check_parameters(function: Callable[..., Any], searched: Sequence[str]) -> None:
    """Raises InvalidInput for a searched parameter that the function lacks, and for one that nobody gives it."""
    parameters = inspect.signature(function).parameters
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    for name in searched:
        if name in _GIVEN:
            raise InvalidInput(f"space: {name} is set by the search itself", advice=f"leave {name} out of space")
        if name not in parameters and not takes_all:
            advice = nearest(name, parameters)
            raise InvalidInput(
                f"space: {function.__name__} has no parameter {name}", allowed=", ".join(parameters), advice=advice
            )
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    for parameter in parameters.values():
        is_given = parameter.name in {*searched, *_GIVEN} or parameter.default is not parameter.empty
        if parameter.kind in named and not is_given:
            raise InvalidInput(
                f"{function.__name__} has the parameter {parameter.name}, which is neither in space nor has a default",
                advice="give it a default, or a range in space",
            )
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise InvalidInput(
                f"{function.__name__} takes {parameter.name} by position", allowed="parameters by keyword"
            )


def _row(name: str, given: Any) -> Searched:
    if isinstance(given, Mapping):
        return Searched(name, dict(given))
    if isinstance(given, tuple) and len(given) == 2 and all(type(bound) in {int, float} for bound in given):
        return Searched(name, {"low": given[0], "high": given[1]})
    if isinstance(given, list | tuple):
        return Searched(name, {"options": list(given)})
    raise InvalidInput(
        f"space: {name}: {given!r}", allowed="{'low': ..., 'high': ..., 'log': True}, [options], or (low, high)"
    )
