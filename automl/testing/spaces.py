"""Search spaces of all kinds, for the suite of samplers and for the tests of a sampler."""

from __future__ import annotations

from typing import Any

import numpy as np

from automl.problem.search_space import Parameter, SearchSpace


def space_of(**parameters: dict[str, Any]) -> SearchSpace:
    """A search space of these parameters, each as a network file describes it."""
    return SearchSpace(
        parameters=tuple(Parameter.from_mapping(name, data) for name, data in parameters.items()), constants={}
    )


def unit(names: str) -> SearchSpace:
    """Floats in [0, 1], one for each letter."""
    return space_of(**{name: {"type": "float", "low": 0.0, "high": 1.0} for name in names})


MIXED = space_of(
    lr={"type": "float", "low": 1e-5, "high": 1e-1, "log": True, "default": 1e-3},
    units={"type": "int", "low": 8, "high": 512, "log": True},
    depth={"type": "int", "low": 1, "high": 6},
    optimizer={"type": "categorical", "options": ["adam", "sgd", "lion"], "weights": [0.7, 0.2, 0.1]},
    momentum={"type": "float", "low": 0.0, "high": 0.99, "active_when": "optimizer == sgd"},
    nesterov={"type": "bool", "active_when": "optimizer == sgd"},
)
CATEGORICAL = space_of(
    a={"type": "categorical", "options": ["p", "q", "r"]},
    b={"type": "bool"},
    c={"type": "categorical", "options": ["s", "t"]},
)


def random_space(seed: int) -> SearchSpace:
    """A space of two to six parameters of all kinds, with weights, conditions and activations."""
    rng = np.random.default_rng(seed)
    low = float(rng.uniform(1e-6, 1.0))
    pool: dict[str, dict[str, Any]] = {
        "real": {"type": "float", "low": -low, "high": low * 3},
        "log_real": {"type": "float", "low": low, "high": low * 1000, "log": True},
        "stepped": {"type": "float", "low": 0.0, "high": 0.9, "step": 0.1},
        "whole": {"type": "int", "low": -3, "high": int(rng.integers(-3, 300))},
        "power": {"type": "int", "low": 1, "high": 256, "conditions": ["^ 2"]},
        "ordered": {"kind": "ordered", "options": [1, 2, 5, 10]},
        "switch": {"type": "bool"},
        "option": {"type": "categorical", "options": ["a", "b", "c", "d"], "weights": [*rng.dirichlet([1, 1, 1]), 0.0]},
        "only": {"type": "categorical", "options": ["alone"]},
    }
    names = [str(name) for name in rng.permutation(sorted(pool))[: rng.integers(2, 7)]]
    chosen = {name: pool[name] for name in names}
    if "switch" in chosen and "real" in chosen:
        chosen["real"]["active_when"] = "switch == true"
    chosen["smaller"] = {"type": "float", "low": 0.0, "high": 1.0, "conditions": ["< larger"]}
    chosen["larger"] = {"type": "float", "low": 0.1, "high": 0.8}
    return space_of(**chosen)
