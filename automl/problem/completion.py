"""Values that a user gave in part are completed: every parameter that they make active, in its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automl.errors import DefaultsContradict, SpaceError, nearest
from automl.problem.search_space import SearchSpace


def completed(space: SearchSpace, values: Mapping[str, Any]) -> dict[str, Any]:
    """These values, and the defaults of all other parameters that exist beside them.

    Raises SpaceError for a name that is not searched, a value out of its range, and a contradiction.
    """
    known = {parameter.name: parameter for parameter in space.parameters}
    if not values:
        raise SpaceError("no value is given", allowed=f"values of {', '.join(known)}")
    for name, value in values.items():
        if name not in known:
            raise SpaceError(f"{name} is not searched", allowed=", ".join(known), advice=nearest(name, known))
        if problems := known[name].violations(value):
            raise SpaceError(problems[0], allowed=_range(known[name].to_mapping()))
    started = [p.replaced({"default": values[p.name]}) if p.name in values else p for p in space.parameters]
    try:
        found = replace(space, parameters=tuple(started)).defaults()
    except SpaceError as error:
        problem = error.contradiction if isinstance(error, DefaultsContradict) else error.given
        raise SpaceError(problem, advice="parameters that are not named take their defaults: name them too") from error
    for name, value in values.items():
        if name not in found:
            raise SpaceError(
                f"{name} exists only while {known[name].active_when}", advice="leave it out, or say that too"
            )
        found[name] = list(value) if isinstance(value, list | tuple) else value
    if problems := space.check(found):
        raise SpaceError(problems[0], advice="parameters that are not named take their defaults: name them too")
    return found


def _range(parameter: Mapping[str, Any]) -> str:
    """What a parameter can take, in words."""
    if parameter.get("options"):
        return ", ".join(str(each) for each in parameter["options"])
    if parameter.get("low") is None:
        return "true, false"
    return f"{parameter['low']} ... {parameter['high']}"
