"""Syne Tune's searches with short trainings: ASHA, and ASHA with a model that proposes (BOHB, ASHACQR).

Its version 0.16 has the stopping type of ASHA alone: a training goes on from rung to rung until it is stopped, and is
not taken up again later. The type that pauses and promotes is in no scheduler of it, nor are BOHB's brackets. A rung's
end is reported with the units of resource trained by then, so that the rungs are those of every other search here.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np

from automl.problem.parameter import Parameter
from automl.problem.search_space import SearchSpace
from benchmarks.epoch_searches import NU, Asked, rungs_of
from benchmarks.peers import plain
from benchmarks.problem import Array


class SyneTune:
    """A scheduler of `syne_tune.optimizer.baselines`, as it comes, with one worker.

    `logarithms`: a parameter with a logarithmic scale is given to it as its logarithm with a uniform scale. Its kernel
    density, which BOHB draws from, takes every number as it is, whatever scale the parameter has.
    """

    def __init__(self, scheduler: str, space: SearchSpace, epochs: int, seed: int, *, logarithms: bool = False) -> None:
        from syne_tune.backend.trial_status import Trial  # type: ignore[import-not-found, unused-ignore]  # a peer
        from syne_tune.optimizer import baselines  # type: ignore[import-not-found, unused-ignore]
        from syne_tune.optimizer.scheduler import SchedulerDecision  # type: ignore[import-not-found, unused-ignore]

        logging.getLogger("syne_tune").setLevel(logging.ERROR)
        self._space, self._logarithms = space, logarithms
        self._rungs = rungs_of(epochs)
        self._new_trial, self._stop = Trial, SchedulerDecision.STOP
        self._chance = np.random.RandomState(seed).get_state()  # it draws from NumPy's global state too
        self._number, self._rung = -1, 0
        self._trial: Any = None
        with self._seeded():
            self._scheduler = getattr(baselines, scheduler)(
                config_space={parameter.name: self._domain(parameter) for parameter in space.parameters},
                metric="loss",
                time_attr="units",
                max_t=NU ** (len(self._rungs) - 1),
                grace_period=1,
                reduction_factor=NU,
                random_seed=seed,
            )

    def ask(self) -> Asked | None:
        if self._trial is None:
            with self._seeded():
                suggestion = self._scheduler.suggest()
                if suggestion is None:
                    return None
                self._number, self._rung = self._number + 1, 0
                self._trial = self._new_trial(self._number, suggestion.config, datetime.now(UTC))
                self._scheduler.on_trial_add(self._trial)
        return Asked(self._values(self._trial.config), self._rungs[self._rung])

    def tell(self, asked: Asked, curve: Array) -> None:
        result = {"loss": float(curve[: asked.epochs].min()), "units": NU**self._rung}
        with self._seeded():
            if self._scheduler.on_trial_result(self._trial, result) == self._stop:
                self._scheduler.on_trial_remove(self._trial)
                self._trial = None
        self._rung += 1

    @contextmanager
    def _seeded(self) -> Iterator[None]:
        """Its own stream in NumPy's global state, and what was there before behind it."""
        before = np.random.get_state()
        np.random.set_state(self._chance)
        try:
            yield
        finally:
            self._chance = np.random.get_state()
            np.random.set_state(before)

    def _domain(self, parameter: Parameter) -> Any:
        from syne_tune import config_space  # type: ignore[import-not-found, unused-ignore]

        if parameter.kind == "categorical":
            return config_space.choice(list(parameter.options))
        low, high = _bounds(parameter)
        if parameter.log and self._logarithms:
            return config_space.uniform(math.log10(low), math.log10(high))
        if parameter.kind == "int":
            return (config_space.lograndint if parameter.log else config_space.randint)(int(low), int(high))
        return (config_space.loguniform if parameter.log else config_space.uniform)(low, high)

    def _values(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        return {parameter.name: self._value(parameter, configuration) for parameter in self._space.parameters}

    def _value(self, parameter: Parameter, configuration: Mapping[str, Any]) -> Any:
        value = plain(configuration[parameter.name])
        if parameter.kind == "categorical":
            return value
        if parameter.log and self._logarithms:
            value = 10.0**value
        low, high = _bounds(parameter)
        value = min(max(value, low), high)  # its kernel density can leave the range of a whole number
        return round(value) if parameter.kind == "int" else float(value)


def _bounds(parameter: Parameter) -> tuple[float, float]:
    assert parameter.low is not None, "of a number"
    assert parameter.high is not None, "of a number"
    return float(parameter.low), float(parameter.high)
