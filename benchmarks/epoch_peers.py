"""Other people's searches with short trainings, and the yardstick: ASHA and Hyperband with Optuna's TPE proposing.

Rungs are 1/27, 1/9, 1/3 and all of a full training's epochs; of three one goes on; trainings go on from checkpoints.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from automl.problem.parameter import Parameter
from automl.problem.search_space import SearchSpace
from benchmarks.epoch_optuna import OptunaPruned
from benchmarks.epoch_searches import NU, Asked, EpochSearch, Maker, R, rungs_of
from benchmarks.epoch_syne_tune import SyneTune
from benchmarks.peers import optuna_distribution, plain
from benchmarks.problem import Array

_ENOUGH, _UNIFORM = 8, 0.25  # of the yardstick: results that a rung needs, and the share that is drawn uniformly
Draw = Callable[[], dict[str, Any]]


class UniformDraws:
    """Draws from the space and learns nothing."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._space, self._rng = space, np.random.default_rng(seed)

    def draw(self) -> dict[str, Any]:
        return self._space.sample(self._rng)

    def note(self, values: dict[str, Any], epochs: int, loss: float) -> None:
        """Learns nothing."""


class RungTPE(UniformDraws):
    """Optuna's TPE on the longest rung with enough results, the defaults first, and a share drawn uniformly."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        import optuna

        super().__init__(space, seed)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._seed, self._drawn = optuna, seed, 0
        self._distributions = {p.name: optuna_distribution(p) for p in space.parameters}
        self._seen: dict[int, dict[str, tuple[dict[str, Any], float]]] = {}

    def draw(self) -> dict[str, Any]:
        self._drawn += 1
        if self._drawn == 1:
            return self._space.defaults()
        rungs = [epochs for epochs, seen in self._seen.items() if len(seen) >= _ENOUGH]
        if not rungs or self._rng.random() < _UNIFORM:
            return super().draw()
        sampler = self._optuna.samplers.TPESampler(seed=self._seed * 100_003 + self._drawn, n_startup_trials=0)
        study = self._optuna.create_study(sampler=sampler)
        trials = self._seen[max(rungs)].values()
        create = partial(self._optuna.trial.create_trial, distributions=self._distributions)
        study.add_trials([create(params=values, value=loss) for values, loss in trials])
        return dict(study.ask(self._distributions).params)

    def note(self, values: dict[str, Any], epochs: int, loss: float) -> None:
        self._seen.setdefault(epochs, {})[repr(sorted(values.items()))] = (values, loss)


class ASHA:
    """Asynchronous successive halving, promotion type, without an end (Li et al. 2020, algorithm 2)."""

    def __init__(self, draws: UniformDraws, epochs: int) -> None:
        self._draws = draws
        self._rungs = rungs_of(epochs)
        self._results: list[dict[int, float]] = [{} for _ in self._rungs]
        self._gone: list[set[int]] = [set() for _ in self._rungs]
        self._values: list[dict[str, Any]] = []
        self._asked = (0, 0)

    def ask(self) -> Asked:
        for rung in range(len(self._rungs) - 2, -1, -1):
            ranked = sorted(self._results[rung].items(), key=lambda result: result[1])
            for number, _ in ranked[: len(ranked) // NU]:
                if number not in self._gone[rung]:
                    self._gone[rung].add(number)
                    return self._ask(number, rung + 1)
        self._values.append(self._draws.draw())
        return self._ask(len(self._values) - 1, 0)

    def _ask(self, number: int, rung: int) -> Asked:
        self._asked = (number, rung)
        return Asked(self._values[number], self._rungs[rung])

    def tell(self, asked: Asked, curve: Array) -> None:
        number, rung = self._asked
        loss = float(curve[: asked.epochs].min())
        self._results[rung][number] = loss
        self._draws.note(self._values[number], asked.epochs, loss)


class Hyperband:
    """TAO's brackets, of 27, 9 and 6 experiments, one after the other, again and again."""

    def __init__(self, draws: UniformDraws, epochs: int) -> None:
        self._draws, self._epochs, self._bracket = draws, epochs, 0
        self._todo: list[dict[str, Any] | None] = []
        self._rungs: list[int] = []
        self._results: list[tuple[float, dict[str, Any]]] = []

    def ask(self) -> Asked:
        if not self._todo:
            going_on = len(self._results) // NU
            if len(self._rungs) > 1 and going_on:
                ranked = sorted(self._results, key=lambda result: result[0])
                self._todo, self._rungs = [values for _, values in ranked[:going_on]], self._rungs[1:]
            else:
                self._begin()
            self._results = []
        values = self._todo.pop(0)
        return Asked(self._draws.draw() if values is None else values, self._rungs[0])

    def _begin(self) -> None:
        rungs = rungs_of(self._epochs)
        self._rungs = rungs[self._bracket :]
        self._bracket = (self._bracket + 1) % (len(rungs) - 1)
        self._todo = [None] * {4: 27, 3: 9, 2: 6}[len(self._rungs)]

    def tell(self, asked: Asked, curve: Array) -> None:
        loss = float(curve[: asked.epochs].min())
        self._results.append((loss, dict(asked.values)))
        self._draws.note(dict(asked.values), asked.epochs, loss)


class FullTrainings:
    """Every draw is trained to its end."""

    def __init__(self, draws: UniformDraws, epochs: int) -> None:
        self._draws, self._epochs = draws, epochs

    def ask(self) -> Asked:
        return Asked(self._draws.draw(), self._epochs)

    def tell(self, asked: Asked, curve: Array) -> None:
        self._draws.note(dict(asked.values), asked.epochs, float(curve.min()))


class DEHB:
    """DEHB as it comes (Awad, Mallik & Hutter 2021): differential evolution in the rungs of Hyperband."""

    def __init__(self, space: SearchSpace, epochs: int, seed: int, trainings: float) -> None:  # noqa: ARG002
        import ConfigSpace  # type: ignore[import-not-found, unused-ignore]  # a peer, not a dependency
        import dehb  # type: ignore[import-not-found, unused-ignore]
        from loguru import logger  # type: ignore[import-not-found, unused-ignore]

        logger.remove()
        configurations = ConfigSpace.ConfigurationSpace(seed=seed)
        for parameter in space.parameters:
            configurations.add(_hyperparameter(ConfigSpace, parameter))
        self._folder = tempfile.TemporaryDirectory(prefix="dehb-")  # it writes its history there
        self._library = dehb.DEHB(
            f=None,
            cs=configurations,
            dimensions=len(space.parameters),
            min_fidelity=max(1, epochs / R),
            max_fidelity=epochs,
            eta=NU,
            n_workers=1,
            seed=seed,
            output_path=self._folder.name,
            save_freq=None,
        )
        self._job: dict[str, Any] = {}

    def ask(self) -> Asked:
        self._job = self._library.ask()
        values = {name: plain(value) for name, value in dict(self._job["config"]).items()}
        return Asked(values, max(1, round(self._job["fidelity"])))

    def tell(self, asked: Asked, curve: Array) -> None:
        loss = float(curve[: asked.epochs].min())
        self._library.tell(self._job, {"fitness": loss, "cost": asked.epochs})


def _hyperparameter(library: Any, parameter: Parameter) -> Any:
    if parameter.kind == "categorical":
        return library.Categorical(parameter.name, parameter.options)
    kind = library.Integer if parameter.kind == "int" else library.Float
    return kind(parameter.name, (parameter.low, parameter.high), log=parameter.log)


def _maker(schedule: Callable[[UniformDraws, int], EpochSearch], draws: type[UniformDraws]) -> Maker:
    return lambda space, epochs, seed, _trainings: schedule(draws(space, seed), epochs)


def _syne_tune(scheduler: str, *, logarithms: bool = False) -> Maker:
    return lambda space, epochs, seed, _trainings: SyneTune(scheduler, space, epochs, seed, logarithms=logarithms)


def _pruned(pruner: str) -> Maker:
    return lambda space, epochs, seed, _trainings: OptunaPruned(space, epochs, seed, pruner)


# name -> (libraries that it needs, maker)
PEERS: dict[str, tuple[tuple[str, ...], Maker]] = {
    "random": ((), _maker(FullTrainings, UniformDraws)),
    "asha": ((), _maker(ASHA, UniformDraws)),
    "hyperband": ((), _maker(Hyperband, UniformDraws)),
    "asha_tpe": (("optuna",), _maker(ASHA, RungTPE)),
    "dehb": (("dehb", "ConfigSpace", "loguru"), DEHB),
    "hyperband_tpe": (("optuna",), _maker(Hyperband, RungTPE)),
    "optuna_tpe_median": (("optuna",), _pruned("MedianPruner")),
    "optuna_tpe_halving": (("optuna",), _pruned("SuccessiveHalvingPruner")),
    "optuna_tpe_hyperband": (("optuna",), _pruned("HyperbandPruner")),
    "syne_asha": (("syne_tune",), _syne_tune("ASHA")),
    "syne_bohb": (("syne_tune", "statsmodels"), _syne_tune("BOHB")),
    "syne_bohb_logarithms": (("syne_tune", "statsmodels"), _syne_tune("BOHB", logarithms=True)),
    "syne_asha_cqr": (("syne_tune", "xgboost"), _syne_tune("ASHACQR")),
}
