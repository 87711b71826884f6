"""Completes the values that a user named: every other parameter that exists with them takes its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automl.errors import DefaultsContradict, SpaceError, nearest
from automl.problem.search_space import SearchSpace


def completed(space: SearchSpace, values: Mapping[str, Any]) -> dict[str, Any]:
    """These values, and the defaults of all other parameters that exist with them.

    Raises SpaceError for a name that is not searched, a value out of its range, and a contradiction.
    """
    parameters = {parameter.name: parameter for parameter in space.parameters}
    if not values:
        raise SpaceError("no value is given", allowed=f"values of {', '.join(parameters)}")
    for name, value in values.items():
        if name not in parameters:
            raise SpaceError(f"{name} is not searched", allowed=", ".join(parameters), advice=nearest(name, parameters))
        if problems := parameters[name].violations(value):
            raise SpaceError(problems[0], allowed=_range(parameters[name].to_mapping()))
    with_values = [p.replaced({"default": values[p.name]}) if p.name in values else p for p in space.parameters]
    try:
        complete = replace(space, parameters=tuple(with_values)).defaults()
    except SpaceError as error:
        problem = error.contradiction if isinstance(error, DefaultsContradict) else error.given
        raise SpaceError(problem, advice="parameters that are not named take their defaults: name them too") from error
    for name, value in values.items():
        if name not in complete:
            raise SpaceError(
                f"{name} exists only while {parameters[name].active_when}", advice="leave it out, or set that too"
            )
        complete[name] = list(value) if isinstance(value, list | tuple) else value
    if problems := space.check(complete):
        raise SpaceError(problems[0], advice="parameters that are not named take their defaults: name them too")
    return complete


def _range(parameter: Mapping[str, Any]) -> str:
    """The values that a parameter can take, in words."""
    if parameter.get("options"):
        return ", ".join(str(option) for option in parameter["options"])
    if parameter.get("low") is None:
        return "true, false"
    return f"{parameter['low']} ... {parameter['high']}"
