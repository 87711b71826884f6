"""The search space: parameters, the conditions between them, and the map between values and the unit cube.

Decoding constructs values and never rejects any. Parameters that switch others on are decoded first; then those that
are compared, the smaller before the larger. Beforehand the highest values are propagated from the larger to the smaller
(below what the larger can reach), so that every value that is drawn leaves room for the later ones; each value that was
drawn then cuts the range of the next. What is left of a range is mapped onto [0, 1] again: 0 is its lowest possible
value and 1 its highest.
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

    `element` is the index in a list, None for other kinds. `categories` is the number of options if they have no order
    (2 for a bool); each has a cell along the coordinate, as wide as its weight. It is None where neighbours along the
    coordinate are alike.
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

    `constants` are values of train spec fields that are not searched but that conditions and activations may name.
    Whether any value exists is judged with all parameters present at once, although some may exclude each other.
    """

    parameters: tuple[Parameter, ...]
    constants: Mapping[str, Value] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))  # frozen: its own normalisation
        object.__setattr__(self, "constants", dict(self.constants))
        names: set[str] = set()
        for parameter in self.parameters:
            if parameter.name in names:
                raise SpaceError(f"the parameter {parameter.name} is given twice", advice="keep one of the two")
            if parameter.name in self.constants:
                advice = "remove it from the constants, or do not search it"
                raise SpaceError(f"{parameter.name} is both searched and constant", advice=advice)
            names.add(parameter.name)
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
        """The default values of the parameters that exist with them; they satisfy every condition.

        A parameter without a default takes the middle of the range that the other defaults leave it.
        """

        def choose(parameter: Parameter, domain: Domain) -> Value:
            if parameter.has_default:
                return thawed(parameter.default)
            return _values(parameter, domain, [0.5] * (parameter.length or 1))

        return self._walk(self._default_domains, choose)

    def decode(self, cube: Sequence[float]) -> dict[str, Value]:
        """The values at a point of the unit cube, for the parameters that exist there.

        `cube` has `size` coordinates from 0 to 1, both included. Every value satisfies its bounds and conditions, and a
        list is a list, not a tuple. Raises SpaceError for a wrong number of coordinates, and for one outside [0, 1].
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
        """All problems of these values, each in plain words; empty where there is none."""
        problems = []
        for name in values:
            if name not in self._by_name:
                near = nearest(name, self._by_name)
                problems.append(f"{name} is no parameter of this space{near and ' (' + near + ')'}")
        present: dict[str, Value] = {}
        for parameter in self.in_order:
            if parameter.name in values and self.exists(parameter, present):
                present[parameter.name] = values[parameter.name]
        for parameter in self.parameters:
            if not self.exists(parameter, present):
                if parameter.name in values:
                    problems.append(f"{parameter.name} exists only while {parameter.active_when}")
            elif parameter.name not in values:
                problems.append(f"{parameter.name} is missing")
            elif violations := parameter.violations(values[parameter.name]):
                problems.extend(violations)
            else:
                problems.extend(self._comparisons(parameter, present))
        return tuple(problems)

    def sample(self, rng: numpy.random.Generator) -> dict[str, Value]:
        """Values drawn at random: uniform in the unit cube."""
        return self.decode(rng.random(self.size).tolist())

    def _walk(self, domains: Mapping[str, Domain], choose: Callable[[Parameter, Domain], Value]) -> dict[str, Value]:
        """Chooses a value for each parameter that exists, in order, from what the earlier ones leave it."""
        chosen: dict[str, Value] = {}
        for parameter in self._switches:
            if self.exists(parameter, chosen):
                chosen[parameter.name] = choose(parameter, domains[parameter.name])
        existing = {p.name: p for p in self.in_order[len(self._switches) :] if self.exists(p, chosen)}
        open_domains = self._propagated(domains, existing)
        for name, parameter in existing.items():
            chosen[name] = choose(parameter, self._above_smaller(name, open_domains[name], chosen))
        return {p.name: chosen[p.name] for p in self.parameters if p.name in chosen}

    def range_beside(self, parameter: Parameter, chosen: Mapping[str, Value]) -> Domain:
        """What a parameter can take beside the constants and the smaller ones that are chosen; it may be empty."""
        return self._above_smaller(parameter.name, self._domains[parameter.name], chosen)

    def larger(self, name: str) -> tuple[str, ...]:
        """The parameters that a condition puts above this one."""
        return tuple(edge.larger for edge in self._above.get(name, ()))

    def _above_smaller(self, name: str, domain: Domain, chosen: Mapping[str, Value]) -> Domain:
        for edge in self._below.get(name, ()):
            if edge.smaller in chosen:
                smaller: Any = chosen[edge.smaller]
                domain = domain.above(smaller, edge.strict)
        return domain

    def _propagated(self, domains: Mapping[str, Domain], existing: Collection[str]) -> Mapping[str, Domain]:
        """The domains without the values that would leave a larger existing parameter nothing above them."""
        if not self._above:
            return domains
        propagated = dict(domains)
        for parameter in reversed(self.in_order):
            for edge in self._above.get(parameter.name, ()):
                if edge.larger in existing and parameter.name in existing:
                    highest = propagated[edge.larger].high
                    propagated[parameter.name] = propagated[parameter.name].below(highest, edge.strict)
            if propagated[parameter.name].empty:
                larger = " and ".join(edge.larger for edge in self._above[parameter.name])
                advice = f"lower {parameter.name} or raise {larger}: the range, or the default"
                raise SpaceError(f"no value of {parameter.name} leaves room for a larger {larger}", advice=advice)
        return propagated

    def exists(self, parameter: Parameter, present: Mapping[str, Value]) -> bool:
        """Whether a parameter exists, given these values of the parameters before it."""
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
            operand: Any = {**self.constants, **present}.get(condition.other or "")
            if not is_number(operand):
                continue  # `violations` checks comparisons with numbers; those with an absent parameter cannot break
            for element in value if parameter.kind == "list" else [value]:
                if not condition.holds(element, operand):
                    yield f"{parameter.name} is {element!r}, not {condition.words} (which is {operand!r})"

    def _checked(self, cube: Sequence[float]) -> list[float]:
        coordinates = [float(coordinate) for coordinate in cube]
        if len(coordinates) != self.size:
            raise SpaceError(f"{len(coordinates)} coordinates", allowed=f"{self.size}", advice="give one per dimension")
        for dimension, coordinate in zip(self._dimensions, coordinates, strict=True):
            if not -_ROUNDING <= coordinate <= 1 + _ROUNDING:
                problem = f"the coordinate {coordinate!r} of {dimension.parameter}"
                raise SpaceError(problem, allowed="0 ... 1", advice="give a point of the unit cube")
        return [min(max(coordinate, 0.0), 1.0) for coordinate in coordinates]

    @cached_property
    def _by_name(self) -> dict[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def _dimensions(self) -> tuple[Dimension, ...]:
        dimensions: list[Dimension] = []
        for parameter in self.parameters:
            unordered = parameter.kind in {"bool", "categorical"}
            categories = (len(parameter.options) or 2) if unordered else None
            if parameter.kind == "list":
                dimensions.extend(Dimension(parameter.name, element, None) for element in range(parameter.length or 0))
            else:
                dimensions.append(Dimension(parameter.name, None, categories))
        return tuple(dimensions)

    @cached_property
    def _starts(self) -> dict[str, int]:
        """The index of each parameter's first coordinate."""
        return {d.parameter: index for index, d in enumerate(self._dimensions) if not d.element}

    @cached_property
    def _edges(self) -> tuple[_Edge, ...]:
        is_strict: dict[tuple[str, str], bool] = {}
        for parameter in self.parameters:
            for condition in parameter.conditions:
                name = condition.other
                if name is not None and name in self._by_name:
                    ends = (parameter.name, name) if condition.operator in {"<", "<="} else (name, parameter.name)
                    is_strict[ends] = is_strict.get(ends, False) or condition.operator in {"<", ">"}
        return tuple(_Edge(smaller, larger, strict) for (smaller, larger), strict in is_strict.items())

    @cached_property
    def _above(self) -> dict[str, list[_Edge]]:
        return {name: [e for e in self._edges if e.smaller == name] for name in {e.smaller for e in self._edges}}

    @cached_property
    def _below(self) -> dict[str, list[_Edge]]:
        return {name: [e for e in self._edges if e.larger == name] for name in {e.larger for e in self._edges}}

    @cached_property
    def _switches(self) -> tuple[Parameter, ...]:
        """The parameters that switch others on, each before those that it switches on."""
        watched = {p.name: p.active_when.parameter for p in self.parameters if p.active_when}
        graph = {name: [switch] if switch in self._by_name else [] for name, switch in watched.items()}
        order = _sorted(graph, "exists only while")
        return tuple(self._by_name[name] for name in order if name in watched.values())

    @cached_property
    def in_order(self) -> tuple[Parameter, ...]:
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
        domains = dict(self._domains)
        for p in self.parameters:
            # the elements of a list are compared with constants only, which `check` does
            if p.has_default and p.kind != "list":
                domains[p.name] = self._beside_constants(p, Points((p.default,)), f"the default of {p.name}")
        return domains

    def _beside_constants(self, parameter: Parameter, domain: Domain, subject: str) -> Domain:
        """What is left of a domain after the comparisons with constants."""
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
        switching = self._by_name.get(switch.parameter)
        if switching is None:
            raise self._unknown(parameter, switch.parameter)
        if switching.kind in {"float", "list"}:
            advice = "let it depend on a bool, a categorical, an ordered or an int parameter"
            raise SpaceError(f"{parameter.name} depends on the {switching.kind} {switching.name}", advice=advice)
        for value in switch.values:
            if problems := switching.violations(value):
                advice = f"name values that {switching.name} can take"
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
        compared = self._by_name.get(condition.other)
        if compared is None:
            raise self._unknown(parameter, condition.other)
        if not (parameter.comparable and compared.comparable):
            advice = "remove the condition, or write it with a number"
            raise SpaceError(
                f"{where} compares a {parameter.kind} with a {compared.kind}", allowed="numbers", advice=advice
            )
        for switch in self._switches:
            if switch in (parameter, compared):
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
        names = [*self._by_name, *self.constants]
        advice = nearest(name, names) or f"search {name} too, or give its value among the constants"
        return SpaceError(f"{parameter.name} refers to {name}, which is neither searched nor constant", advice=advice)


def _values(parameter: Parameter, domain: Domain, coordinates: Sequence[float]) -> Value:
    """The value at the parameter's own coordinates: a list with an element for each, or a single value."""
    picked = [thawed(domain.pick(coordinate)) for coordinate in coordinates]
    return picked if parameter.kind == "list" else picked[0]


def _sorted(graph: Mapping[str, Sequence[str]], relation: str) -> tuple[str, ...]:
    """The names, each after those that it depends on."""
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = f" {relation} ".join(reversed(error.args[1]))
        raise SpaceError(f"the conditions go round in a circle: {circle}", advice="remove one of them") from error
