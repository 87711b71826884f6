"""The Gaussian process of scikit-optimize, on the trials.

It is a module of its own because importing scikit-optimize takes two seconds, and is needed only once there is
something to learn from.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri
from skopt import Optimizer
from skopt.acquisition import gaussian_ei, gaussian_lcb, gaussian_pi
from skopt.space import Categorical, Real

from automl.problem.search_space import Cube
from automl.search.surrogates.acquisition import Acquisition
from automl.search.surrogates.observations import Axes, Observations

_QUANTILES = ndtri((np.arange(400) + 0.5) / 400)  # of a standard normal, to carry a prediction back through the warp
_ACQUISITIONS = {"EI": gaussian_ei, "LCB": gaussian_lcb, "PI": gaussian_pi}


class GaussianProcessModel:
    """A Gaussian process on the unit cube, and what it expects of a configuration.

    Proposals without a result (those of the same request) count as the mean of the targets: a constant liar
    (Ginsbourger, Le Riche & Carraro 2010), which keeps them apart.
    """

    def __init__(self, acquisition: Acquisition, axes: Axes, observations: Observations, seed: int) -> None:
        assert observations.warp is not None, "made only where there is something to learn"
        self._acquisition, self._axes = acquisition, axes
        self._observations, self._warp = observations, observations.warp
        self._news, self._assumed = list(observations.points), 0
        self._optimizer = Optimizer(
            [Real(0.0, 1.0) if count is None else Categorical(list(range(count))) for count in axes.options()],
            base_estimator="GP",
            n_initial_points=0,
            acq_func=acquisition.kind,
            acq_func_kwargs={"xi": acquisition.xi, "kappa": acquisition.kappa},
            acq_optimizer_kwargs={"n_points": acquisition.candidates, "n_jobs": 1},
            avoid_duplicates=False,  # its remedy is a random point; ours is the most promising untried one
            random_state=seed,
        )

    def learn(self, chosen: Sequence[Cube]) -> None:
        """Fits the model to the trials and to `chosen`: all proposals of this request so far, which have no result."""
        lie = float(np.mean([target for _, target in self._observations.points]))
        news = self._news + [(cube, lie) for cube in chosen[self._assumed :]]
        self._news, self._assumed = [], len(chosen)
        self._optimizer.tell([self._axes.point(cube) for cube, _ in news], [target for _, target in news])

    def ask(self) -> Cube:
        """The most promising point, according to what was learned."""
        with warnings.catch_warnings():
            # The caller finds repeats and replaces them: it also knows when two points are the same configuration.
            warnings.filterwarnings("ignore", message="The objective has been evaluated at point")
            return self._axes.cube(self._optimizer.ask())

    def most_promising(self, cubes: Sequence[Cube]) -> Cube:
        """The best of `cubes` by the acquisition function; the earlier one wins a tie."""
        return cubes[int(np.argmax(self.gains(cubes)))]

    @property
    def is_positive(self) -> bool:
        """Whether the acquisition function is never below 0."""
        return self._acquisition.kind != "LCB"

    def gains(self, cubes: Sequence[Cube]) -> Any:
        """The acquisition function at each cube, turned so that larger is better."""
        acquisition = self._acquisition
        lowest = min(self._optimizer.yi)
        options = {"EI": (lowest, acquisition.xi), "PI": (lowest, acquisition.xi), "LCB": (acquisition.kappa,)}
        gain = _ACQUISITIONS[acquisition.kind](self._features(cubes), self._fitted, *options[acquisition.kind])
        return -gain if acquisition.kind == "LCB" else gain

    def describe(self, cube: Cube) -> str:
        """What the model expects of a configuration, in words and in scores."""
        with warnings.catch_warnings():
            # Rounding can make the variance at an observed point a little less than 0; scikit-optimize then takes 0.
            warnings.filterwarnings("ignore", message="Predicted variances smaller than 0")
            mean, deviation = (
                float(values[0]) for values in self._fitted.predict(self._features([cube]), return_std=True)
            )
        middle, low, high = self._warp.scores(mean + deviation * np.array([0.0, 1.0, -1.0])).tolist()
        best, kappa = self._observations.best, self._acquisition.kappa
        possible = self._warp.scores(mean + deviation * _QUANTILES)
        gains = {
            "EI": f"expected improvement {np.maximum(possible - best, 0.0).mean():.2g} over",
            "PI": f"a chance of {(possible > best).mean():.0%} to be better than",
            "LCB": f"could reach {self._warp.scores(np.array(mean - kappa * deviation)):.4g}, against",
        }
        learned_from = f"{self._observations.trials} trials"
        learned_from += f", {self._observations.failures} of them failed" if self._observations.failures else ""
        learned_from += f", and {self._assumed} without a result" if self._assumed else ""
        return (
            f"{gains[self._acquisition.kind]} the best score {best:.4g} seen; "
            f"predicted {middle:.4g} ± {(high - low) / 2:.2g} (Gaussian process on {learned_from})"
        )

    @property
    def _fitted(self) -> Any:
        return self._optimizer.models[-1]

    def _features(self, cubes: Sequence[Cube]) -> Any:
        """The cubes as the fitted model takes them, shape (n, its features)."""
        return self._optimizer.space.transform([self._axes.point(cube) for cube in cubes])
