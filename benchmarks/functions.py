"""Well-known test functions as problems, with parameters on logarithmic scales, whole numbers and options."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from automl.problem.search_space import Parameter, SearchSpace
from benchmarks.problem import Array, Training, Values

_HARTMANN_A = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
_HARTMANN_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)
_HARTMANN_WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])


@dataclass(frozen=True)
class Function:
    """A function of the values, without noise."""

    name: str
    space: SearchSpace
    loss: Callable[[Values], float]

    def train(self, values: Values, rng: np.random.Generator) -> Training:  # noqa: ARG002 - the protocol has it
        loss = self.loss(values)
        return Training(loss, loss)

    def true_losses(self, columns: Mapping[str, Sequence[Any]]) -> Array:
        rows = zip(*columns.values(), strict=True)
        return np.array([self.loss(dict(zip(columns, row, strict=True))) for row in rows])


def branin(values: Values) -> float:
    """Branin's function; an option shifts it and a whole number adds to it."""
    x1 = values["x1"] + {"a": 0.0, "b": 1.7, "c": -2.3}[values["kind"]]
    x2 = (math.log10(values["x2"]) + 3) / 6 * 15
    bowl = (x2 - 5.1 / (4 * math.pi**2) * x1**2 + 5 / math.pi * x1 - 6) ** 2
    wave = 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10
    return float(bowl + wave + {"a": 1.0, "b": 0.0, "c": 3.0}[values["kind"]] + 0.4 * abs(values["k"] - 6))


def hartmann(values: Values) -> float:
    """Hartmann's function of six variables."""
    a, b, c, d, e, g = (values[name] for name in ("a", "b", "c", "d", "e", "g"))
    point = np.array([a, math.log10(b) / 4 + 1, c / 20, math.log2(d) / 8, e, g])
    return float(-(_HARTMANN_WEIGHTS * np.exp(-(_HARTMANN_A * (point - _HARTMANN_P) ** 2).sum(axis=1))).sum())


def levy(values: Values) -> float:
    """Levy's function of four variables, with two options beside it, one of which matters beside some of the other."""
    numbers = ((math.log10(values["l1"]) + 3) * 5, values["l2"], values["i1"], (math.log2(values["i2"]) - 5) * 2.2)
    w = [1 + (number - 1) / 4 for number in numbers]
    total = math.sin(math.pi * w[0]) ** 2
    total += sum((v - 1) ** 2 * (1 + 10 * math.sin(math.pi * v + 1) ** 2) for v in w[:-1])
    total += (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2)
    total += {"p": 4.0, "q": 0.0, "r": 1.0, "s": 8.0}[values["c1"]]
    return float(total + (2.0 if values["c2"] == "off" and values["c1"] != "r" else 0.0))


def rosenbrock(values: Values) -> float:
    """The logarithm of Rosenbrock's function of three variables, an option and a whole number added."""
    numbers = (math.log10(values["u"]) / 1.5, values["v"], values["w"])
    total = sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in itertools.pairwise(numbers))
    return float(math.log1p(total) + {"x": 0.6, "y": 0.0, "z": 1.5}[values["m"]] + 0.1 * abs(values["n"] - 4))


def _number(name: str, kind: str, low: float, high: float, log: bool = False) -> Parameter:
    return Parameter(name, kind, low=low, high=high, log=log)


def _options(name: str, *options: Any) -> Parameter:
    return Parameter(name, "categorical", options=options)


def _function(name: str, loss: Callable[[Values], float], *parameters: Parameter) -> Function:
    return Function(name, SearchSpace(parameters), loss)


FUNCTIONS = {
    function.name: function
    for function in (
        _function(
            "branin_mixed",
            branin,
            _number("x1", "float", -5.0, 10.0),
            _number("x2", "float", 1e-3, 1e3, log=True),
            _options("kind", "a", "b", "c"),
            _number("k", "int", 1, 9),
        ),
        _function(
            "hartmann6_mixed",
            hartmann,
            _number("a", "float", 0.0, 1.0),
            _number("b", "float", 1e-4, 1.0, log=True),
            _number("c", "int", 0, 20),
            _number("d", "int", 1, 256, log=True),
            _number("e", "float", 0.0, 1.0),
            _options("g", 0.05, 0.25, 0.45, 0.65, 0.85),
        ),
        _function(
            "levy_mixed",
            levy,
            _number("l1", "float", 1e-5, 1e-1, log=True),
            _number("l2", "float", -10.0, 10.0),
            _number("i1", "int", -8, 8),
            _number("i2", "int", 2, 512, log=True),
            _options("c1", "p", "q", "r", "s"),
            _options("c2", "on", "off"),
        ),
        _function(
            "rosen_mixed",
            rosenbrock,
            _number("u", "float", 1e-3, 1e3, log=True),
            _number("v", "float", -2.0, 2.0),
            _number("w", "float", -2.0, 2.0),
            _number("n", "int", 1, 12),
            _options("m", "x", "y", "z"),
        ),
    )
}
