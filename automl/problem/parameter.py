"""One searched field of a train spec: `Parameter`, its range or options."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from automl.errors import SpaceError, nearest
from automl.problem.conditions import Activation, Condition, Number, Value, identical, is_number, on_grid, repaired_name
from automl.problem.domains import MOST_POINTS, Domain, grid_domain, interval_domain, options_domain
from automl.problem.parameter_mapping import KINDS, arguments, frozen, our_keys, thawed

_NUMERIC = frozenset({"int", "float", "list"})
_LARGEST = 1e300  # beyond, the width of a range overflows
_CHANGEABLE = ("low", "high", "log", "step", "options", "weights", "default", "conditions")


@dataclass(frozen=True)
class Parameter:
    """A field of the train spec whose value is searched. Raises SpaceError where it contradicts itself.

    `name` is the dotted path into the train spec. `kind` is int, float, bool, categorical (options in no order),
    ordered (options in increasing order) or list. `default` is None where no default is known, and where it is null,
    one of the options (`has_default`). `low` and `high` belong to the range, and `step` makes it the grid low,
    low + step, ... `options` has at least one member, and `weights` holds the probabilities of the options, or of
    (False, True). `length` is the number of elements of a list; each is within low ... high, and a float where a bound
    or the default is one. All `conditions` hold, and the parameter exists only while `active_when` holds.
    """

    name: str
    kind: str
    default: Value = None
    low: Number | None = None
    high: Number | None = None
    log: bool = False
    step: Number | None = None
    options: tuple[Value, ...] = ()
    weights: tuple[float, ...] = ()
    length: int | None = None
    conditions: tuple[Condition, ...] = ()
    active_when: Activation | None = None

    def __post_init__(self) -> None:
        self._set("name", repaired_name(self.name))
        for key in ("options", "weights", "conditions", "default"):
            self._set(key, frozen(getattr(self, key)))
        self._check_kind()
        if self.kind in _NUMERIC:
            for key in ("low", "high", "step", "default"):
                self._set(key, self._typed(getattr(self, key)))
            self._check_range()
        else:
            self._check_options()
            self._check_weights()
        self._check_conditions()
        if self.domain.empty:
            conditions = ", ".join(condition.words for condition in self.conditions)
            raise self._error(
                f"no value of {self._range_words()} is {conditions or 'on the grid'}", advice="widen the range"
            )
        if self.default is not None and (violations := self.violations(self.default)):
            raise self._error(
                f"the default {thawed(self.default)!r} does not fit: {violations[0]}",
                advice="move the default into the range, or give none (the middle is taken then)",
            )

    @classmethod
    def from_mapping(cls, name: str, data: Mapping[str, object]) -> Parameter:
        """The parameter that a mapping describes, in our words or in those of TAO's tables.

        A key whose value is None counts as absent. Raises SpaceError for an unknown key (with the nearest name), a key
        in both spellings, and everything that the class itself refuses.
        """
        name = repaired_name(name)
        return cls(name, **arguments(name, data))

    def to_mapping(self) -> dict[str, Any]:
        """The parameter as JSON, without its name: `from_mapping(p.name, p.to_mapping()) == p`."""
        data: dict[str, Any] = {"kind": self.kind}
        for field in fields(self)[2:]:
            value = getattr(self, field.name)
            if value is not None and value != field.default:
                data[field.name] = thawed(value)
        if self.conditions:
            data["conditions"] = [str(condition) for condition in self.conditions]
        if self.active_when:
            values = [thawed(value) for value in self.active_when.values]
            data["active_when"] = {"parameter": self.active_when.parameter, "values": values}
        return data

    def replaced(self, changes: Mapping[str, object]) -> Parameter:
        """The parameter with a user's changes (low, high, log, step, options, weights, default, conditions).

        None removes a setting. Options for a number replace its range; new options remove the old weights. Where the
        old default no longer fits and `changes` has no new one, the default becomes the nearest value that fits (the
        first option, where options have no order).
        """
        replacements = our_keys(self.name, changes)
        for key in replacements:
            if key not in _CHANGEABLE:
                advice = nearest(key, _CHANGEABLE) or "write a parameter of your own for more"
                raise self._error(f"{key!r} cannot be changed", allowed=", ".join(_CHANGEABLE), advice=advice)
        kept = self.to_mapping()
        if replacements.get("options") is not None:
            for key in ("weights", "low", "high", "log", "step"):
                kept.pop(key, None)
        if "default" in replacements:
            return Parameter.from_mapping(self.name, kept | replacements)
        kept.pop("default", None)
        changed = Parameter.from_mapping(self.name, kept | replacements)
        return changed if self.default is None else replace(changed, default=changed.nearest(self.default))

    @cached_property
    def domain(self) -> Domain:
        """What a value (or each element of a list) is drawn from, as far as numbers alone decide it."""
        if self.kind == "bool":
            return options_domain((False, True), self.weights, ())
        if self.low is None or self.high is None:
            return options_domain(self.options, self.weights, self.conditions)
        spacing = 1 if self.step is None and self.whole else self.step
        if self._continuous:
            return interval_domain(self.low, self.high, self.log, self.conditions)
        points = grid_domain((self.low, self.high), spacing, self.log, self.whole, self.conditions)
        if points is None:
            raise self._error("the grid has too many values", allowed=f"{MOST_POINTS}", advice="give a larger step")
        return points

    @property
    def has_default(self) -> bool:
        """Whether there is a value to start from. null is one where it is an option and no other default is named."""
        return self.default is not None or None in self.options

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole: true for an int, and for a list in which nothing is a float."""
        elements = self.default if isinstance(self.default, tuple) else ()
        return self.kind == "int" or (
            self.kind == "list" and not any(isinstance(x, float) for x in (self.low, self.high, self.step, *elements))
        )

    @property
    def _continuous(self) -> bool:
        """Whether it is an interval of floats, without a grid, multiples or powers."""
        gridded = self.whole or self.step is not None or any(c.operator in {"/", "^"} for c in self.conditions)
        return self.kind in _NUMERIC and not gridded

    @property
    def comparable(self) -> bool:
        """Whether a value is one number, so that another parameter can be compared with it."""
        return self.kind in {"int", "float"} or (self.kind == "ordered" and all(map(is_number, self.options)))

    def violations(self, value: Value) -> tuple[str, ...]:
        """The problems of a value, in plain words, as far as this parameter alone decides; empty if it has none."""
        if self.kind == "bool":
            return () if isinstance(value, bool) else (f"{self.name} is {value!r}, neither true nor false",)
        if self.kind != "list":
            return tuple(self._element_violations(value))
        if not isinstance(value, list | tuple) or len(value) != self.length:
            return (f"{self.name} is {thawed(value)!r}, not a list of {self.length}",)
        return tuple(problem for element in value for problem in self._element_violations(element))

    def nearest(self, value: Value) -> Value:
        """The nearest value that can be drawn; the first option, where options have no order."""
        if not self.violations(value):
            return value
        if isinstance(value, list | tuple):
            return tuple(self.domain.nearest(element) for element in value) if self.kind == "list" else self.options[0]
        member: Value = self.domain.nearest(value)  # type: ignore[arg-type]  # an interval's old default is a number
        return member

    def _element_violations(self, value: Value) -> Iterable[str]:
        if self.options:
            if not any(identical(value, option) for option in self.options):
                near = nearest(str(value), map(str, self.options))
                yield f"{self.name} is {thawed(value)!r}, none of {thawed(self.options)}{near and ' (' + near + ')'}"
                return
        elif not isinstance(value, int if self.whole else int | float) or not is_number(value):
            yield f"{self.name} is {value!r}, not a {'whole' if self.whole else 'finite'} number"
            return
        elif not self._low <= value <= self._high:
            yield f"{self.name} is {value!r}, outside {self._range_words()}"
            return
        elif self.step is not None and not on_grid(value, self._low, self.step):
            yield f"{self.name} is {value!r}, not on the grid {self.low!r}, {self.low!r} + {self.step!r}, ..."
        for condition in self.conditions:
            bound = condition.operand
            if isinstance(value, int | float) and not isinstance(bound, str) and not condition.holds(value, bound):
                yield f"{self.name} is {value!r}, not {condition.words}"

    def _check_kind(self) -> None:
        if self.kind not in KINDS:
            advice = nearest(self.kind, KINDS) or "set its type"
            raise self._error(f"the kind {self.kind!r} is unknown", allowed=", ".join(KINDS), advice=advice)
        for key in sorted(frozenset().union(*KINDS.values()) - KINDS[self.kind]):
            if getattr(self, key) not in (None, (), False):
                can = ", ".join(kind for kind, keys in KINDS.items() if key in keys)
                advice = f"remove {key}, or set one of the kinds {can}"
                raise self._error(f"{key} says nothing about the kind {self.kind!r}", advice=advice)

    def _check_range(self) -> None:
        for key in ("low", "high", *(["step"] if self.step is not None else [])):
            bound = getattr(self, key)
            if bound is None or (isinstance(bound, float) and math.isinf(bound)):
                advice = f"give a finite {key}, such as default/100 for low or default*10 for high with log: true"
                raise self._error(f"{key} is {'missing' if bound is None else 'infinite'}", advice=advice)
            if not is_number(bound) or (self.whole and not isinstance(bound, int)):
                number = "a whole number" if self.whole else "a finite number"
                raise self._error(f"{key} is {bound!r}", allowed=number, advice=f"write {key} as {number}")
            if abs(bound) > (MOST_POINTS if self.whole else _LARGEST):
                allowed = f"up to {MOST_POINTS if self.whole else _LARGEST}"
                raise self._error(f"{key} is {bound!r}, too large", allowed=allowed, advice="narrow the range")
        if self._low > self._high:
            raise self._error(f"low {self.low!r} is above high {self.high!r}", advice="exchange the two bounds")
        if not isinstance(self.log, bool):
            raise self._error(f"log is {self.log!r}", allowed="true, false", advice="write log: true")
        if self.log and self._low <= 0:
            advice = "raise low above 0 (such as default/100), or remove log"
            raise self._error(f"a logarithmic range cannot start at {self.low!r}", advice=advice)
        if self.step is not None and self.step <= 0:
            raise self._error(f"step is {self.step!r}", allowed="a number above 0", advice="give the grid's spacing")
        if self.kind == "list" and (type(self.length) is not int or self.length < 1):
            advice = "give length: the number of elements"
            raise self._error(f"the list's length is {self.length!r}", allowed="1, 2, ...", advice=advice)

    def _check_options(self) -> None:
        if self.kind == "bool":
            return
        if not self.options:
            raise self._error("no options are given", advice="list at least one: options: [a, b]")
        for index, option in enumerate(self.options):
            for scalar in option if isinstance(option, tuple) else (option,):
                if not (scalar is None or isinstance(scalar, str | bool) or is_number(scalar)):
                    allowed, advice = "text, finite numbers, true, false, null", "remove it from the options"
                    raise self._error(f"{scalar!r} cannot be an option", allowed=allowed, advice=advice)
            if any(identical(option, earlier) for earlier in self.options[:index]):
                raise self._error(f"the option {thawed(option)!r} is given twice", advice="keep one of the two")
        numbers: list[Any] = [option for option in self.options if is_number(option)]
        if self.kind == "ordered" and len(numbers) == len(self.options) and numbers != sorted(numbers):
            advice = f"write them as {sorted(numbers)}, or set kind: categorical"
            raise self._error(f"the ordered options {numbers} do not increase", advice=advice)

    def _check_weights(self) -> None:
        if not self.weights:
            return
        count = 2 if self.kind == "bool" else len(self.options)
        if len(self.weights) != count:
            raise self._error(f"{len(self.weights)} weights for {count} options", advice="give one weight per option")
        for weight in self.weights:
            if not is_number(weight) or weight < 0:
                raise self._error(f"the weight {weight!r}", allowed="0 and above", advice="give a share per option")
        if not 0 < math.fsum(self.weights) < math.inf:
            raise self._error(f"the weights sum to {sum(self.weights)}", advice="make at least one weight above 0")

    def _check_conditions(self) -> None:
        if self.conditions and not self.comparable and self.kind != "list":
            advice = "remove the condition, or give numbers as options"
            raise self._error(f"the condition {self.conditions[0]} needs numbers to compare", advice=advice)
        for condition in self.conditions:
            bound = condition.operand
            if condition.other == self.name:
                raise self._error(f"the condition {condition} compares it with itself", advice="name another parameter")
            if not self.log or not self._continuous or isinstance(bound, str):
                continue
            # On a linear range a margin excludes the bound itself; in log space a margin of the range means nothing.
            if condition.operator == ">" and bound >= self._low:
                advice = f"start the range above {bound!r}: raise low"
            elif condition.operator == "<" and bound <= self._high:
                advice = f"end the range below {bound!r}: lower high"
            else:
                continue
            raise self._error(f"the logarithmic range {self._range_words()} is not {condition.words}", advice=advice)

    @property
    def _low(self) -> Number:
        assert self.low is not None, "checked when made"
        return self.low

    @property
    def _high(self) -> Number:
        assert self.high is not None, "checked when made"
        return self.high

    def _range_words(self) -> str:
        return f"{thawed(self.options)}" if self.options else f"{self.low!r} ... {self.high!r}"

    def _typed(self, value: Any) -> Any:
        """A number in the parameter's own type: 2 for a float is 2.0, 2.0 for an int is 2."""
        if isinstance(value, tuple):
            return tuple(self._typed(element) for element in value)
        if not is_number(value):
            return value
        if self.whole:
            return int(value) if value == int(value) else value
        return float(value)

    def _error(self, problem: str, *, allowed: str = "", advice: str = "") -> SpaceError:
        return SpaceError(f"{self.name}: {problem}", allowed=allowed, advice=advice)

    def _set(self, key: str, value: object) -> None:
        object.__setattr__(self, key, value)  # the class is frozen; this is its own normalisation, before any use
