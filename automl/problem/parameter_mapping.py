"""What a user or TAO's tables write for one parameter, turned into the arguments of `Parameter`.

TAO's spellings (type, min, max, math_cond, depends_on, valid_options, option_weights; integer, ordered_int, list_2) end
here: the rest of the package has one word for each thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from automl.errors import SpaceError, nearest
from automl.problem.conditions import Activation, Condition, Value, as_number, repaired_name

T = TypeVar("T")

# The keys that each kind may have besides its default and active_when.
_RANGE = frozenset({"low", "high", "log", "step", "conditions"})
KINDS: dict[str, frozenset[str]] = {
    "int": _RANGE,
    "float": _RANGE,
    "bool": frozenset({"weights"}),
    "categorical": frozenset({"options", "weights"}),
    "ordered": frozenset({"options", "weights", "conditions"}),
    "list": _RANGE | {"length"},
}
_TAO_KINDS = {"integer": "int", "boolean": "bool", "string": "categorical", "ordered_int": "ordered"}
_TAO_KEYS = {
    "type": "kind",
    "min": "low",
    "max": "high",
    "valid_options": "options",
    "option_weights": "weights",
    "math_cond": "conditions",
}
_OUR_KEYS = (*sorted(_RANGE), "kind", "default", "options", "weights", "length", "active_when")
_IGNORED_KEYS = frozenset({"parent", "parent_param"})  # how TAO marks the other side of a depends_on: it adds nothing


def arguments(name: str, data: Mapping[str, object]) -> dict[str, Any]:
    """The arguments of `Parameter` except its name; a key whose value is None counts as absent."""
    settings = {key: value for key, value in our_keys(name, data).items() if value is not None}
    kind = settings.pop("kind", None)
    if isinstance(kind, str) and kind.startswith("list_"):  # TAO: list_2, list_1_backbone
        settings.setdefault("length", as_number(kind.split("_")[1]))
        kind = "list"
    kind = _TAO_KINDS.get(kind, kind) if isinstance(kind, str) else kind
    if not isinstance(kind, str) or kind not in KINDS:
        problem = f"the type {kind!r} is unknown" if kind is not None else "no type is given"
        advice = nearest(str(kind), KINDS) or "set its type"
        raise SpaceError(f"{name}: {problem}", allowed=", ".join(KINDS), advice=advice)
    for key in ("low", "high", "step", "length"):
        if key in settings:
            settings[key] = as_number(settings[key])
    if kind in {"int", "float", "list"} and "default" in settings:
        default = settings["default"]
        settings["default"] = [*map(as_number, default)] if isinstance(default, list | tuple) else as_number(default)
    for key in ("conditions", "options", "weights"):
        if key in settings:
            settings[key] = tuple(_listed(name, key, settings[key]))
    if kind == "bool":
        _drop_what_a_bool_implies(settings)
    if kind in {"int", "float"} and settings.get("options"):
        kind = _fold_range_into_options(name, kind, settings)
    settings["conditions"] = tuple(_naming(name, _condition, item) for item in settings.get("conditions", ()))
    if "active_when" in settings:
        settings["active_when"] = _naming(name, _activation, settings["active_when"])
    if kind == "list" and "length" not in settings and isinstance(settings.get("default"), list):
        settings["length"] = len(settings["default"])
    return {"kind": kind, **settings}


def our_keys(name: str, data: Mapping[str, object]) -> dict[str, Any]:
    """The same settings under our keys, with depends_on turned into conditions and active_when.

    Raises SpaceError for an unknown key, a key in both spellings, and the name of another parameter.
    """
    if not isinstance(data, Mapping):
        raise SpaceError(f"{name} is {data!r}", allowed="a mapping", advice="write {type: float, min: 0, max: 1}")
    settings: dict[str, Any] = {}
    for key, value in data.items():
        ours = _TAO_KEYS.get(key, key)
        if key == "name":
            if not isinstance(value, str) or repaired_name(value) != name:
                raise SpaceError(f"{name}: the name inside says {value!r}", advice="give one name")
        elif ours in settings:
            raise SpaceError(f"{name}: {key!r} stands beside {ours!r}", advice="keep one of the two spellings")
        elif ours in _OUR_KEYS:
            settings[ours] = value
        elif key not in _IGNORED_KEYS | {"depends_on"}:
            all_keys = (*_OUR_KEYS, *_TAO_KEYS, "depends_on")
            advice = nearest(str(key), all_keys) or "remove it"
            raise SpaceError(f"{name}: the key {key!r} is unknown", allowed=", ".join(all_keys), advice=advice)
    return _dissolved(name, settings, data.get("depends_on"))


def _dissolved(name: str, settings: dict[str, Any], depends_on: object) -> dict[str, Any]:
    """TAO's depends_on: "< other", "optimizer == sgd", or a bare name that math_cond "> depends_on" refers to.

    A bare name that no math_cond refers to is TAO's hint about the order of drawing, and has no effect here.
    """
    if depends_on is not None and not isinstance(depends_on, str):
        allowed, advice = '"< other", "optimizer == sgd"', "write depends_on as one text"
        raise SpaceError(f"{name}: depends_on is {depends_on!r}", allowed=allowed, advice=advice)
    conditions = _listed(name, "conditions", settings.get("conditions") or ())
    text = (depends_on or "").strip()
    if text[:1] in {"<", ">", "/", "^"}:
        conditions = [*conditions, text]
    elif "==" in text or " in " in text:
        if settings.get("active_when") is not None:
            raise SpaceError(f"{name}: depends_on stands beside active_when", advice="keep one of the two")
        settings["active_when"] = text
    elif text:
        repaired_name(text)
        conditions = [c.replace("depends_on", text) if isinstance(c, str) else c for c in conditions]
    if any(isinstance(c, str) and c.split()[-1:] == ["depends_on"] for c in conditions):
        raise SpaceError(f"{name}: math_cond refers to depends_on", advice='add depends_on: "the.other.parameter"')
    if conditions:
        settings["conditions"] = conditions
    return settings


def _fold_range_into_options(name: str, kind: str, settings: dict[str, Any]) -> str:
    """Turns a number with options into an ordered parameter; its bounds must contain all options, and are removed."""
    options = settings["options"] = tuple(map(as_number, settings["options"]))
    if kind == "float":
        options = settings["options"] = tuple(float(o) if type(o) is int else o for o in options)
        if type(settings.get("default")) is int:
            settings["default"] = float(settings["default"])
    low, high = settings.pop("low", None), settings.pop("high", None)
    for option in options:
        if isinstance(option, bool) or not isinstance(option, int if kind == "int" else float):
            raise SpaceError(f"{name}: the option {option!r} is no {kind}", advice="set type: categorical for texts")
        if (low is not None and option < low) or (high is not None and option > high):
            advice = "remove the option, or the bounds"
            raise SpaceError(f"{name}: the option {option!r} lies outside {low} ... {high}", advice=advice)
    return "ordered"


def _drop_what_a_bool_implies(settings: dict[str, Any]) -> None:
    """TAO's tables give some bools the options [true, false] or the range 0 ... 1, which are what a bool is anyway."""
    options = settings.get("options", ())
    if len(options) == 2 and options[0] is not options[1] and all(isinstance(option, bool) for option in options):
        if options[0] and "weights" in settings:
            # they are in the order of the options; ours is (False, True)
            settings["weights"] = settings["weights"][::-1]
        del settings["options"]
    if (settings.get("low"), settings.get("high")) == (0, 1):
        del settings["low"], settings["high"]


def _listed(name: str, key: str, value: object) -> list[Any]:
    """The items of a list; a single condition need not be in one."""
    if key == "conditions" and isinstance(value, str | Condition):
        return [value]
    if not isinstance(value, list | tuple):
        raise SpaceError(f"{name}: {key} is {value!r}", allowed="a list", advice=f"write {key}: [...]")
    return list(value)


def _condition(item: object) -> Condition:
    return item if isinstance(item, Condition) else Condition.parse(str(item))


def _activation(item: object) -> Activation:
    if isinstance(item, Activation):
        return item
    if isinstance(item, Mapping) and set(item) == {"parameter", "values"} and isinstance(item["values"], list | tuple):
        values: Iterable[Any] = item["values"]
        return Activation(repaired_name(str(item["parameter"])), tuple(map(frozen, values)))
    return Activation.parse(str(item))


def frozen(value: Any) -> Any:
    """The value with its lists turned into tuples."""
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


def thawed(value: Value) -> Value:
    """The value with its tuples turned into lists, as JSON has them."""
    return list(map(thawed, value)) if isinstance(value, list | tuple) else value


def _naming(name: str, read: Callable[[Any], T], item: object) -> T:
    """What `read` returns for an item; an error names the parameter."""
    try:
        return read(item)
    except SpaceError as error:
        raise SpaceError(f"{name}: {error.given}", allowed=error.allowed, advice=error.advice) from error
