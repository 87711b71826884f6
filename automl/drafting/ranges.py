"""A sensible range for a parameter, by its name and the value that its user gave it.

Rates and decays are searched on a logarithmic scale around the value; sizes by powers of two; a share between 0 and 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from automl.drafting.draft import Searched, number
from automl.drafting.names import plain

Value = Any  # a literal of a command line or a source
Range = tuple[dict[str, Any], str]


def guess(name: str, value: Value, choices: Sequence[str] = (), *, is_float: bool = False) -> Searched | None:
    """The parameter with a range; None where neither name nor value says what to try.

    `value` is the default, None where it is not known; `choices` are all values that the program takes; `is_float`
    says that it takes fractions.
    """
    if choices:
        return _of_choices(name, value, choices)
    if value is not None and (type(value) not in {int, float} or not abs(value) < 1e300):
        return None
    if is_float and isinstance(value, int):
        value = float(value)
    row = _by_name(name, value)
    if row is None and value is not None:
        row = _by_value(value)
    if row is None:
        return None
    settings, why = row
    if value is not None and "default" not in settings:
        settings = {**settings, "default": value}
    return Searched(name, settings, why)


def is_known(name: str) -> bool:
    """Whether the name alone says what range a parameter has."""
    return _kind(name) is not None


def _of_choices(name: str, value: Value, choices: Sequence[str]) -> Searched:
    options: list[Any] = list(choices)
    kinds: dict[str, type] = {"int": int, "float": float}
    for kind in kinds.values():
        try:
            options = [kind(choice) for choice in choices]
            break
        except ValueError:
            continue
    row: dict[str, Any] = {"options": options}
    if value in options:
        row["default"] = value
    return Searched(name, row, "all that the program takes")


def _kind(name: str) -> str | None:
    return next((kind for kind, pattern in _NAMES.items() if re.fullmatch(pattern, plain(name))), None)


def _by_name(name: str, value: int | float | None) -> Range | None:
    kind = _kind(name)
    return _RANGES[kind](value) if kind is not None else None


def _rate(value: float | None) -> Range | None:
    if value is None:
        return {"low": 1e-5, "high": 0.1, "log": True}, "a rate"
    if value <= 0:
        return None
    return _magnitudes(value, 2, 1), "a rate: from a hundredth of the value to ten times it"


def _decay(value: float | None) -> Range | None:
    if not value:
        return {"options": [0.0, 1e-5, 1e-4, 1e-3, 1e-2], "default": 0.0}, "a decay, and none"
    return (
        (_magnitudes(value, 2, 2), "a decay: from a hundredth of the value to a hundred times it")
        if value > 0
        else None
    )


def _magnitudes(value: float, below: int, above: int) -> dict[str, Any]:
    """From so many powers of ten below the value to so many above."""
    power = round(math.log10(value))
    low, high = float(f"1e{power - below}"), float(f"1e{power + above}")
    return {"low": low, "high": max(1.0, value) if value < 1 < high else high, "log": True}


def _powers(value: float | None) -> Range | None:
    if value is None:
        return {"options": [16, 32, 64, 128]}, "powers of two"
    if value != int(value) or value < 1:
        return None
    around = 2 ** round(math.log2(value))
    options = sorted({max(1, around * 2**power // 4) for power in range(5)} | {int(value)})
    return {"options": options, "default": int(value)}, "powers of two around the value"


def _between(low: float, high: float, why: str) -> Callable[[float | None], Range | None]:
    def row(value: float | None) -> Range | None:
        if value is not None and not 0 <= value <= 1:
            return None
        bounds = {"low": low if value is None else min(low, float(value)), "high": high}
        if value is not None and value > high:
            bounds["high"] = 1.0
        return bounds, why

    return row


def _count(value: float | None) -> Range | None:
    if value is None:
        return {"low": 1, "high": 6}, "a small number"
    return ({"low": 1, "high": max(2, int(value) * 2)}, "up to twice the value") if value >= 1 else None


def _positive(value: float | None) -> Range | None:
    if value is None or value <= 0:
        return None
    return _magnitudes(float(value), 1, 1), "from a tenth of the value to ten times it"


def _by_value(value: int | float) -> Range | None:
    why = "by its value alone: check it"
    if isinstance(value, int):
        if value < 1:
            return None
        row: dict[str, Any] = {"low": max(1, value // 4), "high": max(4, value * 4)}
        return ({**row, "log": True} if value >= 16 else row), why
    if 0 <= value <= 1:
        return ({"low": 0.0, "high": 1.0} if value == 0 or value >= 0.1 else _magnitudes(value, 1, 1)), why
    return (_magnitudes(value, 1, 1), why) if value > 1 else None


_NAMES: Mapping[str, str] = {  # a kind -> the names that are of it; the first counts
    "decay": r"weight_decay|wd|l[12]|l[12]_.*|.*_(l[12]|wd|weight_decay)|reg(_lambda|_alpha)?|(.*_)?lambda_?|decay",
    "high share": r"(adam_)?(beta_?[12]?|momentum_decay)|(ema|lr|learning_rate)_(decay|gamma)(_rate)?|decay_rate|"
    r"gamma|ema|rho",
    "rate": r"(.*_)?(lr|learning_?rate)\d?|(lr|learning_?rate)_.*|eta|step_size|alpha_lr",
    "momentum": r"(.*_)?momentum",
    "dropout": r"(.*_)?(dropout|drop)(_.*)?|(.*_)?(drop_path|p_drop)(_rate)?|dropout\w*",
    "share": r"label_smoothing|(mixup|cutmix)(_alpha|_prob)?|(.*_)?prob(ability)?|smoothing|warmup_(ratio|fraction)",
    "batch": r"(.*_)?(batch_?size|bs)(_.*)?|batch|minibatch",
    "width": r"(.*_)?(hidden|width|units|channels|filters|neurons|d_model|n_embd|embed(ding)?|latent|ffn?|mlp)"
    r"(_(dim|size|units|channels|width|features|layer_size))?|dim|nhid|emsize",
    "heads": r"(num_|n_|nr_)?(attention_)?heads?|nhead",
    "count": r"(num_|n_|nr_)?(hidden_)?(layers?|blocks?)|depth|n_?layers?|num_layers|nlayers|max_depth",
    "positive": r"(grad(ient)?_|max_)?(clip(ping)?|grad_norm|clip_(val|norm|value))(_.*)?|temp(erature)?|.*_weight",
}
_RANGES: Mapping[str, Callable[[float | None], Range | None]] = {
    "decay": _decay,
    "high share": _between(0.8, 0.9999, "a share near 1"),
    "rate": _rate,
    "momentum": _between(0.0, 0.99, "from 0 to almost 1"),
    "dropout": _between(0.0, 0.5, "from none to half"),
    "share": _between(0.0, 0.3, "a small share"),
    "batch": _powers,
    "width": _powers,
    "heads": _powers,
    "count": _count,
    "positive": _positive,
}


def shown(row: Mapping[str, Any]) -> str:
    """A range in words: '1.0e-05 to 0.01, log', '16, 32, 64'."""
    if "options" in row:
        return ", ".join(str(option) for option in row["options"])
    low, high = (number(row[key]) if isinstance(row[key], float) else str(row[key]) for key in ("low", "high"))
    return f"{low} to {high}{', log' if row.get('log') else ''}"
