"""Bayesian search: a Gaussian process learns from the trials, and the next values are where it promises most.

The model and the search of its acquisition function are scikit-optimize's (Jones, Schonlau & Welch 1998; Snoek,
Larochelle & Adams 2012); what it is told is prepared here:

- it works in the unit cube of the space, so that logarithms, whole numbers and steps are the space's affair;
- it is told all trials at once, because it fits a model every time that it is told something;
- it sees warped scores (score_warp.py), where one diverged training does not flatten the differences between the rest;
- a failed trial is told as the worst target of the others: its region is avoided, and no extreme number appears.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from scipy.special import ndtri
from skopt import Optimizer
from skopt.acquisition import gaussian_ei, gaussian_lcb, gaussian_pi
from skopt.space import Categorical, Real
from threadpoolctl import threadpool_limits

from automl.domains import Continuous, Points
from automl.errors import InvalidInput, nearest
from automl.samplers.base import Proposal, Request, Sampler, Trial
from automl.samplers.low_discrepancy import Cube, place, sobol_points
from automl.samplers.score_warp import ScoreWarp
from automl.space import SearchSpace

Acquisition = Literal["EI", "LCB", "PI"]

_FEWEST = 2  # successes that a model needs: one gives a level and no slope
_TRIES = 2000  # draws in search of an untried configuration: finds the last of 200 equally likely ones, all but surely
_ENOUGH = 256  # untried configurations, among which the most promising is taken
_QUANTILES = ndtri((np.arange(400) + 0.5) / 400)  # of a standard normal, to carry a prediction back through the warp
_MODEL, _UNTRIED = 3, 4  # streams of chance; low_discrepancy.py has 1 and 2


@dataclass(frozen=True)
class GaussianProcess:
    """Settings of the Bayesian search.

    starts: space-filling proposals before the first model, besides the defaults. acquisition: EI expected improvement,
    LCB confidence bound, PI probability of improvement. xi: the improvement that EI and PI ask for, in standard
    deviations of the targets. kappa: the standard deviations that LCB adds. candidates: random points among which the
    search of the acquisition function finds where to begin. tail: scores worse than the median by more than so many
    interquartile ranges are clipped there.
    """

    starts: int = 5
    acquisition: Acquisition = "EI"
    xi: float = 0.01
    kappa: float = 1.96
    candidates: int = 10_000
    tail: float = 3.0

    def __post_init__(self) -> None:
        for name, least in (("starts", 1), ("candidates", 100)):
            number = getattr(self, name)
            if not isinstance(number, int) or isinstance(number, bool) or number < least:
                raise InvalidInput(f"{name}: {number!r}", allowed=f"whole numbers from {least}")
        for name, low in (("xi", 0.0), ("kappa", 0.0), ("tail", 1.0)):
            number = getattr(self, name)
            if not isinstance(number, int | float) or isinstance(number, bool) or not low <= number < math.inf:
                raise InvalidInput(f"{name}: {number!r}", allowed=f"finite numbers from {low:g}")
        options = get_args(Acquisition)
        if self.acquisition not in options:
            advice = nearest(str(self.acquisition).upper(), options)
            raise InvalidInput(f"acquisition: {self.acquisition!r}", allowed=", ".join(options), advice=advice)

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        # With more threads BLAS sums in another order, and the last bits end in other proposals (seen at 128 trials).
        with threadpool_limits(limits=1):
            return self._propose(space, trials, request)

    def _propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        axes = _Axes(space)
        told = _Told.of(axes, trials, self.tail)
        tried = {cube for cube, _ in told.points}
        if request.defaults_taken:
            tried.add(space.encode(space.defaults()))  # they may still be in training
        tried |= {space.encode(values) for values in request.own}
        model: _Model | None = None
        chosen: list[Cube] = []
        proposals: list[Proposal] = []
        first = place(request)
        for index, filler in enumerate(sobol_points(space.size, first, request.count, request.seed), first):
            cube, reason = filler, f"point {index + 1} of a scrambled Sobol sequence, which fills the space evenly"
            if index >= self.starts and told.warp is None:
                reason += f"; no model yet: {told.unfit}"
            elif index >= self.starts:
                model = model or _Model(self, axes, told, _seed(request, _MODEL))
                cube = model.ask(chosen)
            values = space.decode(cube)
            cube = space.encode(values)  # one configuration, one cube: the centre of its cell
            if cube in tried:
                rng = np.random.default_rng(np.random.SeedSequence(request.seed, spawn_key=(_UNTRIED, index)))
                cube, values, reason = _untried(space, tried, model, rng)
            elif model:
                reason = model.describe(cube)
            chosen.append(cube)
            tried.add(cube)
            proposals.append(Proposal(values, reason))
        return tuple(proposals)


def _seed(request: Request, stream: int) -> int:
    """A seed for scikit-optimize, which takes numpy's older generator only."""
    return int(np.random.SeedSequence(request.seed, spawn_key=(stream,)).generate_state(1)[0])


def _untried(
    space: SearchSpace, tried: set[Cube], model: _Model | None, rng: np.random.Generator
) -> tuple[Cube, dict[str, Any], str]:
    """Another configuration where the proposed one was tried: the most promising of some draws, with its reason.

    Without a model the first untried draw. Where none is untried, which happens in a small discrete space, a repeat.
    """
    enough = 1 if model is None else _ENOUGH
    untried: dict[Cube, dict[str, Any]] = {}
    values = space.defaults()
    cube: Cube = ()
    for _ in range(_TRIES):
        values = space.sample(rng)
        cube = space.encode(values)
        if cube not in tried:
            untried[cube] = values
            if len(untried) == enough:
                break
    if not untried:
        return cube, values, f"drawn uniformly, and a repeat: no configuration in {_TRIES} draws was untried"
    if model is None:
        return cube, values, "drawn uniformly, because the space-filling point was tried before"
    cube = model.most_promising(list(untried))
    reason = f"the best of {len(untried)} untried draws, because the model's first choice was tried before"
    return cube, untried[cube], f"{model.describe(cube)}; {reason}"


class _Axes:
    """The coordinates of the cube as scikit-optimize sees them: without those of one value, and options by number."""

    def __init__(self, space: SearchSpace) -> None:
        domains = {parameter.name: parameter.domain for parameter in space.parameters}
        self.space = space
        self._centres: dict[int, list[float]] = {}  # of the cells of a coordinate without order
        self._free: list[int] = []
        for axis, dimension in enumerate(space.dimensions()):
            domain = domains[dimension.parameter]
            if domain.low == domain.high if isinstance(domain, Continuous) else len(domain.values) == 1:
                continue
            self._free.append(axis)
            if dimension.categories and isinstance(domain, Points):
                self._centres[axis] = [domain.place(option) for option in domain.values]

    def dimensions(self) -> list[Any]:
        cells = (self._centres.get(axis) for axis in self._free)
        return [Categorical(list(range(len(each)))) if each else Real(0.0, 1.0) for each in cells]

    def point(self, cube: Cube) -> list[float]:
        """The cube's point as scikit-optimize takes it: the number of the option where there is no order."""
        found: list[float] = []
        for axis in self._free:
            centres = self._centres.get(axis)
            found.append(_nearest(centres, cube[axis]) if centres else cube[axis])
        return found

    def cube(self, point: Sequence[float]) -> Cube:
        cube = [0.5] * self.space.size
        for axis, value in zip(self._free, point, strict=True):
            centres = self._centres.get(axis)
            cube[axis] = centres[int(value)] if centres else float(value)
        return tuple(cube)


def _nearest(centres: Sequence[float], coordinate: float) -> int:
    return min(range(len(centres)), key=lambda option: abs(centres[option] - coordinate))


def _finite(score: float | None) -> float | None:
    """A score that is not finite is a failure (house rule 8): it never gets as far as the model."""
    return score if score is not None and math.isfinite(score) else None


@dataclass(frozen=True)
class _Told:
    """The trials as a model is told them. points: (where in the cube, target), the same in whatever order trials came.

    warp is None and `unfit` says why where they teach a model nothing; the targets are 0 then.
    """

    points: tuple[tuple[Cube, float], ...]
    failures: int
    best: float
    warp: ScoreWarp | None
    unfit: str

    @classmethod
    def of(cls, axes: _Axes, trials: Sequence[Trial], tail: float) -> _Told:
        read = [(axes.space.encode(each.values), _finite(each.score)) for each in trials]
        # Sums depend on the order of their parts: one order, in whatever order the trials came.
        read.sort(key=lambda pair: (pair[0], pair[1] is None, pair[1] or 0.0))
        scores = np.array([score for _, score in read if score is not None], dtype=float)
        warp, unfit = None, ""
        if not axes.dimensions():
            unfit = "the space has one configuration"
        elif len(scores) < _FEWEST:
            unfit = f"{len(scores)} of {len(trials)} trials gave a score"
        else:
            warp = ScoreWarp.fit(scores, tail)
            unfit = "" if warp else f"all scores are equal ({scores[0]:.6g})"
        succeeded = np.array([score is not None for _, score in read], dtype=bool)
        targets = np.zeros(len(trials))
        if warp:
            targets[succeeded] = warp.targets(scores)
            targets[~succeeded] = targets[succeeded].max()
        best = float(scores.max()) if len(scores) else math.nan
        points = tuple((cube, target) for (cube, _), target in zip(read, targets.tolist(), strict=True))
        return cls(points, len(trials) - len(scores), best, warp, unfit)


_ACQUISITIONS = {"EI": gaussian_ei, "LCB": gaussian_lcb, "PI": gaussian_pi}


class _Model:
    """A Gaussian process on the unit cube, and what it expects of a configuration.

    Proposals without a result (those of the same request) are told as the mean of the targets: a constant liar
    (Ginsbourger, Le Riche & Carraro 2010), which keeps them apart.
    """

    def __init__(self, settings: GaussianProcess, axes: _Axes, told: _Told, seed: int) -> None:
        assert told.warp is not None, "made only where there is something to learn"
        self._settings, self._axes, self._told, self._warp = settings, axes, told, told.warp
        self._news, self._assumed = list(told.points), 0
        self._optimizer = Optimizer(
            axes.dimensions(),
            base_estimator="GP",
            n_initial_points=0,
            acq_func=settings.acquisition,
            acq_func_kwargs={"xi": settings.xi, "kappa": settings.kappa},
            acq_optimizer_kwargs={"n_points": settings.candidates, "n_jobs": 1},
            avoid_duplicates=False,  # its remedy is a random point; ours is the most promising untried one
            random_state=seed,
        )

    def ask(self, chosen: Sequence[Cube]) -> Cube:
        """The most promising point. chosen: all proposals of this request so far, which have no result."""
        lie = float(np.mean([target for _, target in self._told.points]))
        news = self._news + [(cube, lie) for cube in chosen[self._assumed :]]
        self._news, self._assumed = [], len(chosen)
        self._optimizer.tell([self._axes.point(cube) for cube, _ in news], [target for _, target in news])
        with warnings.catch_warnings():
            # The caller finds repeats and replaces them: it also knows two points that are one configuration.
            warnings.filterwarnings("ignore", message="The objective has been evaluated at point")
            return self._axes.cube(self._optimizer.ask())

    def most_promising(self, cubes: Sequence[Cube]) -> Cube:
        """The best of `cubes` by the acquisition function; the earlier one wins a tie."""
        settings = self._settings
        lowest = min(self._optimizer.yi)
        options = {"EI": (lowest, settings.xi), "PI": (lowest, settings.xi), "LCB": (settings.kappa,)}
        gain = _ACQUISITIONS[settings.acquisition](self._seen(cubes), self._fitted, *options[settings.acquisition])
        return cubes[int(np.argmin(gain) if settings.acquisition == "LCB" else np.argmax(gain))]

    def describe(self, cube: Cube) -> str:
        """What the model expects of a configuration, in words and in scores."""
        with warnings.catch_warnings():
            # Rounding can make the variance at a told point a little less than 0; scikit-optimize then takes 0.
            warnings.filterwarnings("ignore", message="Predicted variances smaller than 0")
            mean, deviation = (float(each[0]) for each in self._fitted.predict(self._seen([cube]), return_std=True))
        middle, low, high = self._warp.scores(mean + deviation * np.array([0.0, 1.0, -1.0])).tolist()
        best = self._told.best
        possible = self._warp.scores(mean + deviation * _QUANTILES)
        gains = {
            "EI": f"expected improvement {np.maximum(possible - best, 0.0).mean():.2g} over",
            "PI": f"a chance of {(possible > best).mean():.0%} to be better than",
            "LCB": f"could reach {self._warp.scores(np.array(mean - self._settings.kappa * deviation)):.4g}, against",
        }
        given = f"{len(self._told.points)} trials"
        given += f", {self._told.failures} of them failed" if self._told.failures else ""
        given += f", and {self._assumed} without a result" if self._assumed else ""
        return (
            f"{gains[self._settings.acquisition]} the best score {best:.4g} seen; "
            f"predicted {middle:.4g} ± {(high - low) / 2:.2g} (Gaussian process on {given})"
        )

    @property
    def _fitted(self) -> Any:
        return self._optimizer.models[-1]

    def _seen(self, cubes: Sequence[Cube]) -> Any:
        """The cubes as the fitted model takes them, shape (n, its features)."""
        return self._optimizer.space.transform([self._axes.point(cube) for cube in cubes])


_KEEPS_THE_PROTOCOL: type[Sampler] = GaussianProcess
