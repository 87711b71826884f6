"""Earlier searches have a say as far as they rank the study's own results, and none where they mislead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automl.search.earlier_search import EarlierSearch, FurtherMetric, ranks_of
from automl.search.surrogates.earlier import Earlier
from automl.search.surrogates.feasibility import rows_of
from automl.search.surrogates.features import Features
from automl.testing.spaces import MIXED


def bowl(values: Mapping[str, Any]) -> float:
    """Larger is better."""
    return -((math.log10(values["lr"]) + 3.0) ** 2) - abs(float(values["depth"]) - 2) / 4


def earlier_search(count: int = 40, *, sign: float = 1.0, scale: float = 1.0, shuffled: bool = False) -> EarlierSearch:
    """Random trials of the bowl, in units of their own."""
    rng = np.random.default_rng(3)
    values = [MIXED.sample(rng) for _ in range(count)]
    scores = [sign * scale * bowl(each) for each in values]
    if shuffled:
        scores = rng.permutation(scores).tolist()
    return EarlierSearch("before", "a study", count, ("lr",), (), tuple(values), ranks_of(scores), tuple(scores))


def beside(search: EarlierSearch, results: int = 6) -> Earlier:
    """The earlier search beside results of the bowl."""
    rng = np.random.default_rng(8)
    own = [MIXED.sample(rng) for _ in range(results)]
    features = Features(MIXED)
    rows = rows_of(features, [(values, MIXED.encode(values)) for values in own])
    losses = np.array([-bowl(values) for values in own])
    targets = (losses - losses.mean()) / (losses.std() or 1.0) if results > 1 else np.zeros(results)
    return Earlier.of(features, (search,), rows, targets)


def test_what_ranks_the_results_is_trusted_and_what_ranks_them_the_wrong_way_is_not() -> None:
    right, wrong = beside(earlier_search()), beside(earlier_search(sign=-1))
    assert right.trust > 0.3
    assert right.correlations[0] > 0.7
    assert wrong.trust == 0
    rows = Features(MIXED).draw(20, np.random.default_rng(0))
    assert np.ptp(right.mean(rows)) > 0.5
    assert np.ptp(wrong.mean(rows)) == 0
    assert "has no say" in wrong.words
    assert "counts with a weight of" in right.words


def test_an_order_that_is_noise_has_no_say_even_before_there_are_results() -> None:
    assert beside(earlier_search(shuffled=True), results=0).trust < 0.1
    assert beside(earlier_search(), results=0).trust > 0.3


def test_few_results_that_agree_by_chance_are_not_enough() -> None:
    weights = [beside(earlier_search(), results=count).trust for count in (2, 6, 20)]
    assert weights[0] == 0
    assert weights[0] < weights[1] < weights[2]


def test_units_do_not_matter() -> None:
    rows = Features(MIXED).draw(20, np.random.default_rng(0))
    one, other = (beside(earlier_search(scale=scale)).mean(rows) for scale in (1.0, 1e6))
    assert np.array_equal(one, other)


def test_of_two_the_one_that_is_right_counts() -> None:
    features = Features(MIXED)
    right, wrong = earlier_search(), earlier_search(sign=-1)
    alone = beside(right)
    rng = np.random.default_rng(8)
    own = [MIXED.sample(rng) for _ in range(6)]
    rows = rows_of(features, [(values, MIXED.encode(values)) for values in own])
    losses = np.array([-bowl(values) for values in own])
    both = Earlier.of(features, (wrong, right), rows, (losses - losses.mean()) / losses.std())
    assert both.trusts == (0.0, alone.trust)
    drawn = features.draw(20, rng)
    assert both.mean(drawn) == pytest.approx(alone.mean(drawn))
    assert features.cube(both.best_first()[0]) == pytest.approx(MIXED.encode(right.best_first[0]))


def test_ranks_are_shares_of_the_others_that_are_beaten() -> None:
    assert ranks_of([3.0, 1.0, 2.0]) == (1.0, 0.0, 0.5)
    assert ranks_of([1.0, 1.0, 5.0]) == (0.25, 0.25, 1.0)


def test_it_is_stored_and_read() -> None:
    search = earlier_search(5)
    again = EarlierSearch.from_json(search.to_json(), "here")
    assert vars(again) == vars(search)
    assert "further" not in search.to_json()  # as every record of one metric
    sizes = FurtherMetric("size", (None, 0.0, 1.0, 0.5, None), (None, 9.0, 3.0, 5.0, None))
    more = replace(search, further=(sizes,))
    assert vars(EarlierSearch.from_json(more.to_json(), "here")) == vars(more)
