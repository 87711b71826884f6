"""The lines that a Python program would print, read from its source: numbers stand where it would print values.

Nothing is executed. `print(f"epoch {epoch} val_acc={acc:.3f}")` gives `epoch 0 val_acc=1` in a loop from 0.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

_PRINTS = frozenset({"print", "info", "log", "debug", "write", "echo", "secho", "warning", "tqdm_write"})
_PERCENT = re.compile(r"%[-+ #0]*\d*(?:\.\d+)?[dfeEgGsi]")
_FIELD = re.compile(r"\{[^{}]*\}")


def printed_lines(source: str) -> Iterator[str]:
    """The lines that calls of print and of loggers make; none where the source is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    begins = dict(_loops(tree))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in _PRINTS and call.args:
            yield from " ".join(_text(argument, begins) for argument in call.args).splitlines()


def _loops(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The variables of loops over a range, with the number that they begin with."""
    for loop in (node for node in ast.walk(tree) if isinstance(node, ast.For)):
        ranges = [node for node in ast.walk(loop.iter) if isinstance(node, ast.Call) and _is_range(node)]
        if isinstance(loop.target, ast.Name) and ranges:
            first = ranges[0].args[0] if len(ranges[0].args) > 1 else ast.Constant(0)
            yield loop.target.id, first.value if isinstance(first, ast.Constant) and type(first.value) is int else 1


def _is_range(call: ast.Call) -> bool:
    return getattr(call.func, "id", "") in {"range", "trange"} and bool(call.args)


def _text(node: ast.expr, begins: Mapping[str, int]) -> str:
    """What an argument would print."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, begins) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, begins)
    if isinstance(node, ast.Name):
        return str(begins.get(node.id, 1))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _filled(_PERCENT, node.left, node.right, begins)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left, begins), _text(node.right, begins)
        return str(int(left) + int(right)) if left.isdigit() and right.isdigit() else left + right
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _filled(_FIELD, node.func.value, ast.Tuple(list(node.args), ast.Load()), begins)
    return "1"


def _filled(place: re.Pattern[str], text: ast.expr, values: ast.expr, begins: Mapping[str, int]) -> str:
    """A text with places for values, filled in."""
    given = [_text(value, begins) for value in (values.elts if isinstance(values, ast.Tuple) else [values])]
    rest = iter(given)
    return place.sub(lambda _: next(rest, "1"), _text(text, begins)).replace("%%", "%")
