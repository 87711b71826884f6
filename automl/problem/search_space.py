"""The search space: parameters, the conditions between them, and the map between values and the unit cube.

Decoding constructs, it never rejects. Parameters that switch others on are decoded first; then the compared ones, the
smaller before the larger. Highest values are propagated beforehand from the larger to the smaller (below what the
larger can reach), so that every value that is drawn leaves room for those still to come; a value already drawn then
cuts the range of the next. What is left of each range is mapped onto [0, 1] again: 0 is the lowest and 1 the highest
value that is possible there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from automl.errors import DefaultsContradict, SpaceError, nearest
from automl.problem.conditions import Activation, Condition, Value, is_number
from automl.problem.domains import Domain, Points
from automl.problem.parameter import Parameter
from automl.problem.parameter_mapping import thawed

if TYPE_CHECKING:
    import numpy

__all__ = ["Activation", "Condition", "Dimension", "Parameter", "SearchSpace", "Value"]

_ROUNDING = 1e-9  # how far outside [0, 1] a coordinate may lie: an optimiser's own rounding

Cube = tuple[float, ...]  # a configuration in the unit cube, a coordinate for each dimension


@dataclass(frozen=True)
class Dimension:
    """One coordinate of the unit cube.

    element: the place in a list, None elsewhere. categories: the number of options without order (2 for a bool), in
    cells along the coordinate that are as wide as their weights; None where neighbours along the coordinate are alike.
    """

    parameter: str
    element: int | None
    categories: int | None


@dataclass(frozen=True)
class _Edge:
    """An inequality between two parameters, the smaller one first."""

    smaller: str
    larger: str
    strict: bool


@dataclass(frozen=True)
class SearchSpace:
    """What is searched. Raises SpaceError for a space in which no value, or not every default, can exist.

    constants: values of train spec fields that are not searched but that conditions and activations may name.
    Whether a value exists at all is judged with all parameters present at once, although some may exclude each other.
    """

    parameters: tuple[Parameter, ...]
    constants: Mapping[str, Value] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))  # frozen: its own normalisation
        object.__setattr__(self, "constants", dict(self.constants))
        seen: set[str] = set()
        for parameter in self.parameters:
            if parameter.name in seen:
                raise SpaceError(f"the parameter {parameter.name} stands twice", advice="keep one of the two")
            if parameter.name in self.constants:
                advice = "remove it from the constants, or do not search it"
                raise SpaceError(f"{parameter.name} is both searched and constant", advice=advice)
            seen.add(parameter.name)
        for parameter in self.parameters:
            self._check_activation(parameter)
            for condition in parameter.conditions:
                self._check_condition(parameter, condition)
        self._propagated(self._domains, self._by_name)
        self._check_defaults()

    @property
    def size(self) -> int:
        """The number of unit-cube coordinates: one for a parameter, k for a list of k."""
        return len(self.dimensions())

    def dimensions(self) -> tuple[Dimension, ...]:
        """What each coordinate means, in the order of the parameters."""
        return self._dimensions

    def defaults(self) -> dict[str, Value]:
        """The values of a start without search; they satisfy every condition. Only those that exist then.

        A parameter without a default takes the middle of what the other defaults leave to it.
        """

        def choose(parameter: Parameter, domain: Domain) -> Value:
            if parameter.default is not None:
                return thawed(parameter.default)
            return _values(parameter, domain, [0.5] * (parameter.length or 1))

        return self._walk(self._default_domains, choose)

    def decode(self, cube: Sequence[float]) -> dict[str, Value]:
        """The values at a point of the unit cube, for the parameters that exist there.

        cube: `size` coordinates from 0 to 1, both included. Every value satisfies its bounds and conditions; lists
        come out as lists. Raises SpaceError for a wrong number of coordinates, and for one outside [0, 1].
        """
        coordinates = self._checked(cube)

        def choose(parameter: Parameter, domain: Domain) -> Value:
            start = self._starts[parameter.name]
            return _values(parameter, domain, coordinates[start : start + (parameter.length or 1)])

        return self._walk(self._domains, choose)

    def encode(self, values: Mapping[str, Value]) -> Cube:
        """The point of the unit cube that decodes to these values; the centre of the cell of a discrete one.

        `decode(encode(v)) == v` for every v that `decode` can produce; other valid values (a float with more digits)
        go to the nearest point. Coordinates of parameters that do not exist are 0.5. Raises SpaceError where `check`
        finds anything.
        """
        if problems := self.check(values):
            advice = "give values that the space allows"
            raise SpaceError(f"the values do not belong to the space: {problems[0]}", advice=advice)
        cube = [0.5] * self.size

        def choose(parameter: Parameter, domain: Domain) -> Value:
            value = values[parameter.name]
            start = self._starts[parameter.name]
            elements: Any = value if parameter.kind == "list" else [value]
            cube[start : start + len(elements)] = [domain.place(element) for element in elements]
            return value

        self._walk(self._domains, choose)
        return tuple(cube)

    def check(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """Everything that is wrong with these values, each in plain words; empty: nothing."""
        problems = []
        for name in values:
            if name not in self._by_name:
                near = nearest(name, self._by_name)
                problems.append(f"{name} is no parameter of this space{near and ' (' + near + ')'}")
        present: dict[str, Value] = {}
        for parameter in self._in_order:
            if parameter.name in values and self._exists(parameter, present):
                present[parameter.name] = values[parameter.name]
        for parameter in self.parameters:
            if not self._exists(parameter, present):
                if parameter.name in values:
                    problems.append(f"{parameter.name} exists only while {parameter.active_when}")
            elif parameter.name not in values:
                problems.append(f"{parameter.name} is missing")
            elif found := parameter.violations(values[parameter.name]):
                problems.extend(found)
            else:
                problems.extend(self._comparisons(parameter, present))
        return tuple(problems)

    def sample(self, rng: numpy.random.Generator) -> dict[str, Value]:
        """Values drawn at random: uniform in the unit cube."""
        return self.decode(rng.random(self.size).tolist())

    def _walk(self, domains: Mapping[str, Domain], choose: Callable[[Parameter, Domain], Value]) -> dict[str, Value]:
        """Choose a value for each parameter that exists, in order, each from what the earlier ones leave to it."""
        chosen: dict[str, Value] = {}
        for parameter in self._switches:
            if self._exists(parameter, chosen):
                chosen[parameter.name] = choose(parameter, domains[parameter.name])
        existing = {p.name: p for p in self._in_order[len(self._switches) :] if self._exists(p, chosen)}
        open_domains = self._propagated(domains, existing)
        for name, parameter in existing.items():
            domain = open_domains[name]
            for edge in self._below.get(name, ()):
                if edge.smaller in chosen:
                    smaller: Any = chosen[edge.smaller]
                    domain = domain.above(smaller, edge.strict)
            chosen[name] = choose(parameter, domain)
        return {p.name: chosen[p.name] for p in self.parameters if p.name in chosen}

    def _propagated(self, domains: Mapping[str, Domain], existing: Collection[str]) -> Mapping[str, Domain]:
        """The domains without the values that would leave a larger existing parameter nothing above them."""
        if not self._above:
            return domains
        out = dict(domains)
        for parameter in reversed(self._in_order):
            for edge in self._above.get(parameter.name, ()):
                if edge.larger in existing and parameter.name in existing:
                    out[parameter.name] = out[parameter.name].below(out[edge.larger].high, edge.strict)
            if out[parameter.name].empty:
                larger = " and ".join(edge.larger for edge in self._above[parameter.name])
                advice = f"lower {parameter.name} or raise {larger}: the range, or the default"
                raise SpaceError(f"no value of {parameter.name} leaves room for a larger {larger}", advice=advice)
        return out

    def _exists(self, parameter: Parameter, present: Mapping[str, Value]) -> bool:
        """Whether a parameter exists beside these values of those that come before it."""
        switch = parameter.active_when
        if switch is None:
            return True
        if switch.parameter in self.constants:
            return switch.holds(self.constants[switch.parameter])
        return switch.parameter in present and switch.holds(present[switch.parameter])

    def _comparisons(self, parameter: Parameter, present: Mapping[str, Value]) -> Iterable[str]:
        """The comparisons with other existing parameters and constants that a value breaks."""
        value: Any = present[parameter.name]
        for condition in parameter.conditions:
            other: Any = {**self.constants, **present}.get(condition.other or "")
            if not is_number(other):
                continue  # a number is the parameter's own affair; beside what does not exist there is nothing to break
            for element in value if parameter.kind == "list" else [value]:
                if not condition.holds(element, other):
                    yield f"{parameter.name} is {element!r}, not {condition.words} (which is {other!r})"

    def _checked(self, cube: Sequence[float]) -> list[float]:
        coordinates = [float(coordinate) for coordinate in cube]
        if len(coordinates) != self.size:
            raise SpaceError(f"{len(coordinates)} coordinates", allowed=f"{self.size}", advice="give one per dimension")
        for dimension, coordinate in zip(self._dimensions, coordinates, strict=True):
            if not -_ROUNDING <= coordinate <= 1 + _ROUNDING:
                given = f"the coordinate {coordinate!r} of {dimension.parameter}"
                raise SpaceError(given, allowed="0 ... 1", advice="give a point of the unit cube")
        return [min(max(coordinate, 0.0), 1.0) for coordinate in coordinates]

    @cached_property
    def _by_name(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def _dimensions(self) -> tuple[Dimension, ...]:
        found: list[Dimension] = []
        for parameter in self.parameters:
            unordered = parameter.kind in {"bool", "categorical"}
            categories = (len(parameter.options) or 2) if unordered else None
            if parameter.kind == "list":
                found.extend(Dimension(parameter.name, element, None) for element in range(parameter.length or 0))
            else:
                found.append(Dimension(parameter.name, None, categories))
        return tuple(found)

    @cached_property
    def _starts(self) -> dict[str, int]:
        """The place of each parameter's first coordinate."""
        return {d.parameter: place for place, d in enumerate(self._dimensions) if not d.element}

    @cached_property
    def _edges(self) -> tuple[_Edge, ...]:
        found: dict[tuple[str, str], bool] = {}
        for parameter in self.parameters:
            for condition in parameter.conditions:
                other = condition.other
                if other is not None and other in self._by_name:
                    ends = (parameter.name, other) if condition.operator in {"<", "<="} else (other, parameter.name)
                    found[ends] = found.get(ends, False) or condition.operator in {"<", ">"}
        return tuple(_Edge(smaller, larger, strict) for (smaller, larger), strict in found.items())

    @cached_property
    def _above(self) -> dict[str, list[_Edge]]:
        return {name: [e for e in self._edges if e.smaller == name] for name in {e.smaller for e in self._edges}}

    @cached_property
    def _below(self) -> dict[str, list[_Edge]]:
        return {name: [e for e in self._edges if e.larger == name] for name in {e.larger for e in self._edges}}

    @cached_property
    def _switches(self) -> tuple[Parameter, ...]:
        """The parameters that others' existence hangs on, each before those that hang on it."""
        watched = {p.name: p.active_when.parameter for p in self.parameters if p.active_when}
        graph = {name: [switch] if switch in self._by_name else [] for name, switch in watched.items()}
        order = _sorted(graph, "exists only while")
        return tuple(self._by_name[name] for name in order if name in watched.values())

    @cached_property
    def _in_order(self) -> tuple[Parameter, ...]:
        """All parameters as they are decoded: switches first, then the smaller before the larger."""
        graph: dict[str, list[str]] = {parameter.name: [] for parameter in self.parameters}
        for edge in self._edges:
            graph[edge.larger].append(edge.smaller)
        order = [self._by_name[name] for name in _sorted(graph, "is above")]
        return (*self._switches, *(parameter for parameter in order if parameter not in self._switches))

    @cached_property
    def _domains(self) -> dict[str, Domain]:
        return {p.name: self._beside_constants(p, p.domain, f"no value of {p.name}") for p in self.parameters}

    @cached_property
    def _default_domains(self) -> dict[str, Domain]:
        """Each parameter's default as the only value that it can take; all values where it has none."""
        out = dict(self._domains)
        for p in self.parameters:
            if p.default is not None and p.kind != "list":  # a list's elements meet nothing but constants: see check
                out[p.name] = self._beside_constants(p, Points((p.default,)), f"the default of {p.name}")
        return out

    def _beside_constants(self, parameter: Parameter, domain: Domain, subject: str) -> Domain:
        """What the comparisons with constants leave of a domain."""
        for condition in parameter.conditions:
            bound: Any = self.constants.get(condition.other) if condition.other else None
            if bound is None:
                continue
            cut = domain.above if condition.operator in {">", ">="} else domain.below
            domain = cut(bound, condition.operator in {"<", ">"})
            if domain.empty:
                advice = f"change its range or default, or the constant {condition.other}"
                raise SpaceError(f"{subject} is {condition.words}, which is {bound!r}", advice=advice)
        return domain

    def _check_activation(self, parameter: Parameter) -> None:
        switch = parameter.active_when
        if switch is None or switch.parameter in self.constants:
            return
        other = self._by_name.get(switch.parameter)
        if other is None:
            raise self._unknown(parameter, switch.parameter)
        if other.kind in {"float", "list"}:
            advice = "let it depend on a bool, a categorical, an ordered or an int parameter"
            raise SpaceError(f"{parameter.name} depends on the {other.kind} {other.name}", advice=advice)
        for value in switch.values:
            if problems := other.violations(value):
                advice = f"name values that {other.name} can take"
                raise SpaceError(f"{parameter.name} depends on a value that never comes: {problems[0]}", advice=advice)

    def _check_condition(self, parameter: Parameter, condition: Condition) -> None:
        if condition.other is None:
            return
        where = f"{parameter.name}: the condition {condition}"
        if condition.other in self.constants:
            constant = self.constants[condition.other]
            if not is_number(constant):
                advice = "compare with a field that is a number"
                raise SpaceError(f"{where} compares with {constant!r}", allowed="a finite number", advice=advice)
            return
        other = self._by_name.get(condition.other)
        if other is None:
            raise self._unknown(parameter, condition.other)
        if not (parameter.comparable and other.comparable):
            advice = "remove the condition, or write it with a number"
            raise SpaceError(
                f"{where} compares a {parameter.kind} with a {other.kind}", allowed="numbers", advice=advice
            )
        for switch in self._switches:
            if switch in (parameter, other):
                advice = f"compare {switch.name} with numbers only, or let nothing depend on it"
                raise SpaceError(f"{where} compares {switch.name}, which switches others on", advice=advice)

    def _check_defaults(self) -> None:
        try:
            problems = self.check(self.defaults())
        except SpaceError as error:
            raise DefaultsContradict(error.given, allowed=error.allowed, advice=error.advice) from error
        if problems:
            raise DefaultsContradict(problems[0], advice="change the default")

    def _unknown(self, parameter: Parameter, name: str) -> SpaceError:
        known = [*self._by_name, *self.constants]
        advice = nearest(name, known) or f"search {name} too, or give its value among the constants"
        return SpaceError(f"{parameter.name} refers to {name}, which is neither searched nor constant", advice=advice)


def _values(parameter: Parameter, domain: Domain, coordinates: Sequence[float]) -> Value:
    """The value at the parameter's own coordinates: a list of as many, or one value."""
    picked = [thawed(domain.pick(coordinate)) for coordinate in coordinates]
    return picked if parameter.kind == "list" else picked[0]


def _sorted(graph: Mapping[str, Sequence[str]], relation: str) -> tuple[str, ...]:
    """Names in an order in which each comes after those that it waits for."""
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = f" {relation} ".join(reversed(error.args[1]))
        raise SpaceError(f"the conditions go round in a circle: {circle}", advice="remove one of them") from error
