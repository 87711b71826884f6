"""The table of algorithms: a name, the options that it takes, and its pair of schedule and sampler."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.schedules.base import Schedule
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.sequential import Sequential
from automl.search.schedules.successive_halving import SuccessiveHalving

SAMPLERS = {  # name -> (module, class, settings): imported when used, for scikit-optimize takes 2 s
    "uniform": ("automl.search.samplers.uniform", "Uniform", {}),
    "sobol": ("automl.search.samplers.low_discrepancy", "LowDiscrepancy", {"method": "sobol"}),
    "lhs": ("automl.search.samplers.low_discrepancy", "LowDiscrepancy", {"method": "lhs"}),
    "gaussian_process": ("automl.search.samplers.gaussian_process", "GaussianProcess", {}),
}
_HALVING = ("R", "nu", "epoch_multiplier", "max_epochs", "floor_multiplier", "lower_R")
HALVING = ("hyperband", "successive_halving")  # whose experiments go on from a checkpoint
CHAINS = ("bayesian", "random")  # full trainings one after the other, to which more can be added
MODEL_FREE = ("uniform", "sobol", "lhs")  # those that look at no result


@dataclass(frozen=True)
class Algorithm:
    """A pair of schedule and sampler. samplers: those that it can be given instead of the first of them."""

    title: str
    options: tuple[str, ...]
    samplers: tuple[str, ...]
    schedule: Callable[[Mapping[str, Any]], Schedule]


def _hyperband(options: Mapping[str, Any]) -> Hyperband:
    return Hyperband(**options)


def _successive_halving(options: Mapping[str, Any]) -> SuccessiveHalving:
    own = {"max_recommendations"}
    hyperband = Hyperband(**{name: value for name, value in options.items() if name not in own})
    return SuccessiveHalving(hyperband, options.get("max_recommendations"))


def _sequential(options: Mapping[str, Any]) -> Sequential:
    names = {"max_recommendations": "experiments", "max_epochs": "epochs", "parallel": "parallel"}
    return Sequential(**{names[name]: value for name, value in options.items()})


def _all_at_once(options: Mapping[str, Any]) -> Sequential:
    return _sequential({**options, "parallel": None})


ALGORITHMS: dict[str, Algorithm] = {
    "hyperband": Algorithm(
        "many short trainings, the best go on (Li et al. 2018)", (*_HALVING, "random_stage"), MODEL_FREE, _hyperband
    ),
    "bayesian": Algorithm(
        "full trainings, each proposed by a Gaussian process from those before",
        ("max_recommendations", "max_epochs", "parallel"),
        ("gaussian_process",),
        _sequential,
    ),
    "random": Algorithm(
        "full trainings of random values", ("max_recommendations", "max_epochs"), MODEL_FREE, _all_at_once
    ),
    "successive_halving": Algorithm(
        "one stage of Hyperband", (*_HALVING, "max_recommendations"), MODEL_FREE, _successive_halving
    ),
}


@dataclass(frozen=True)
class NamedSampler:
    """The sampler of that name, one of `SAMPLERS`; it is imported when it is first asked."""

    name: str

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        """What the sampler proposes."""
        module, kind, settings = SAMPLERS[self.name]
        sampler: Sampler = getattr(import_module(module), kind)(**settings)
        return sampler.propose(space, trials, request)
