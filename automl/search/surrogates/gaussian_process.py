"""A Gaussian process on the trials, of scikit-optimize: a module of its own, for importing that takes two seconds.

Nothing of it is needed until there is something to learn from.
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

    Proposals without a result (those of the same request) are told as the mean of the targets: a constant liar
    (Ginsbourger, Le Riche & Carraro 2010), which keeps them apart.
    """

    def __init__(self, acquisition: Acquisition, axes: Axes, told: Observations, seed: int) -> None:
        assert told.warp is not None, "made only where there is something to learn"
        self._acquisition, self._axes, self._told, self._warp = acquisition, axes, told, told.warp
        self._news, self._assumed = list(told.points), 0
        self._optimizer = Optimizer(
            [Real(0.0, 1.0) if each is None else Categorical(list(range(each))) for each in axes.options()],
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
        lie = float(np.mean([target for _, target in self._told.points]))
        news = self._news + [(cube, lie) for cube in chosen[self._assumed :]]
        self._news, self._assumed = [], len(chosen)
        self._optimizer.tell([self._axes.point(cube) for cube, _ in news], [target for _, target in news])

    def ask(self) -> Cube:
        """The most promising point, by what was learned."""
        with warnings.catch_warnings():
            # The caller finds repeats and replaces them: it also knows two points that are one configuration.
            warnings.filterwarnings("ignore", message="The objective has been evaluated at point")
            return self._axes.cube(self._optimizer.ask())

    def most_promising(self, cubes: Sequence[Cube]) -> Cube:
        """The best of `cubes` by the acquisition function; the earlier one wins a tie."""
        acquisition = self._acquisition
        lowest = min(self._optimizer.yi)
        options = {"EI": (lowest, acquisition.xi), "PI": (lowest, acquisition.xi), "LCB": (acquisition.kappa,)}
        gain = _ACQUISITIONS[acquisition.kind](self._seen(cubes), self._fitted, *options[acquisition.kind])
        return cubes[int(np.argmin(gain) if acquisition.kind == "LCB" else np.argmax(gain))]

    def describe(self, cube: Cube) -> str:
        """What the model expects of a configuration, in words and in scores."""
        with warnings.catch_warnings():
            # Rounding can make the variance at a told point a little less than 0; scikit-optimize then takes 0.
            warnings.filterwarnings("ignore", message="Predicted variances smaller than 0")
            mean, deviation = (float(each[0]) for each in self._fitted.predict(self._seen([cube]), return_std=True))
        middle, low, high = self._warp.scores(mean + deviation * np.array([0.0, 1.0, -1.0])).tolist()
        best, kappa = self._told.best, self._acquisition.kappa
        possible = self._warp.scores(mean + deviation * _QUANTILES)
        gains = {
            "EI": f"expected improvement {np.maximum(possible - best, 0.0).mean():.2g} over",
            "PI": f"a chance of {(possible > best).mean():.0%} to be better than",
            "LCB": f"could reach {self._warp.scores(np.array(mean - kappa * deviation)):.4g}, against",
        }
        given = f"{len(self._told.points)} trials"
        given += f", {self._told.failures} of them failed" if self._told.failures else ""
        given += f", and {self._assumed} without a result" if self._assumed else ""
        return (
            f"{gains[self._acquisition.kind]} the best score {best:.4g} seen; "
            f"predicted {middle:.4g} ± {(high - low) / 2:.2g} (Gaussian process on {given})"
        )

    @property
    def _fitted(self) -> Any:
        return self._optimizer.models[-1]

    def _seen(self, cubes: Sequence[Cube]) -> Any:
        """The cubes as the fitted model takes them, shape (n, its features)."""
        return self._optimizer.space.transform([self._axes.point(cube) for cube in cubes])
