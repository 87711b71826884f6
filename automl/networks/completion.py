"""What a network of a user's own may leave out, filled in: types, defaults, a spec, and what is searched.

The network is spelt out before it is checked, so a study that was begun holds all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automl.errors import SpaceError, SpecError
from automl.networks.spec_formats import has_path, set_paths
from automl.problem.conditions import as_number, is_number
from automl.problem.search_space import Parameter, SearchSpace

_RANGE = ("low", "high", "min", "max", "options", "valid_options")
_OF_TABLE = ("automl_enabled", "path")

Row = Mapping[str, Any]


def completed(data: Mapping[str, Any]) -> dict[str, Any]:
    """The network, where every parameter that has a range has a type, is searched, and has a default in the spec.

    Without a default it is the middle of the range; with `automl_enabled` in any row of the table, those rows say what
    is searched. What is wrong stays as it is, for the check to find.
    """
    rows, spec = data.get("parameters"), data.get("spec", {})
    if not isinstance(rows, Mapping) or not isinstance(spec, Mapping):
        return dict(data)
    if not all(isinstance(row, Mapping) for row in rows.values()):
        return dict(data)
    says = any("automl_enabled" in row for row in rows.values())
    table = {name: _typed(row) if _has_range(row) else dict(row) for name, row in rows.items()}
    for row in table.values():
        if _has_range(row) and not says:
            row["automl_enabled"] = True
    return {**data, "parameters": table, "spec": _with_defaults(spec, table)}


def _has_range(row: Row) -> bool:
    return any(row.get(key) is not None for key in _RANGE) or row.get("type", row.get("kind")) in {"bool", "boolean"}


def _typed(row: Row) -> dict[str, Any]:
    """The row with a type: that of its options, or int when its bounds and its default are whole numbers."""
    if row.get("type", row.get("kind")) is not None:
        return dict(row)
    options = row.get("options", row.get("valid_options"))
    if isinstance(options, list):
        if len(options) == 2 and all(isinstance(option, bool) for option in options):
            return {"type": "bool", **row}
        increases = all(map(is_number, options)) and options == sorted(options)
        return {"type": "ordered" if increases else "categorical", **row}
    numbers = [as_number(row[key]) for key in (*_RANGE, "step", "default") if row.get(key) is not None]
    return {"type": "int" if all(isinstance(number, int) for number in numbers) else "float", **row}


def _with_defaults(spec: Row, table: Mapping[str, Row]) -> dict[str, Any]:
    """The spec with a value for every parameter that it lacks; as it is when a row is wrong."""
    lacking = {name: row for name, row in table.items() if not has_path(spec, str(row.get("path") or name))}
    try:
        defaults = {name: row["default"] for name, row in lacking.items() if "default" in row}
        space = SearchSpace(
            tuple(
                Parameter.from_mapping(name, {key: value for key, value in row.items() if key not in _OF_TABLE})
                for name, row in lacking.items()
                if _has_range(row)
            )
        )
        defaults |= space.defaults()
        return set_paths(spec, {str(lacking[name].get("path") or name): value for name, value in defaults.items()})
    except (SpaceError, SpecError, TypeError):
        return dict(spec)
