"""Problems of several losses on mixed spaces: ZDT and DTLZ with logarithmic, whole and unordered parameters, and one
that is shaped like a network's accuracy and latency.

ZDT: Zitzler, Deb & Thiele (2000). DTLZ: Deb, Thiele, Laumanns & Zitzler (2002). A point's losses and the reference of
its hypervolume are in the units of the original functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from automl.problem.search_space import Parameter, SearchSpace
from automl.search.pareto import hypervolume
from benchmarks.problem import Values

Losses = tuple[float, ...]


@dataclass(frozen=True)
class TradeOff:
    """A function of several losses, without noise; the hypervolume below `reference` says how good a front is.

    `highest` computes that of the whole front: no search can have more.
    """

    name: str
    space: SearchSpace
    losses: Callable[[Values], Losses]
    reference: Losses
    highest: Callable[[], float]


def _distance(values: Values) -> float:
    """How far the parameters beside `share` are from where the front lies, from 0 to 1."""
    parts: list[float] = [
        abs(math.log10(values["rate"]) + 3) / 3,
        abs(values["depth"] - 7) / 13,
        {"a": 0.0, "b": 0.35, "c": 1.0}[values["kind"]],
        abs(values["decay"] - 0.3) / 0.7,
    ]
    return sum(parts) / len(parts)


def zdt1(values: Values) -> Losses:
    """A convex front."""
    first, g = values["share"], 1 + 9 * _distance(values)
    return first, g * (1 - math.sqrt(first / g))


def zdt2(values: Values) -> Losses:
    """A concave front."""
    first, g = values["share"], 1 + 9 * _distance(values)
    return first, g * (1 - (first / g) ** 2)


def zdt3(values: Values) -> Losses:
    """A front in five pieces."""
    first, g = values["share"], 1 + 9 * _distance(values)
    return first, g * (1 - math.sqrt(first / g) - first / g * math.sin(10 * math.pi * first))


def dtlz2(values: Values) -> Losses:
    """A quarter of a circle."""
    g, angle = _distance(values) * 2, values["share"] * math.pi / 2
    return (1 + g) * math.cos(angle), (1 + g) * math.sin(angle)


def dtlz2_of_three(values: Values) -> Losses:
    """An eighth of a sphere."""
    g, angle, other = _distance(values) * 2, values["share"] * math.pi / 2, values["turn"] * math.pi / 2
    across = (1 + g) * math.cos(angle)
    return across * math.cos(other), across * math.sin(other), (1 + g) * math.sin(angle)


def network(values: Values) -> Losses:
    """The error of a network and its latency in ms: wider and deeper ones are better and slower, one kind is free."""
    size, fused = values["width"] * values["layers"], values["fused"] == "on"
    off = (math.log10(values["rate"]) + 2.5 + 0.25 * math.log2(values["layers"])) ** 2
    error = 0.05 + 0.6 / size**0.35 + 0.06 * off + {"relu": 0.02, "gelu": 0.0, "tanh": 0.08}[values["kind"]]
    latency = 1.5 + 0.012 * size ** (0.9 if values["kind"] == "relu" else 0.95) + (0.8 if fused else 2.0)
    return error + (0.05 if fused and values["layers"] > 8 else 0.0), latency


def _below_a_line(height: Callable[[float], float], reference: Losses) -> float:
    """The hypervolume of (x, height(x)) for x from 0 to 1, by 20,000 points."""
    steps = 20_000
    return hypervolume([(step / steps, height(step / steps)) for step in range(steps + 1)], reference)


def _waves(x: float) -> float:
    return 1 - math.sqrt(x) - x * math.sin(10 * math.pi * x)


def _of_networks(reference: Losses) -> float:
    """By all sizes, kinds and fusions, each with its best learning rate."""
    sizes = product(range(8, 513), range(1, 17), ("relu", "gelu", "tanh"), ("off", "on"))
    rows = (
        {
            "width": width,
            "layers": layers,
            "kind": kind,
            "fused": fused,
            "rate": 10 ** (-2.5 - 0.25 * math.log2(layers)),
        }
        for width, layers, kind, fused in sizes
    )
    return hypervolume([network(row) for row in rows], reference)


def _space(*more: Parameter) -> SearchSpace:
    return SearchSpace(
        (
            Parameter("share", "float", low=0.0, high=1.0, default=0.5),
            *more,
            Parameter("rate", "float", low=1e-6, high=1.0, log=True, default=0.1),
            Parameter("depth", "int", low=1, high=20, default=16),
            Parameter("kind", "categorical", options=("a", "b", "c"), default="b"),
            Parameter("decay", "float", low=0.0, high=1.0, default=0.9),
        )
    )


_NETWORK = SearchSpace(
    (
        Parameter("width", "int", low=8, high=512, log=True, default=64),
        Parameter("layers", "int", low=1, high=16, default=4),
        Parameter("rate", "float", low=1e-5, high=1.0, log=True, default=0.1),
        Parameter("kind", "categorical", options=("relu", "gelu", "tanh"), default="relu"),
        Parameter("fused", "categorical", options=("off", "on"), default="off"),
    )
)
_SPACE = _space()

TRADE_OFFS: dict[str, TradeOff] = {  # on a whole front all parameters beside `share` and `turn` are at their best
    one.name: one
    for one in (
        TradeOff("zdt1", _SPACE, zdt1, (1.1, 6.0), lambda: _below_a_line(lambda x: 1 - math.sqrt(x), (1.1, 6.0))),
        TradeOff("zdt2", _SPACE, zdt2, (1.1, 6.0), lambda: _below_a_line(lambda x: 1 - x**2, (1.1, 6.0))),
        TradeOff("zdt3", _SPACE, zdt3, (1.1, 6.0), lambda: _below_a_line(_waves, (1.1, 6.0))),
        TradeOff("dtlz2", _SPACE, dtlz2, (2.0, 2.0), lambda: 4 - math.pi / 4),  # a square without a quarter of a disc
        TradeOff(
            "dtlz2_of_three",
            _space(Parameter("turn", "float", low=0.0, high=1.0, default=0.5)),
            dtlz2_of_three,
            (2.0, 2.0, 2.0),
            lambda: 8 - math.pi / 6,  # a cube without an eighth of a ball
        ),
        TradeOff("network", _NETWORK, network, (0.6, 30.0), lambda: _of_networks((0.6, 30.0))),
    )
}
