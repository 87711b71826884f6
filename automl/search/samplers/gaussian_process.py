"""Bayesian search: a Gaussian process learns from the trials and proposes what it finds most promising.

The model and the search of its acquisition function are scikit-optimize's (Jones, Schonlau & Welch 1998; Snoek,
Larochelle & Adams 2012); its input is prepared here:

- it works in the unit cube of the space, so that logarithms, whole numbers and steps are the space's affair;
- it gets all trials at once, because it fits a model every time that it gets one;
- it sees warped scores (score_transform.py), so that one diverged training does not flatten all other differences;
- a failed trial is no target: what resembles it is avoided by a model of its own (feasibility.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from threadpoolctl import threadpool_limits

from automl.errors import InvalidInput, nearest
from automl.problem.search_space import Cube, SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.low_discrepancy import sobol_points
from automl.search.surrogates.acquisition import Acquisition, AcquisitionKind
from automl.search.surrogates.feasibility import Feasibility, fails_by_itself, has_score, rows_of
from automl.search.surrogates.features import Features
from automl.search.surrogates.observations import Axes, Observations

if TYPE_CHECKING:
    from automl.search.surrogates.gaussian_process import GaussianProcessModel

_TRIES = 2000  # draws in search of an untried configuration: almost certain to find the last of 200 equally likely ones
_ENOUGH = 256  # how many untried configurations the most promising one is chosen from
_NEAR, _STEPS = 6, (0.15, 0.05, 0.015)  # the best trials around which feasible points are looked for, and how far
_MODEL, _UNTRIED, _FEASIBLE = 3, 4, 5  # streams of chance; low_discrepancy.py has 1 and 2


@dataclass(frozen=True)
class GaussianProcess:
    """Settings of the Bayesian search.

    `starts` is the number of space-filling proposals before the first model, besides the defaults. `acquisition` is EI
    (expected improvement), LCB (lower confidence bound) or PI (probability of improvement). `xi` is the improvement
    that EI and PI ask for, in standard deviations of the targets. `kappa` is the number of standard deviations that LCB
    adds. `candidates` is the number of random points among which the search of the acquisition function chooses where
    to begin. Scores that are more than `tail` interquartile ranges worse than the median are clipped there. With
    `failed_are_worst` a failed trial counts as the worst target of the others, as it did in studies of before.
    """

    starts: int = 5
    acquisition: AcquisitionKind = "EI"
    xi: float = 0.01
    kappa: float = 1.96
    candidates: int = 10_000
    tail: float = 3.0
    failed_are_worst: bool = False

    def __post_init__(self) -> None:
        for name, least in (("starts", 1), ("candidates", 100)):
            number = getattr(self, name)
            if not isinstance(number, int) or isinstance(number, bool) or number < least:
                raise InvalidInput(f"{name}: {number!r}", allowed=f"whole numbers from {least}")
        for name, low in (("xi", 0.0), ("kappa", 0.0), ("tail", 1.0)):
            number = getattr(self, name)
            if not isinstance(number, int | float) or isinstance(number, bool) or not low <= number < math.inf:
                raise InvalidInput(f"{name}: {number!r}", allowed=f"finite numbers from {low:g}")
        options = get_args(AcquisitionKind)
        if self.acquisition not in options:
            advice = nearest(str(self.acquisition).upper(), options)
            raise InvalidInput(f"acquisition: {self.acquisition!r}", allowed=", ".join(options), advice=advice)

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        # With more threads BLAS sums in another order, and the last bits change the proposals (observed at 128 trials).
        with threadpool_limits(limits=1):
            return self._propose(space, trials, request)

    def _propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        axes = Axes(space)
        observations = Observations.of(axes, trials, self.tail, worst=self.failed_are_worst)
        learned = None if self.failed_are_worst else _feasibility(space, trials)
        tried = {space.encode(trial.values) for trial in trials}
        tried |= {space.encode(values) for values in (*request.chosen, *request.elsewhere)}  # some still in training
        model: GaussianProcessModel | None = None
        chosen = [space.encode(values) for values in request.pending]
        tried |= set(chosen)
        proposals: list[Proposal] = []
        first = request.first
        for index, filler in enumerate(sobol_points(space.size, first, request.count, request.seed), first):
            cube, reason = filler, f"point {index + 1} of a scrambled Sobol sequence, which fills the space evenly"
            if index >= self.starts and observations.warp is None:
                reason += f"; no model yet: {observations.unfit}"
            elif index >= self.starts:
                model = model or self._model(axes, observations, request)
                model.learn(chosen)
                cube = model.ask()
            if learned is not None:
                rng = np.random.default_rng(np.random.SeedSequence(request.seed, spawn_key=(_FEASIBLE, index)))
                best = sorted(observations.points, key=lambda point: (point[1], point[0]))[:_NEAR]
                cube, addition = learned.instead(cube, [point for point, _ in best], tried, model, rng)
                reason += addition
            values = space.decode(cube)
            cube = space.encode(values)  # one configuration, one cube: the centre of its cell
            if cube in tried:
                rng = np.random.default_rng(np.random.SeedSequence(request.seed, spawn_key=(_UNTRIED, index)))
                cube, values, reason = _untried(space, tried, model, rng)
            elif model:
                reason = model.describe(cube) + (learned.feasibility.words if learned else "")
            chosen.append(cube)
            tried.add(cube)
            proposals.append(Proposal(values, reason))
        return tuple(proposals)

    def _model(self, axes: Axes, observations: Observations, request: Request) -> GaussianProcessModel:
        from automl.search.surrogates.gaussian_process import GaussianProcessModel  # noqa: PLC0415 - takes two seconds

        acquisition = Acquisition(self.acquisition, self.xi, self.kappa, self.candidates)
        return GaussianProcessModel(acquisition, axes, observations, _seed(request, _MODEL))


@dataclass(frozen=True)
class _Learned:
    """What was learned of which configurations can be trained."""

    features: Features
    feasibility: Feasibility

    def instead(
        self,
        cube: Cube,
        best: Sequence[Cube],
        tried: set[Cube],
        model: GaussianProcessModel | None,
        rng: np.random.Generator,
    ) -> tuple[Cube, str]:
        """The cube, or where that is avoided, the most promising of draws and of points near the best that is not."""
        space = self.features.space
        drawn = [space.encode(space.sample(rng)) for _ in range(_ENOUGH)]
        for step in _STEPS if model else ():
            for point in best:
                moved = np.clip(np.array(point) + step * rng.standard_normal((_ENOUGH // 16, len(point))), 0.0, 1.0)
                drawn += [space.encode(space.decode(row)) for row in moved.tolist()]
        cubes = [space.encode(space.decode(cube)), *(other for other in drawn if other not in tried)]
        rows = rows_of(self.features, [(space.decode(point), point) for point in cubes])
        preferred = self.feasibility.preferred(rows)
        if preferred == 0:
            return cube, ""
        if model is not None:
            gains = np.log(np.maximum(model.gains(cubes), 1e-300)) if model.is_positive else model.gains(cubes)
            preferred = int(np.argmax(self.feasibility.weighed(gains, rows)))
        return cubes[preferred], "; " + "in place of one that resembles what failed"


def _feasibility(space: SearchSpace, trials: Sequence[Trial]) -> _Learned | None:
    """What was learned of which configurations can be trained; None where nothing failed by itself."""
    features = Features(space)
    read = sorted(((space.encode(trial.values), trial) for trial in trials), key=lambda pair: pair[0])
    scored = [(trial.values, cube) for cube, trial in read if has_score(trial)]
    failed = [(trial.values, cube) for cube, trial in read if not has_score(trial) and fails_by_itself(trial)]
    if not failed or not features.axes:
        return None
    return _Learned(features, Feasibility(features, rows_of(features, scored), rows_of(features, failed)))


def _seed(request: Request, stream: int) -> int:
    """A seed for scikit-optimize, which takes numpy's older generator only."""
    return int(np.random.SeedSequence(request.seed, spawn_key=(stream,)).generate_state(1)[0])


def _untried(
    space: SearchSpace, tried: set[Cube], model: GaussianProcessModel | None, rng: np.random.Generator
) -> tuple[Cube, dict[str, Any], str]:
    """Another configuration, where the proposed one was tried before: the most promising of some draws, and why.

    Without a model it is the first untried draw. Where every draw was tried, which happens in a small discrete space,
    it is a repeat.
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


_KEEPS_THE_PROTOCOL: type[Sampler] = GaussianProcess
