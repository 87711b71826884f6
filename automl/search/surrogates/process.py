"""A Gaussian process of our own, on NumPy and scipy.linalg: small, quick to import, and meant for few trials.

The covariance is Matérn's of smoothness 5/2 (Rasmussen & Williams 2006, 4.2) with a length scale for every axis.
Options are all equally far from each other. Length scales, signal and noise are those of greatest posterior
probability under log-normal priors (Hvarfner, Hellsten & Nardi 2024 on why the length scales need one).
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import erfcx, ndtr

from automl.search.surrogates.features import Features, Rows
from automl.search.surrogates.priors import Priors

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

_ROOT5 = math.sqrt(5.0)
_JITTER = 1e-8
_MOST_FITTED = 100  # trials that length scales are fitted to; more change them little and cost their cube
_BOUNDS_WEIGHT, _BOUNDS_SIGNAL, _BOUNDS_NOISE = (-9.0, 7.0), (-3.0, 3.0), (-13.0, 1.0)  # logarithms
_STEPS = 40  # of the search for the length scales


class Process:
    """A process that was fitted to rows and their targets, and what it expects of other rows."""

    def __init__(self, features: Features, rows: Rows, targets: Array, priors: Priors | None = None) -> None:
        self._features = features
        self._theta = _fitted(features, rows, targets, priors or Priors())
        self._weights = np.exp(self._theta[:-2])
        self.signal, self.noise = math.exp(self._theta[-2]), math.exp(self._theta[-1])
        self.condition(rows, targets)

    def condition(self, rows: Rows, targets: Array) -> None:
        """Take these rows and targets instead, with the length scales as they are."""
        self.rows, self.targets = rows, targets
        self._points = self._features.embedded(rows, self._weights)
        covariance = self.signal * _matern(_squared_distances(self._points, self._points))
        covariance[np.diag_indices_from(covariance)] += self.noise + _JITTER
        self._factor = cholesky(covariance, lower=True, check_finite=False)
        self._alpha = cho_solve((self._factor, True), targets, check_finite=False)

    def predict(self, rows: Rows) -> tuple[Array, Array]:
        """The mean and the deviation of the target at each row, noise not counted."""
        points = self._features.embedded(rows, self._weights)
        covariance = self.signal * _matern(_squared_distances(points, self._points))
        half = solve_triangular(self._factor, covariance.T, lower=True, check_finite=False)
        variance = self.signal - np.einsum("ij,ij->j", half, half)
        return covariance @ self._alpha, np.sqrt(np.maximum(variance, 1e-12))

    def means(self) -> Array:
        """The mean at each of the fitted rows: its target without what the process takes for noise."""
        return np.asarray(self.targets - (self.noise + _JITTER) * self._alpha)

    def left_out(self) -> Array:
        """What the process expects of each row from all others (Rasmussen & Williams 2006, 5.4.2)."""
        inverse = cho_solve((self._factor, True), np.eye(len(self.targets)), check_finite=False)
        return np.asarray(self.targets - self._alpha / np.diag(inverse))


def log_expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """The logarithm of the improvement expected over `best`, where less is better (Ament et al. 2023)."""
    z = (best - mean) / deviation
    near = np.maximum(z, -1.0)
    usual = np.log(np.exp(-0.5 * near**2) / math.sqrt(2 * math.pi) + near * ndtr(near))
    far = np.minimum(z, -1.0)
    # phi(z) + z Phi(z) = phi(z) (1 - |z| Phi(z) / phi(z)), with the quotient by the scaled error function
    quotient = math.sqrt(math.pi / 2) * erfcx(-far / math.sqrt(2)) * -far
    rest = np.where(far < -1e3, 1 / far**2, np.maximum(1 - quotient, 1e-300))  # its limit, where digits cancel
    tail = -0.5 * far**2 - 0.5 * math.log(2 * math.pi) + np.log(rest)
    return np.asarray(np.where(z > -1.0, usual, tail) + np.log(deviation))


def rank_correlation(one: Array, other: Array) -> float:
    """Spearman's; 0 where either is constant."""
    ranks = [np.searchsorted(np.sort(x), x, "left") + np.searchsorted(np.sort(x), x, "right") for x in (one, other)]
    centred = [rank - rank.mean() for rank in ranks]
    scale = math.sqrt(float((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum() / scale) if scale > 0 else 0.0


def _squared_distances(one: Array, other: Array) -> Array:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.maximum(squares, 0.0))


def _matern(squared: Array) -> Array:
    distance = _ROOT5 * np.sqrt(squared)
    return np.asarray((1 + distance + 5 / 3 * squared) * np.exp(-distance))


def _fitted(features: Features, rows: Rows, targets: Array, priors: Priors) -> Array:
    """The logarithms of the weights of the axes (one over the squared length scale), of the signal and of the noise."""
    if len(rows) > _MOST_FITTED:  # the better half whole, the rest evenly
        order = np.argsort(targets, kind="stable")
        half = _MOST_FITTED // 2
        rest = order[half:][np.linspace(0, len(order) - half - 1, half).astype(int)]
        chosen = np.sort(np.concatenate([order[:half], rest]))
        rows, targets = rows[chosen], targets[chosen]
    axes = len(features.axes)
    length, spread = priors.length
    middle = np.array([-2 * length] * axes + [priors.signal[0], priors.noise[0]])
    deviation = np.array([2 * spread] * axes + [priors.signal[1], priors.noise[1]])
    differences = features.squared_differences(rows).reshape(axes, -1)
    bounds = [_BOUNDS_WEIGHT] * axes + [_BOUNDS_SIGNAL, _BOUNDS_NOISE]
    best: Any = None
    for start in (middle, middle + np.array([2.0] * axes + [0.0, 4.0])):
        found = minimize(
            _cost,
            start,
            (differences, targets, middle, deviation),
            "L-BFGS-B",
            jac=True,
            bounds=bounds,
            options={"maxiter": _STEPS},
        )
        if best is None or found.fun < best.fun:
            best = found
    return np.asarray(best.x)


def _cost(theta: Array, differences: Array, targets: Array, middle: Array, deviation: Array) -> tuple[float, Array]:
    """Minus the logarithm of the posterior density, and its gradient. `differences` has shape (axes, rows * rows)."""
    count = len(targets)
    weights, signal, noise = np.exp(theta[:-2]), math.exp(theta[-2]), math.exp(theta[-1])
    squared = (weights @ differences).reshape(count, count)
    distance = _ROOT5 * np.sqrt(squared)
    decay = np.exp(-distance)
    correlation = (1 + distance + 5 / 3 * squared) * decay
    covariance = signal * correlation
    covariance[np.diag_indices(count)] += noise + _JITTER
    factor = cholesky(covariance, lower=True, check_finite=False)
    inverse = cho_solve((factor, True), np.eye(count), check_finite=False)
    alpha = inverse @ targets
    off = (theta - middle) / deviation
    cost = 0.5 * float(targets @ alpha) + float(np.log(np.diag(factor)).sum()) + 0.5 * float(off @ off)
    outer = inverse - np.outer(alpha, alpha)  # half of it times the derivative of the covariance is the cost's
    slope = outer * (-5 / 6 * signal) * (1 + distance) * decay
    gradient = np.empty_like(theta)
    gradient[:-2] = 0.5 * weights * (differences @ slope.ravel())
    gradient[-2] = 0.5 * signal * float((outer * correlation).sum())
    gradient[-1] = 0.5 * noise * float(np.trace(outer))
    return cost, gradient + off / deviation
