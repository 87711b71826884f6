"""Other people's optimisers behind the same two calls. Each imports its library when it is made, not before."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from automl.problem.parameter import Parameter
from automl.problem.search_space import SearchSpace
from benchmarks.optimiser import Maker, Optimiser, Values

_STARTS = 5  # random starts of the peers that are told where to begin


class UniformDraws:
    """Random search."""

    def __init__(self, space: SearchSpace, seed: int, total: int) -> None:  # noqa: ARG002 - every maker has the total
        self._space, self._rng = space, np.random.default_rng(seed)

    def ask(self, count: int) -> list[dict[str, Any]]:
        return [self._space.sample(self._rng) for _ in range(count)]

    def tell(self, results: Sequence[tuple[Values, float]]) -> None:
        """Learns nothing."""


class Optuna:
    """Optuna with samplers that take turns on one study; `begin` says to try the space's defaults first."""

    def __init__(self, space: SearchSpace, samplers: Sequence[Any], *, begin: bool) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._distributions = {p.name: optuna_distribution(p) for p in space.parameters}
        self._study, self._samplers = optuna.create_study(sampler=samplers[0]), samplers
        self._open: list[tuple[dict[str, Any], Any]] = []
        if begin:
            self._study.enqueue_trial(space.defaults())

    def add(self, results: Sequence[tuple[Values, float]]) -> None:
        """Trials of another search, each with its loss, as if this study had made them."""
        import optuna

        for values, loss in results:
            self._study.add_trial(
                optuna.create_trial(params=dict(values), distributions=self._distributions, value=loss)
            )

    def ask(self, count: int) -> list[dict[str, Any]]:
        configurations = []
        for _ in range(count):
            self._study.sampler = self._samplers[len(self._study.trials) % len(self._samplers)]
            trial = self._study.ask(self._distributions)
            self._open.append((dict(trial.params), trial))
            configurations.append(dict(trial.params))
        return configurations

    def tell(self, results: Sequence[tuple[Values, float]]) -> None:
        for values, loss in results:
            place = next(place for place, (asked, _) in enumerate(self._open) if asked == values)
            self._study.tell(self._open.pop(place)[1], loss)


class ScikitOptimize:
    """scikit-optimize as it comes."""

    def __init__(self, space: SearchSpace, seed: int, total: int) -> None:  # noqa: ARG002 - every maker has the total
        from skopt import Optimizer

        self._names = [p.name for p in space.parameters]
        self._optimizer = Optimizer([_skopt_dimension(p) for p in space.parameters], random_state=seed)

    def ask(self, count: int) -> list[dict[str, Any]]:
        points = self._optimizer.ask(count) if count > 1 else [self._optimizer.ask()]
        return [{name: plain(value) for name, value in zip(self._names, point, strict=True)} for point in points]

    def tell(self, results: Sequence[tuple[Values, float]]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._optimizer.tell(
                [[values[name] for name in self._names] for values, _ in results], [y for _, y in results]
            )


class Nevergrad:
    """The optimiser that nevergrad chooses for the space and the budget."""

    def __init__(self, space: SearchSpace, seed: int, total: int) -> None:
        import nevergrad  # type: ignore[import-not-found, unused-ignore]  # a peer, not a dependency

        parametrization = nevergrad.p.Dict(**{p.name: _nevergrad_parameter(nevergrad, p) for p in space.parameters})
        parametrization.random_state.seed(seed)
        self._optimizer = nevergrad.optimizers.registry["NGOpt"](parametrization, budget=total, num_workers=1)
        self._open: list[tuple[dict[str, Any], Any]] = []

    def ask(self, count: int) -> list[dict[str, Any]]:
        candidates = [self._optimizer.ask() for _ in range(count)]
        configurations = [{k: plain(v) for k, v in candidate.value.items()} for candidate in candidates]
        self._open += zip(configurations, candidates, strict=True)
        return [dict(values) for values in configurations]

    def tell(self, results: Sequence[tuple[Values, float]]) -> None:
        for values, loss in results:
            place = next(place for place, (asked, _) in enumerate(self._open) if asked == values)
            self._optimizer.tell(self._open.pop(place)[1], loss)


def _optuna_tpe(space: SearchSpace, seed: int, total: int) -> Optimiser:  # noqa: ARG001 - every maker has the total
    import optuna

    return Optuna(space, [optuna.samplers.TPESampler(seed=seed)], begin=False)


def _optuna_tpe_begun(space: SearchSpace, seed: int, total: int) -> Optimiser:  # noqa: ARG001
    import optuna

    return Optuna(space, [optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTS)], begin=True)


def _optuna_gp(space: SearchSpace, seed: int, total: int) -> Optimiser:  # noqa: ARG001
    import optuna

    return Optuna(space, [optuna.samplers.GPSampler(seed=seed)], begin=False)


def _optuna_gp_begun(space: SearchSpace, seed: int, total: int) -> Optimiser:  # noqa: ARG001
    import optuna

    return Optuna(space, [optuna.samplers.GPSampler(seed=seed, n_startup_trials=_STARTS)], begin=True)


def _optuna_turns(space: SearchSpace, seed: int, total: int) -> Optimiser:  # noqa: ARG001
    import optuna

    process = optuna.samplers.GPSampler(seed=seed, n_startup_trials=_STARTS)
    tpe = optuna.samplers.TPESampler(seed=seed, n_startup_trials=_STARTS)
    return Optuna(space, [process, process, tpe], begin=True)


def _optuna_cmaes(space: SearchSpace, seed: int, total: int) -> Optimiser:  # noqa: ARG001
    import optuna

    return Optuna(space, [optuna.samplers.CmaEsSampler(seed=seed)], begin=False)


# name -> (libraries that it needs, maker). `turns` asks the process twice and then TPE, on one history.
PEERS: dict[str, tuple[tuple[str, ...], Maker]] = {
    "random": ((), UniformDraws),
    "optuna_tpe": (("optuna",), _optuna_tpe),
    "optuna_tpe_begun": (("optuna",), _optuna_tpe_begun),
    "optuna_gp": (("optuna", "torch"), _optuna_gp),
    "optuna_gp_begun": (("optuna", "torch"), _optuna_gp_begun),
    "optuna_turns": (("optuna", "torch"), _optuna_turns),
    "optuna_cmaes": (("optuna", "cmaes"), _optuna_cmaes),
    "skopt": (("skopt",), ScikitOptimize),
    "nevergrad": (("nevergrad",), Nevergrad),
}


def missing_libraries(peer: str) -> tuple[str, ...]:
    """The libraries that a peer needs and this environment does not have."""
    return not_installed(PEERS[peer][0])


def not_installed(libraries: Sequence[str]) -> tuple[str, ...]:
    """Those of the libraries that this environment does not have."""
    return tuple(library for library in libraries if find_spec(library) is None)


def plain(value: Any) -> Any:
    """A number of NumPy as Python's own."""
    return value.item() if hasattr(value, "item") else value


def optuna_distribution(parameter: Parameter) -> Any:
    """A parameter as Optuna has it."""
    from optuna import distributions

    if parameter.kind == "categorical":
        options: Any = parameter.options
        return distributions.CategoricalDistribution(options)
    low: Any = parameter.low
    high: Any = parameter.high
    if parameter.kind == "int":
        return distributions.IntDistribution(low, high, log=parameter.log)
    return distributions.FloatDistribution(low, high, log=parameter.log)


def _skopt_dimension(parameter: Parameter) -> Any:
    from skopt.space import Categorical, Integer, Real

    if parameter.kind == "categorical":
        return Categorical(parameter.options)
    kind = Integer if parameter.kind == "int" else Real
    return kind(parameter.low, parameter.high, prior="log-uniform" if parameter.log else "uniform")


def _nevergrad_parameter(nevergrad: Any, parameter: Parameter) -> Any:
    if parameter.kind == "categorical":
        return nevergrad.p.Choice(parameter.options)
    scale = nevergrad.p.Log if parameter.log else nevergrad.p.Scalar
    number = scale(lower=parameter.low, upper=parameter.high)
    return number.set_integer_casting() if parameter.kind == "int" else number
