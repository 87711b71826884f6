"""What the samplers that learn propose beside earlier searches that are right, and beside those that mislead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from automl.search.algorithms import SAMPLERS, NamedSampler
from automl.search.earlier_search import EarlierSearch
from automl.search.samplers.base import Proposal, Request, Trial
from automl.testing.spaces import MIXED
from tests.search.surrogates.test_earlier import bowl, earlier_search

WARM = [name for name, row in SAMPLERS.items() if row.warms]
EVEN = [name for name in WARM if name != "cma_es"]  # those that begin with even points
each_warm = pytest.mark.parametrize("name", WARM)
each_even = pytest.mark.parametrize("name", EVEN)


def propose(name: str, trials: list[Trial], *earlier: EarlierSearch, count: int = 1) -> tuple[Proposal, ...]:
    first = max(len(trials) - 1, 0)
    request = Request(count, first, 19, (5, 0, first + 1), chosen=(MIXED.defaults(),), epochs=9, earlier=earlier)
    return NamedSampler(name).propose(MIXED, trials, request)


def trials_of(*values: Mapping[str, Any]) -> list[Trial]:
    return [Trial(each, bowl(each), epochs=9) for each in (MIXED.defaults(), *values)]


@each_even
def test_one_that_misleads_costs_nothing_once_the_first_results_show_it(name: str) -> None:
    wrong, known = earlier_search(sign=-1), trials_of()
    for _ in range(7):
        proposal = propose(name, known, wrong)[0]
        assert proposal.values == propose(name, known)[0].values  # as if there were no earlier search
        known = trials_of(*(trial.values for trial in known[1:]), proposal.values)
    assert "has no say (it ranks the 7 results with a correlation of -" in proposal.reason


@each_even
def test_what_is_right_has_every_other_start_and_the_turns_after_them(name: str) -> None:
    right = earlier_search()
    even = [propose(name, trials_of())[0].values]
    known = trials_of(even[0], right.best_first[0], right.best_first[-1], right.best_first[10])
    first, second, third, fourth, after = (propose(name, known[:count], right)[0] for count in (1, 2, 3, 4, 5))
    assert first.values == even[0]
    assert second.values == right.best_first[0]
    assert "has no say, but its best are tried (it ranks the 2 results" in second.reason  # two may agree by chance
    assert "that fills the space evenly" in third.reason
    for reason in (fourth.reason, after.reason):
        assert "that fills the space evenly" not in reason
        assert "counts with a weight of" in reason


@each_even
def test_studies_of_before_trust_two_results_and_give_the_best_a_place_of_its_own(name: str) -> None:
    right, wrong = earlier_search(), earlier_search(sign=-1)

    def of_before(search: EarlierSearch, known: list[Trial]) -> str:
        first = len(known) - 1
        request = Request(1, first, 19, (5, 0, first + 1), chosen=(MIXED.defaults(),), epochs=9, earlier=(search,))
        return NamedSampler(name, rules=6).propose(MIXED, known, request)[0].reason

    assert "counts with a weight of" in of_before(right, trials_of(right.best_first[0]))
    assert "point 4 of a sequence" in of_before(wrong, trials_of(wrong.best_first[0], *wrong.values[:3]))


@each_warm
def test_without_results_no_configuration_is_proposed_twice(name: str) -> None:
    proposals = propose(name, [], earlier_search(), earlier_search(9), count=6)
    assert len({MIXED.encode(proposal.values) for proposal in proposals}) == 6


@each_warm
def test_it_is_the_same_in_every_call(name: str) -> None:
    known = trials_of(*earlier_search(6).values)
    one, other = (propose(name, known, earlier_search()) for _ in range(2))
    assert one == other


def test_cma_es_begins_at_the_best_of_it() -> None:
    right = earlier_search()
    known = trials_of(*earlier_search(4).values)
    near = propose("cma_es", known, right, count=12)
    far = propose("cma_es", known, count=12)
    best = MIXED.encode(right.best_first[0])

    def distance(proposals: tuple[Proposal, ...]) -> float:
        return sum(sum(abs(a - b) for a, b in zip(MIXED.encode(p.values), best, strict=True)) for p in proposals)

    assert distance(near) < distance(far)
