"""Recorded tables as problems of two losses: the recorded one, and the size of the network.

No table holds two measures. The second is counted from the configuration: the logarithm of how many weights lie behind
the first hidden layer. It is exact, so the whole front is known too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from automl.search.pareto import hypervolume
from benchmarks.tables import Table
from benchmarks.trade_off_functions import Losses, TradeOff

# Which parameters hold the widths of the hidden layers, and these widths.
_LAYERS: tuple[tuple[frozenset[str], Callable[[Mapping[str, Any]], Sequence[int]]], ...] = (
    (frozenset({"n_units_1", "n_units_2"}), lambda cell: (cell["n_units_1"], cell["n_units_2"])),
    (frozenset({"width", "depth"}), lambda cell: (cell["width"],) * cell["depth"]),
)


def of_tables(folder: Path) -> dict[str, TradeOff]:
    """A problem for each table of a folder whose parameters say how large the network is, by name."""
    problems = (of_table(Table(path)) for path in sorted(folder.glob("*.npz")))
    return {problem.name: problem for problem in problems if problem is not None}


def of_table(table: Table) -> TradeOff | None:
    """The table with the size as the second loss; None where no parameter says it.

    The reference is the median loss and the largest size.
    """
    names = {parameter.name for parameter in table.space.parameters}
    layers = next((layers for needed, layers in _LAYERS if needed <= names), None)
    if layers is None:
        return None
    rng = np.random.default_rng(0)  # no chance is left: the mean over all recorded seeds counts

    def losses(values: Mapping[str, Any]) -> Losses:
        return table.train(values, rng).true, _size(layers(table.nearest(values)))

    front = [(loss, _size(layers(cell))) for cell, loss in table.cells()]
    reference = (median(loss for loss, _ in front), max(size for _, size in front) + 0.1)
    return TradeOff(f"{table.name}_and_size", table.space, losses, reference, lambda: hypervolume(front, reference))


def _size(widths: Sequence[int]) -> float:
    """The logarithm of the weights between hidden layers of these widths, and from the last one to one output."""
    return math.log10(sum(one * other for one, other in pairwise(widths)) + widths[-1])
