"""New values beside those of a training that goes on: each is moved by a fifth, or drawn anew with a chance of 1/4.

Jaderberg, Dalibard, Osindero, Czarnecki, Donahue, Razavi, Vinyals, Green, Dunning, Simonyan, Fernando & Kavukcuoglu:
Population Based Training of Neural Networks (2017), section 3.2 and appendix A: `perturb` multiplies by 1.2 or 0.8,
`resample` draws from the prior. Here a number of a linear range that is not above zero, which a factor may never leave,
is moved by at least a twentieth of its range; a whole number or an option with an order to the next one at least; and
an option without an order only by a new draw.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from automl.problem.conditions import Value, is_number
from automl.problem.domains import DIGITS, Continuous, Domain, Points
from automl.problem.parameter import Parameter
from automl.problem.search_space import SearchSpace

if TYPE_CHECKING:
    import numpy

RESAMPLED = 0.25  # the chance of a value to be drawn anew
_BY = 0.2  # the part of a value by which it is moved
_LEAST = 0.05  # of a range that is not above zero, by which a value in it is moved at least
_TRIES = 20  # draws that the conditions of a space may refuse, before the values stay what they are


def perturbed(
    space: SearchSpace, values: Mapping[str, Any], changeable: Collection[str], rng: numpy.random.Generator
) -> dict[str, Any]:
    """These values with those of the `changeable` parameters moved or drawn anew, feasible in `space`.

    A parameter that exists only with the new values gets its default, or a draw where it has none.
    """
    for _ in range(_TRIES):
        moved = _moved(space, values, changeable, rng)
        if not space.check(moved):
            return moved
    return dict(values)


def _moved(
    space: SearchSpace, values: Mapping[str, Any], changeable: Collection[str], rng: numpy.random.Generator
) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for parameter in space.in_order:
        if not space.exists(parameter, chosen):
            continue
        if parameter.name not in values:
            chosen[parameter.name] = _begun(parameter, rng)
        elif parameter.name in changeable:
            domain = space.range_beside(parameter, chosen)
            value = values[parameter.name]
            chosen[parameter.name] = value if domain.empty else _changed(parameter, domain, value, rng)
        else:
            chosen[parameter.name] = values[parameter.name]
    return {parameter.name: chosen[parameter.name] for parameter in space.parameters if parameter.name in chosen}


def _begun(parameter: Parameter, rng: numpy.random.Generator) -> Any:
    """The value of a parameter that did not exist before."""
    if parameter.has_default:
        return _plain(parameter.default)
    if parameter.kind == "list":
        return [parameter.domain.pick(rng.random()) for _ in range(parameter.length or 0)]
    return _plain(parameter.domain.pick(rng.random()))


def _changed(parameter: Parameter, domain: Domain, value: Any, rng: numpy.random.Generator) -> Any:
    draws_anew, goes_up = rng.random() < RESAMPLED, rng.random() < 0.5
    if parameter.kind == "list":
        return [_one(parameter, domain, each, rng if draws_anew else None, goes_up=goes_up) for each in value]
    return _one(parameter, domain, value, rng if draws_anew else None, goes_up=goes_up)


def _one(
    parameter: Parameter, domain: Domain, value: Value, rng: numpy.random.Generator | None, *, goes_up: bool
) -> Any:
    """One value, drawn anew by `rng`, or without it moved."""
    if rng is not None:
        return _plain(domain.pick(rng.random()))
    if isinstance(domain, Continuous):
        assert isinstance(value, int | float), "an interval holds numbers"
        return domain.nearest(float(f"{_target(domain.low, domain.high, value, goes_up=goes_up):.{DIGITS}g}"))
    if parameter.kind in {"bool", "categorical"}:
        return value
    return _plain(_in_steps(domain, value, goes_up=goes_up))


def _in_steps(domain: Points, value: Value, *, goes_up: bool) -> Any:
    """The point nearest to the value that a fifth more or less gives, and at least the next one."""
    beside = domain.beside(value, 1 if goes_up else -1)
    if not (is_number(value) and is_number(domain.low) and is_number(domain.high)):
        return beside
    assert isinstance(value, int | float), "it is a number"
    near = domain.nearest(_target(domain.low, domain.high, value, goes_up=goes_up))
    return max(near, beside) if goes_up else min(near, beside)


def _target(low: float, high: float, value: float, *, goes_up: bool) -> float:
    by = abs(value) * _BY
    if low <= 0:
        by = max(by, (high - low) * _LEAST)
    return value + by if goes_up else value - by


def _plain(value: Any) -> Any:
    """The value with lists in the place of tuples, as a record has them."""
    return list(value) if isinstance(value, tuple) else value
