"""The flags that a program itself declares: in its `--help`, and in its source, which also has what help does not say.

Read are the help of argparse, click, typer and absl, and calls of `add_argument`, `DEFINE_...` and `option` in Python.
Nothing of the source is executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

_PARSERS = re.compile(
    r"\b(argparse|ArgumentParser|HfArgumentParser|click|typer|absl|jsonargparse|LightningCLI|tyro|simple_parsing)\b"
)
_DEFAULT = re.compile(r"[(\[][Dd]efaults?(?: is)?[:=]?\s*'?([^()\[\]]*?)'?[)\];]")
_KINDS = {"INTEGER": "int", "INT": "int", "FLOAT": "float", "NUMBER": "float", "<FLOAT>": "float"}
_OF_SUFFIX = {"float": "float", "integer": "int", "boolean": "switch", "bool": "switch", "string": "str"}


@dataclass(frozen=True)
class Declared:
    """A flag. `flag` is as it is written; `kind` is int, float, str, list, switch (no value) or no_flag (--no- too).

    `others` are its other spellings, such as -b. What is not known is None, and () for choices.
    """

    name: str
    flag: str
    kind: str | None = None
    default: Any = None
    choices: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def is_switch(self) -> bool:
        return self.kind in {"switch", "no_flag"}


def has_help(source: str) -> bool:
    """Whether a program's source says that it prints its flags for `--help`; others would begin to train."""
    return _PARSERS.search(source) is not None


def declared(help_text: str, source: str) -> tuple[Declared, ...]:
    """The flags of a program. Those of its help if it has any, filled in from its source; else those of that."""
    of_source = {flag.name: flag for flag in from_source(source)}
    of_help = {flag.name: flag for flag in from_help(help_text)}
    if not of_help:
        return tuple(of_source.values())
    return tuple(_filled(flag, of_source.get(name)) for name, flag in of_help.items())


def _filled(flag: Declared, source: Declared | None) -> Declared:
    if source is None:
        return flag
    return replace(
        flag,
        kind=source.kind or flag.kind,
        default=flag.default if source.default is None else source.default,
        choices=flag.choices or source.choices,
    )


def from_help(text: str) -> Iterator[Declared]:
    """The flags of a help text."""
    entry: list[str] = []
    for line in [*text.splitlines(), "--end"]:
        if re.match(r"^[\s│|]{0,8}--?[A-Za-z\[]", line):
            if entry and (flag := _of_entry(entry)) is not None:
                yield flag
            entry = [line]
        elif entry and line.strip():
            entry.append(line)


def _of_entry(lines: Sequence[str]) -> Declared | None:
    """The flag of an entry: its first line, and the words about it."""
    first = lines[0].strip(" │|")
    whole = " ".join(line.strip(" │|") for line in lines)
    flags = re.findall(r"(?<![\w-])(--?[A-Za-z\[][\w.\[\]-]*)", re.split(r"\s{2,}(?!-)|: ", first)[0])
    long = [flag for flag in flags if flag.startswith("--")] or flags
    if not long or long[0] in {"--help", "-h", "--version", "--helpfull", "--helpshort", "--helpxml"}:
        return None
    flag = long[0]
    kind = "no_flag" if flag.startswith("--[no]") or f"--no-{flag[2:]}" in whole else None
    flag = flag.replace("[no]", "")
    after = whole.partition(long[0])[2].lstrip(", ")
    choices = re.match(r"(?:--?[\w.-]+[ ,=]+)*\{([^{}]+)\}", after) or re.match(
        r"\[([^\[\]|]+(?:\|[^\[\]|]+)+)\]", after
    )
    listed = tuple(re.split(r"[,|]", choices[1])) if choices else ()
    metavar = re.match(r"(?:--?[\w.-]+[ ,=]+)?(<?[A-Z]+>?)\b", after)
    default = _DEFAULT.search(whole)
    others = tuple(other for other in flags if other != long[0] and not other.startswith("--no"))
    kind = kind or _KINDS.get(metavar[1] if metavar else "")
    found = Declared(flag.lstrip("-"), flag, kind, choices=listed, others=others)
    if default is None or default[1] in {"None", "", "required"}:
        return found
    value = _value(default[1])
    guessed = found.kind or ("float" if isinstance(value, float) else "int" if type(value) is int else None)
    return replace(found, default=value, kind=guessed)


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"True": True, "False": False}.get(text, text)


def from_source(source: str) -> Iterator[Declared]:
    """The flags that calls in a Python source declare; none where it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        texts = [_literal(argument) for argument in call.args]
        keywords = {word.arg: word.value for word in call.keywords if word.arg}
        if name in {"add_argument", "option"}:
            flags = [text for text in texts if isinstance(text, str) and text.startswith("-")]
            long = [flag for flag in flags if flag.startswith("--")] or flags
            if long:
                others = tuple(flag for flag in flags if flag != long[0])
                yield replace(_of_call(long[0], keywords), others=others)
        elif name.startswith("DEFINE_") and texts and isinstance(texts[0], str):
            kind = _OF_SUFFIX.get(name.removeprefix("DEFINE_").lower())
            choices = _choices(call.args[2]) if name.lower() == "define_enum" and len(call.args) > 2 else ()
            default = texts[1] if len(texts) > 1 else _literal(keywords.get("default"))
            kind = "no_flag" if kind == "switch" else kind
            yield Declared(texts[0], f"--{texts[0]}", kind, default, choices)


def _of_call(flag: str, keywords: Mapping[str, ast.expr]) -> Declared:
    action = keywords.get("action")
    written = str(_literal(action)) if isinstance(action, ast.Constant) else ast.unparse(action) if action else ""
    default = _literal(keywords.get("default"))
    kind = getattr(keywords.get("type"), "id", None)
    if (written.startswith("store_") and written != "store_const") or _literal(keywords.get("is_flag")) is True:
        kind = "switch"
    elif "BooleanOptionalAction" in written:
        kind = "no_flag"
    elif "/--no-" in flag:
        flag, kind = flag.partition("/")[0], "no_flag"
    elif "nargs" in keywords or _literal(keywords.get("multiple")) is True:
        kind = "list"
    elif kind not in {"int", "float", "str"}:
        kind = {bool: None, int: "int", float: "float"}.get(type(default)) if kind is None else None
    choices = _choices(keywords.get("choices")) or _choices(getattr(keywords.get("type"), "args", [None])[:1] or None)
    return Declared(flag.lstrip("-"), flag, kind, default, choices)


def _literal(node: ast.expr | None) -> Any:
    """The value of a literal; None for what is computed."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _choices(node: Any) -> tuple[str, ...]:
    listed = _literal(node[0] if isinstance(node, list) and node else node if isinstance(node, ast.expr) else None)
    return tuple(map(str, listed)) if isinstance(listed, list | tuple) else ()
