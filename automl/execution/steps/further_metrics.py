"""The metrics of a training beside the first: objectives and constrained ones, by epoch, of any format."""

from __future__ import annotations

import math
from collections.abc import Mapping

from automl.execution.status_readers import Follower, why_no_metric
from automl.problem.metric import Metric
from automl.search.measurements import Measurements


class FurtherMetrics:
    """What was read of the further metrics, by name and epoch; nothing in a study of one metric."""

    def __init__(self, aim: Metric, before: Measurements) -> None:
        """`before` are those of the checkpoint from which the training goes on."""
        self._names = aim.further
        self._points: dict[str, dict[int, float]] = {name: dict(before.get(name, ())) for name in self._names}

    def take(self, values: Mapping[str, Mapping[int, float]], start: int) -> None:
        """Adds the finite values of epochs from `start` on. Of an epoch that was read before the first value counts."""
        for name in self._names:
            points = self._points[name]
            for epoch, value in values.get(name, {}).items():
                if epoch >= max(1, start) and math.isfinite(value):
                    points.setdefault(epoch, value)

    def until(self, epoch: int) -> Measurements:
        """What was read up to an epoch, in the order of epochs; a metric without a value is left out."""
        upto = {
            name: [point for point in sorted(points.items()) if point[0] <= epoch]
            for name, points in self._points.items()
        }
        return {name: tuple(points) for name, points in upto.items() if points}

    def missing(self, measured: Measurements, follower: Follower) -> str:
        """Why a training counts as infeasible that succeeded: a metric that it never reported; empty where none is."""
        missing = [name for name in self._names if name not in measured]
        return "; ".join(why_no_metric(follower, name) for name in missing)
