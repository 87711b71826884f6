"""What earlier searches say of this one, and how far they are trusted: as far as they rank what is measured now.

Each earlier search has a process of its own, fitted to the order of its trials (normal scores), so its units do not
matter. Its mean, times its trust, is the prior mean of the study's process, which learns what is left (as the stacked
processes of Golovin et al., KDD 2017; ranks as in Feurer, Letham & Bakshy 2018, whose weights these are not).

The trust is the slope of the study's own targets on that mean: the posterior mean of a linear regression with a normal
prior, and never below 0. An earlier search that ranks the results the wrong way has no say after a few of them; one
whose order is noise has a flat mean, and says nothing from the start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtri

from automl.problem.search_space import SearchSpace
from automl.search.earlier_search import EarlierSearch
from automl.search.rules import EVIDENCE_FIRST, RULES
from automl.search.surrogates.feasibility import rows_of
from automl.search.surrogates.features import Features, Rows
from automl.search.surrogates.warp import Array

if TYPE_CHECKING:  # takes half a second, which is needed only where there is something to learn
    from automl.search.surrogates.process import Process

_SLOPE, _DOUBT = 0.7, 0.5  # the mean and the variance of the slope before any result: less than it could be
_RANKED, _ENOUGH = 0.6, 0.5  # a correlation that is supposed as if one result had shown it; from which on it is enough
_CERTAIN = 0.5  # what the correlation must be at least, by the results alone, for the whole trust
_NOISE, _ORDER = 0.2, 0.7  # how well the process of an earlier search predicts its own ranks: not at all, and enough
_FEW, _OF_FEW = 8, 0.5  # trials that are too few to say that, and what is supposed of their order
_KEPT = 8  # processes of earlier searches that are kept between proposals


@dataclass(frozen=True)
class Earlier:
    """Earlier searches beside the results of the study.

    `trusts` has a slope for each. `correlations` are those of the ranks that each predicts with the results, NaN where
    there are less than two. `agreeing` says which of them no result contradicts, so that its best is worth a training.
    `centre` is the mean prediction at the rows of the results.
    """

    searches: tuple[EarlierSearch, ...]
    features: Features
    trusts: tuple[float, ...]
    correlations: tuple[float, ...]
    agreeing: tuple[bool, ...]
    results: int
    centre: float = 0.0

    @classmethod
    def of(
        cls,
        features: Features,
        searches: tuple[EarlierSearch, ...],
        rows: Rows,
        targets: Array,
        *,
        rules: int = RULES,
    ) -> Earlier:
        """`targets` are those of the results at `rows`, smaller is better; fewer than two say nothing.

        By rules before `EVIDENCE_FIRST`, each is supposed to rank them well until they show otherwise.
        """
        from automl.search.surrogates.process import rank_correlation  # noqa: PLC0415

        trusts, correlations, centres, agreeing = [], [], [], []
        for search in searches:
            order = _order(features.space, search)
            if len(rows) < 2:
                trusts.append(_SLOPE * order)
                correlations.append(float("nan"))
                centres.append(0.0)
                agreeing.append(order > 0)
                continue
            predicted = _process(features.space, search).predict(rows)[0]
            centred = predicted - predicted.mean()
            slope = (_SLOPE / _DOUBT + float(centred @ targets)) / (1 / _DOUBT + float(centred @ centred))
            correlations.append(rank_correlation(predicted, targets))
            if rules < EVIDENCE_FIRST:
                expected = correlations[-1] + (_RANKED - correlations[-1]) / len(rows)
                trusts.append(order * max(slope, 0.0) * _between(expected, 0.0, _ENOUGH))
                agreeing.append(trusts[-1] > 0)
            else:
                agreeing.append(order > 0 and correlations[-1] > 0)
                trusts.append(order * max(slope, 0.0) * _between(_at_least(correlations[-1], len(rows)), 0.0, _CERTAIN))
            centres.append(float(predicted.mean()))
        earlier = cls(searches, features, tuple(trusts), tuple(correlations), tuple(agreeing), len(rows))
        return replace(earlier, centre=float(earlier._shares() @ np.array(centres)))

    @property
    def begins(self) -> bool:
        """Whether any has an order; then its best comes first in studies of before."""
        return any(_order(self.features.space, search) > 0 for search in self.searches)

    @property
    def trust(self) -> float:
        """The greatest trust in any of them; 0 where none has a say."""
        return max(self.trusts)

    def mean(self, rows: Rows) -> Array:
        """What they expect of the targets at each row, as far as they are trusted."""
        total = np.zeros(len(rows))
        for search, share in zip(self.searches, self._shares(), strict=True):
            if share > 0:
                total += share * _process(self.features.space, search).predict(rows)[0]
        return total - self.centre

    def best_first(self) -> Rows:
        """The best configuration of each search that no result contradicts, then the second ones, and so on."""
        ordered = [search.best_first for search, agrees in zip(self.searches, self.agreeing, strict=True) if agrees]
        longest = max((len(configurations) for configurations in ordered), default=0)
        mixed = [each[place] for place in range(longest) for each in ordered if place < len(each)]
        return _rows(self.features, mixed)

    def rows_with_weights(self, good: float) -> tuple[Rows, Array, Rows, Array]:
        """The good trials of all that have a say, a share `good` of each, their weights, and the others with theirs."""
        goods, others = [], []
        for search, trust in zip(self.searches, self.trusts, strict=True):
            if trust > 0:
                rows = _rows(self.features, search.best_first)
                count = max(1, round(good * len(rows)))
                goods.append((rows[:count], np.full(count, min(trust, 1.0))))
                others.append((rows[count:], np.full(len(rows) - count, min(trust, 1.0))))
        return (*_stacked(self.features, goods), *_stacked(self.features, others))

    @property
    def words(self) -> str:
        """Whether they had a say, for a reason."""
        said = []
        for place, (search, trust) in enumerate(zip(self.searches, self.trusts, strict=True)):
            how = "no result to compare with yet"
            if self.results >= 2:
                how = f"it ranks the {self.results} results with a correlation of {self.correlations[place]:.2f}"
            weight = f"counts with a weight of {trust:.2f}" if trust > 0 else "has no say"
            weight += ", but its best are tried" if trust == 0 and self.agreeing[place] else ""
            said.append(f"{search.source} {weight} ({how})")
        return "; earlier search: " + "; ".join(said)

    def _shares(self) -> Array:
        """How much of each mean is in the prior mean: weighted by trust, together as much as the most trusted."""
        trusts = np.array(self.trusts)
        total = trusts.sum()
        return np.asarray(trusts * trusts.max() / total if total > 0 else trusts)


class Informed:
    """A process whose prior mean is what earlier searches expect; it learns the rest."""

    def __init__(self, process: Process, earlier: Earlier, axes: int) -> None:
        """`process` is fitted to targets without the prior mean, which takes the first `axes` columns of a row."""
        self._process, self._earlier, self._axes = process, earlier, axes

    def condition(self, rows: Rows, targets: Array) -> None:
        self._process.condition(rows, targets - self._mean(rows))

    def predict(self, rows: Rows) -> tuple[Array, Array]:
        mean, deviation = self._process.predict(rows)
        return mean + self._mean(rows), deviation

    def means(self) -> Array:
        return self._process.means() + self._mean(self._process.rows)

    def left_out(self) -> Array:
        return self._process.left_out() + self._mean(self._process.rows)

    def _mean(self, rows: Rows) -> Array:
        return self._earlier.mean(rows[:, : self._axes])


def _at_least(correlation: float, results: int) -> float:
    """A lower bound of a rank correlation: one standard error below what results show of it.

    They are few, so one more is supposed, which shows none. The error is that of Pearson's under normal scores.
    """
    shown = correlation * (results - 1) / results
    return shown - (1 - shown**2) / math.sqrt(results - 1)


@lru_cache(maxsize=_KEPT)
def _process(space: SearchSpace, search: EarlierSearch) -> Process:
    """The process of an earlier search, fitted to the normal scores of its ranks."""
    from automl.search.surrogates.process import Process  # noqa: PLC0415

    features = Features(space)
    count = len(search.ranks)
    shares = (np.array(search.ranks) * (count - 1) + 0.5) / count
    return Process(features, _rows(features, search.values), -ndtri(shares))


@lru_cache(maxsize=_KEPT)
def _order(space: SearchSpace, search: EarlierSearch) -> float:
    """How much order there is in the ranks of an earlier search, 0 to 1: how well each is predicted from the others."""
    from automl.search.surrogates.process import rank_correlation  # noqa: PLC0415

    if len(search.ranks) < _FEW:
        return _OF_FEW
    process = _process(space, search)
    return _between(rank_correlation(process.left_out(), process.targets), _NOISE, _ORDER)


def _between(value: float, none: float, whole: float) -> float:
    """0 up to `none`, 1 from `whole` on, and in proportion between them."""
    return min(max((value - none) / (whole - none), 0.0), 1.0)


def _rows(features: Features, configurations: Sequence[Mapping[str, Any]]) -> Rows:
    return rows_of(features, [(values, features.space.encode(values)) for values in configurations])


def _stacked(features: Features, parts: list[tuple[Rows, Array]]) -> tuple[Rows, Array]:
    rows = [rows for rows, _ in parts] or [np.empty((0, len(features.axes)))]
    weights = [weights for _, weights in parts] or [np.empty(0)]
    return np.vstack(rows), np.concatenate(weights)
