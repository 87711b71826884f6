"""One clear sentence from an error of pydantic: what was given, what is allowed, the nearest name.

What is allowed is read from the model's JSON Schema, so that the words are ours and never pydantic's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

from automl.errors import nearest
from automl.text.formatting import shown

Schema = Mapping[str, Any]
_PLAIN = re.compile(r"true|false|-?(0|[1-9]\d{0,15})(\.\d{1,15})?([eE][+-]?\d{1,3})?")  # in JSON and YAML alike
_MISSING = " is missing"
_KINDS = {"boolean": "true or false", "object": "a mapping of names to values", "null": "nothing"}


Problem = tuple[str, str, str]  # given, allowed, advice


def first_error(
    error: ValidationError, model: type[BaseModel], data: Mapping[str, Any], other_names: Iterable[str] = ()
) -> Problem:
    """(given, allowed, advice) of the error that helps most: an unknown key before all others."""
    return all_errors(error, model, data, other_names)[0]


def all_errors(
    error: ValidationError, model: type[BaseModel], data: Mapping[str, Any], other_names: Iterable[str] = ()
) -> list[Problem]:
    """(given, allowed, advice) of each thing that is wrong; unknown keys first, for they often cause the rest.

    `other_names` are allowed at the top too, and are suggested.
    """
    order: list[object] = list(data)
    names, schema = tuple(other_names), model.model_json_schema()

    def place(one: ErrorDetails) -> tuple[bool, int]:
        first = one["loc"][0] if one["loc"] else None
        return one["type"] != "extra_forbidden", order.index(first) if first in order else len(order)

    problems: dict[str, Problem] = {}
    for one in sorted(error.errors(), key=place):
        problem = _problem(one, schema, data, names)
        problems.setdefault(problem[0], problem)  # of several branches of a union, the first
    # what is missing and was misspelt is one mistake
    misspelt = {advice.partition("'")[2].partition("'")[0] for _, _, advice in problems.values()}
    missing = {given: given.removesuffix(_MISSING).rpartition(".")[2] for given in problems if given.endswith(_MISSING)}
    return [problem for given, problem in problems.items() if missing.get(given) not in misspelt]


def _problem(first: ErrorDetails, schema: Schema, data: Mapping[str, Any], other_names: Sequence[str]) -> Problem:
    is_key = first["loc"][-1:] == ("[key]",)
    # pydantic names the branch of a union too; only what the user wrote counts
    keys = _keys_in(first["loc"][:-1] if is_key else first["loc"], data, missing=first["type"] == "missing")
    path, last = written(keys), str(keys[-1]) if keys else ""
    if first["type"] == "extra_forbidden":
        branches = _branches(_at(schema, keys[:-1], schema), schema)
        names = [name for branch in branches for name in branch.get("properties", {})]
        return (
            f"{path} is not known",
            ", ".join(names),
            nearest(last, [*names, *(other_names if not keys[1:] else ())]),
        )
    if first["type"] == "missing":
        return f"{path}{_MISSING}", "", f"add '{last}: ...'"
    if is_key:
        patterns = _at(schema, keys[:-1], schema).get("patternProperties", {})
        allowed = " or ".join(f"text that matches {pattern}" for pattern in patterns)
        return f"{path}: the name {shown(last)}", allowed, ""
    input_text = f"{path}: {shown(first['input'])}" if path else shown(first["input"])
    if first["type"] == "value_error":  # raised by a validator of this package
        message = str(first["ctx"]["error"])
        if isinstance(first["input"], Mapping):  # repeating a whole group would bury what is wrong with it
            return f"{path}: {message}" if path else message, "", ""
        return input_text, message, ""
    part = _at(schema, keys, schema)
    choices = [str(choice) for branch in _branches(part, schema) for choice in branch.get("enum", ())]
    advice = nearest(str(first["input"]), choices) or _without_quotes(last, first["input"], part, schema)
    return input_text, words(part, schema), advice


def _without_quotes(name: str, value: Any, part: Schema, root: Schema) -> str:
    """What to write in place of a text that would be right without its quotes."""
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        return ""
    plain = json.loads(value)
    kinds = {branch.get("type") for branch in _branches(part, root)}
    fits = {bool: {"boolean"}, int: {"integer", "number"}, float: {"number"}}[type(plain)] & kinds
    return f"write it without quotes: {name}: {value}" if fits else ""


def written(keys: Iterable[int | str]) -> str:
    """The path to a value as a user would write it: `parameters.train.lr.options[2]`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def words(schema: Schema, root: Schema) -> str:
    """What a JSON Schema allows, for people: "a whole number from 1 to 1024", "auto or budget"."""
    schema = _resolved(schema, root)
    if "anyOf" in schema:
        branches = [branch for branch in schema["anyOf"] if branch.get("type") != "null"]
        return ", or ".join(words(branch, root) for branch in branches)
    if "enum" in schema or "const" in schema:
        return " or ".join(str(choice) for choice in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        return f"{'a whole number' if kind == 'integer' else 'a number'}{_bounds(schema)}"
    if kind == "string":
        return _text(schema)
    if kind == "array":
        few = ", at least one" if schema.get("minItems") else ""
        return f"a list{few}{_items(schema.get('items', {}), root)}"
    if "properties" in schema:
        return f"a mapping with the keys {', '.join(schema['properties'])}"
    return _KINDS.get(str(kind), "")


def _bounds(schema: Schema) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if high is None and below is not None and schema["type"] == "integer":
        high = below - 1
    parts = [
        f" from {low}" if low is not None else "",
        f" above {above}" if above is not None else "",
        f" {'to' if low is not None else 'up to'} {high:,}" if high is not None else "",
        f" below {below}" if below is not None and high is None else "",
    ]
    return "".join(parts)


def _text(schema: Schema) -> str:
    if "pattern" in schema:
        example = f" such as {schema['examples'][0]}" if schema.get("examples") else ""
        about = f": {schema['description']}" if "description" in schema else ""
        return f"text{example}{about}" if example or about else f"text that matches {schema['pattern']}"
    if "description" in schema:
        return f"text: {schema['description']}"
    if "maxLength" in schema:
        return f"text of at most {schema['maxLength']} characters{', not empty' if schema.get('minLength') else ''}"
    return "text that is not empty" if schema.get("minLength") else "text"


def _items(items: Schema, root: Schema) -> str:
    kind = words(items, root) if items else ""
    return f", each item {kind}" if kind else ""


def _at(schema: Schema, keys: Iterable[int | str], root: Schema) -> Schema:
    """The part of a schema that describes the value below these keys."""
    schema = _resolved(schema, root)
    for key in keys:
        for branch in _branches(schema, root):
            inner = _inner(branch, key)
            if inner is not None:
                schema = _resolved(inner, root)
                break
        else:
            return {}
    return schema


def _branches(schema: Schema, root: Schema) -> list[Schema]:
    return [_resolved(branch, root) for branch in schema.get("anyOf", [schema])]


def _inner(schema: Schema, key: int | str) -> Schema | None:
    if isinstance(key, int):
        inner = schema.get("items")
    else:
        others = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
        inner = schema.get("properties", {}).get(key) or others
    return inner if isinstance(inner, Mapping) else None


def _resolved(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _keys_in(loc: tuple[int | str, ...], data: Any, *, missing: bool) -> tuple[int | str, ...]:
    """The parts of pydantic's location that are in the data, and a missing key, which is not."""
    keys: list[int | str] = []
    value = data
    for depth, part in enumerate(loc):
        inside = isinstance(value, Mapping) and part in value
        inside = inside or (isinstance(value, list | tuple) and isinstance(part, int) and part < len(value))
        if not inside and not (missing and depth == len(loc) - 1):
            continue
        keys.append(part)
        value = value[part] if inside else None
    return tuple(keys)
