"""Which configurations can be trained at all: learned from those that failed, of which no number is ever made up.

A Gaussian process is fitted to labels, -1 where a training gave a score and 1 where it failed (least-squares
classification; Rasmussen & Williams 2006, 6.5), and the probability that a configuration can be trained is that of a
label below 0. An acquisition function times this probability is the constrained one of Schonlau, Welch & Jones (1998)
and Gardner et al. (2014). The labels need length scales of their own: memory depends on few parameters, and mostly on
others than the metric does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import log_ndtr

from automl.search.history import Failure
from automl.search.surrogates.features import Features, Rows
from automl.search.surrogates.warp import Array
from automl.search.trial import Trial

# What says nothing of the configuration: the machine went away, or its storage, or the search ended.
_NOT_ITS_FAULT = {Failure.LOST, Failure.PREEMPTED, Failure.NO_CHECKPOINT, Failure.ENDED}
_LEANING = -0.4  # what is expected of a label where nothing is known: most configurations can be trained
_DOUBT = 0.05  # the variance of a label beyond the process's own
_BOUND = np.log(0.5)  # of the probability below which a configuration is avoided
_AVOIDED = 1e6  # more than any two acquisition functions differ by, in logarithms
_MOST = 150  # trials of each kind that are learned from, the last ones


def has_score(trial: Trial) -> bool:
    """Whether a trial gave a score; one that is not finite is a failure (state rule 8)."""
    return trial.score is not None and math.isfinite(trial.score)


def fails_by_itself(trial: Trial) -> bool:
    """Whether a failed trial failed because of its configuration."""
    return trial.failure not in _NOT_ITS_FAULT


class Feasibility:
    """What was learned from rows that could be trained and rows that failed; without one of each, all is feasible."""

    def __init__(self, features: Features, succeeded: Rows, failed: Rows) -> None:
        self._process: Any = None
        if len(succeeded) and len(failed) and features.axes:
            from automl.search.surrogates.process import Process  # noqa: PLC0415 - takes half a second

            rows = np.vstack([succeeded[-_MOST:], failed[-_MOST:]])
            labels = np.repeat([-1.0, 1.0], [len(succeeded[-_MOST:]), len(failed[-_MOST:])])
            self._process = Process(features, rows, labels - _LEANING)

    def log_probability(self, rows: Rows) -> Array:
        """The logarithm of the probability that each row can be trained."""
        if self._process is None:
            return np.zeros(len(rows))
        mean, deviation = self._process.predict(rows)
        return np.asarray(log_ndtr(-(mean + _LEANING) / np.sqrt(deviation**2 + _DOUBT)))

    def weighed(self, gains: Array, rows: Rows) -> Array:
        """The logarithms of an acquisition function at the rows, times the probability; what is avoided comes last."""
        if self._process is None:
            return gains
        logarithms = self.log_probability(rows)
        return np.asarray(gains + logarithms - _AVOIDED * (logarithms < _BOUND))

    def preferred(self, rows: Rows) -> int:
        """The first row that is not avoided; where all are, the one that is most likely to be trained."""
        logarithms = self.log_probability(rows)
        admitted = logarithms >= _BOUND
        return int(np.argmax(admitted)) if admitted.any() else int(np.argmax(logarithms))

    @property
    def words(self) -> str:
        """What follows from the failures, for a reason that has just counted them; empty where nothing failed."""
        return "" if self._process is None else "; similar ones are avoided"


def rows_of(features: Features, configurations: Sequence[tuple[Any, Any]]) -> Rows:
    """The rows of configurations, each given as values and cube, shape (configurations, axes)."""
    rows = [features.row(values, cube) for values, cube in configurations]
    return np.array(rows, dtype=float).reshape(len(rows), len(features.axes))
