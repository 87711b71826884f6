"""The forms in which programs take values on their command line: flags, flags with '=', Hydra's overrides, JSON.

What is null is left out of all of them. A flag is called what its parameter is called: `batch-size` is `--batch-size`,
`model.depth` is `--model.depth`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from automl.errors import SpecError
from automl.networks.spec_formats import set_paths

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./@%+-]*")  # texts that Hydra takes without quotation marks
_NO_TEXTS = frozenset({"null", "true", "false", "nan", "inf"})  # these Hydra takes for something else


def words(values: Mapping[str, Any], form: str, booleans: str) -> tuple[str, ...]:
    """The words of these values, by dotted path, in one form; `booleans` says how the flags write true and false.

    Raises SpecError for a value that the form cannot express.
    """
    present = {path: value for path, value in values.items() if value is not None}
    if form == "json":
        return (json.dumps(set_paths({}, _without_null(present)), separators=(",", ":"), allow_nan=False),)
    return tuple(word for path, value in present.items() for word in _FORMS[form](path, value, booleans))


def text(value: Any, form: str) -> str:
    """One value as a part of a word: 0.01, true, and a list by the custom of the form. Raises SpecError."""
    if isinstance(value, str):
        return value
    if form in {"hydra", "json"} or isinstance(value, Mapping):
        return _of_hydra(value) if form == "hydra" else json.dumps(value, separators=(",", ":"), allow_nan=False)
    return ",".join(map(_scalar, value)) if isinstance(value, list) else _scalar(value)


def _flags(path: str, value: Any, booleans: str) -> tuple[str, ...]:
    """`--lr 0.01 --layers 1 2 --no-shuffle`, as argparse reads them."""
    if isinstance(value, bool):
        switch = _switch(path, value, booleans)
        return (f"--{path}", _scalar(value)) if switch is None else switch
    return (f"--{path}", *map(_scalar, value)) if isinstance(value, list) else (f"--{path}", _scalar(value))


def _flags_equals(path: str, value: Any, booleans: str) -> tuple[str, ...]:
    """`--lr=0.01 --layers=1,2`, as absl's flags read them."""
    if isinstance(value, bool) and booleans != "true_false":
        return _switch(path, value, booleans) or ()
    return (f"--{path}={text(value, 'flags_equals')}",)


def _switch(path: str, value: bool, booleans: str) -> tuple[str, ...] | None:
    """A boolean without a value of its own; None where the program wants one."""
    if booleans == "true_false":
        return None
    if value:
        return (f"--{path}",)
    return (f"--no-{path}",) if booleans == "no_flag" else ()


def _hydra(path: str, value: Any, _booleans: str) -> tuple[str, ...]:
    """`lr=0.01 model.depth=4 layers=[1,2]`."""
    return (f"{path}={_of_hydra(value)}",)


def _of_hydra(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_of_hydra, value))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{name}:{_of_hydra(part)}' for name, part in value.items())}}}"
    if value is None:
        return "null"
    if not isinstance(value, str):
        return _scalar(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXTS:
        return value
    quoted = re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + (f"\\{match[2]}" if match[2] else ""), value)
    return f"'{quoted}'"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return repr(value)
    raise SpecError(
        f"{value!r} cannot be written as a flag",
        allowed="texts, numbers, true, false, and lists of them",
        advice="use arguments: hydra or json",
    )


def _without_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_null(part) for name, part in value.items() if part is not None}
    return value


_FORMS: dict[str, Callable[[str, Any, str], tuple[str, ...]]] = {
    "flags": _flags,
    "flags_equals": _flags_equals,
    "hydra": _hydra,
}
