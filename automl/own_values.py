"""Values of a search space that a user wants tried: checked, and the parameters not named filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from automl.errors import SpaceError, StudyFileError, nearest
from automl.space import SearchSpace


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
        told = error.given.removeprefix("the defaults contradict the conditions: ")
        raise SpaceError(told, advice="parameters that are not named take their defaults: name them too") from error
    for name, value in values.items():
        if name not in found:
            raise SpaceError(
                f"{name} exists only while {known[name].active_when}", advice="leave it out, or say that too"
            )
        found[name] = list(value) if isinstance(value, list | tuple) else value
    if problems := space.check(found):
        raise SpaceError(problems[0], advice="parameters that are not named take their defaults: name them too")
    return found


def enqueued(space: SearchSpace, given: Sequence[Mapping[str, Any]], experiments: int) -> tuple[dict[str, Any], ...]:
    """What a study file's `enqueue` says, completed, of a search with so many experiments. Raises StudyFileError."""
    if len(given) >= experiments and given:
        raise StudyFileError(
            f"enqueue: {len(given)} values",
            allowed=f"up to {experiments - 1}: the search has {experiments} experiments, and the first is the defaults",
        )
    found = []
    for place, values in enumerate(given):
        try:
            found.append(completed(space, values))
        except SpaceError as error:
            where = f"enqueue[{place}]: {error.given}"
            raise StudyFileError(where, allowed=error.allowed, advice=error.advice) from error
    return tuple(found)


def _range(parameter: Mapping[str, Any]) -> str:
    """What a parameter can take, in words."""
    if parameter.get("options"):
        return ", ".join(str(each) for each in parameter["options"])
    if parameter.get("low") is None:
        return "true, false"
    return f"{parameter['low']} ... {parameter['high']}"
