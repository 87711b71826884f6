"""How many configurations a space has, which two are the same one, and all of them where they are few.

Two sets of values are one configuration when a training cannot tell them apart: the same parameters exist, and each has
the same value. So a parameter that does not exist makes no difference, nor do coordinates that round to one value.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from automl.problem.conditions import Value, identical
from automl.problem.domains import Continuous, Domain
from automl.problem.parameter import Parameter
from automl.problem.parameter_mapping import frozen, thawed
from automl.problem.search_space import SearchSpace

Count: TypeAlias = int | float  # a whole number, or infinity

_State: TypeAlias = tuple[tuple[str, Hashable], ...]  # the names of parameters, each with the identity of its value

_MOST_FLOATS = 10_000  # an interval with more different floats counts as infinite
_MOST_VALUES, _MOST_STEPS = 100_000, 1_000_000  # of compared parameters; beyond, they count as infinitely many


def identity(values: Mapping[str, Any]) -> Hashable:
    """What is equal for equal configurations: 1 and 1.0 are one value, 1 and true are two."""
    return tuple(sorted((name, _hashable(value)) for name, value in values.items()))


def count(space: SearchSpace) -> Count:
    """The number of configurations that can be drawn; infinity where one of them has an interval of floats.

    Parameters are counted in the order in which a space decodes them. What was chosen is remembered only as far as
    later ones depend on it: whether it switches them on, and above what they have to be.
    """
    if any(_is_endless(parameter) for parameter in space.in_order):  # the others may be many to go through
        return math.inf
    states: dict[_State, Count] = {(): 1}
    values: dict[str, dict[Hashable, Value]] = {}  # what stands in a state, by parameter
    steps = 0
    for place, parameter in enumerate(space.in_order):
        later = space.in_order[place + 1 :]
        kept = {name for name in (p.name for p in space.in_order[: place + 1]) if _matters(space, name, later)}
        after: dict[_State, Count] = {}
        known = values.setdefault(parameter.name, {})
        for state, ways in states.items():
            chosen = {name: values[name][key] for name, key in state}
            remembered = tuple(item for item in state if item[0] in kept)
            if not space.exists(parameter, chosen):
                after[remembered] = after.get(remembered, 0) + ways
                continue
            domain = space.range_beside(parameter, chosen)
            for value, number in _groups(space, parameter, domain, later):
                following = remembered
                if parameter.name in kept:
                    known.setdefault(key := _hashable(value), value)
                    following = (*remembered, (parameter.name, key))
                after[following] = after.get(following, 0) + ways * number
                steps += 1
            if steps > _MOST_STEPS:
                return math.inf
        states = after
    return sum(states.values())


def every(
    space: SearchSpace, points: Callable[[Parameter, Domain], Iterable[Value]] | None = None
) -> Iterator[dict[str, Value]]:
    """Every configuration, in one order: that of the values of each parameter, those of the last one fastest.

    `points` gives the values that are taken of a parameter (of each element of a list); None takes all. Raises
    ValueError for an interval of more than a few thousand floats, where `points` is None.
    """
    take = points or (lambda _parameter, domain: _values(domain))

    def complete(place: int, chosen: dict[str, Value]) -> Iterator[dict[str, Value]]:
        if place == len(space.in_order):
            yield {p.name: thawed(chosen[p.name]) for p in space.parameters if p.name in chosen}
            return
        parameter = space.in_order[place]
        if not space.exists(parameter, chosen):
            yield from complete(place + 1, chosen)
            return
        single = list(take(parameter, space.range_beside(parameter, chosen)))
        values: Iterable[Any] = single
        if parameter.kind == "list":
            values = itertools.product(single, repeat=parameter.length or 1)
        for value in values:
            yield from complete(place + 1, {**chosen, parameter.name: value})

    return complete(0, {})


def is_drawn(space: SearchSpace, values: Mapping[str, Any]) -> bool:
    """Whether these values are among those that `count` counts; an option without weight is not, say."""
    return identity(space.decode(space.encode(values))) == identity(values)


def _hashable(value: Value) -> Any:
    frozen_value = frozen(value)
    if isinstance(frozen_value, tuple):
        return ("list", *map(_hashable, frozen_value))
    # Sorting compares names only, which differ; the type keeps true and 1 apart.
    return ("bool" if isinstance(value, bool) else "", frozen_value)


def _values(domain: Domain) -> Sequence[Any]:
    """All values of a domain. Raises ValueError where they are too many to list."""
    if not isinstance(domain, Continuous):
        return domain.values
    if (values := domain.few_values(_MOST_FLOATS)) is None:
        raise ValueError(f"all numbers between {domain.low!r} and {domain.high!r} cannot be listed")
    return values


def _is_endless(parameter: Parameter) -> bool:
    """Whether it has infinitely many values, whatever the others are."""
    depends = parameter.active_when is not None or any(condition.other for condition in parameter.conditions)
    return not depends and _number(parameter.domain) == math.inf


def _number(domain: Domain) -> Count:
    if not isinstance(domain, Continuous):
        return len(domain.values)
    values = domain.few_values(_MOST_FLOATS)
    return math.inf if values is None else len(values)


def _matters(space: SearchSpace, name: str, later: Sequence[Parameter]) -> bool:
    """Whether later parameters depend on the value of this one."""
    larger = space.larger(name)
    return any(p.name in larger or (p.active_when is not None and p.active_when.parameter == name) for p in later)


def _groups(
    space: SearchSpace, parameter: Parameter, domain: Domain, later: Sequence[Parameter]
) -> list[tuple[Value, Count]]:
    """Values of a parameter that are alike for all later ones, as one of them and how many there are."""
    number = _number(domain)
    if number == 0:
        return []
    if space.larger(parameter.name):
        # The lowest leaves the most room: where they are too many it stands for all.
        return [(value, 1) for value in _values(domain)] if number <= _MOST_VALUES else [(domain.low, math.inf)]
    ways = number ** (parameter.length or 1)
    switching: dict[Hashable, Value] = {
        _hashable(value): value
        for p in later
        if p.active_when is not None and p.active_when.parameter == parameter.name
        for value in p.active_when.values
        if identical(domain.nearest(value), value)  # type: ignore[arg-type]  # no interval and no list switches
    }
    if not switching:
        return [(domain.low, ways)]
    groups: list[tuple[Value, Count]] = [(value, 1) for value in switching.values()]
    others = (value for value in _values(domain) if _hashable(value) not in switching)
    return groups + ([(next(others), ways - len(groups))] if ways > len(groups) else [])
