"""Importance: what explains the results, what does not, and what chance reaches."""

from __future__ import annotations

import math

import numpy
import pytest

from automl.reporting.figures.facts import Facts
from automl.reporting.figures.importance import LEAST, _bins, _ranks, _shares, importances, judged
from automl.search.history import Failure, Recommendation
from tests.reporting.page.made_records import Outcome, Train, accuracy, made, opened

RANDOM = "name: fashion\nnetwork: fashion_mnist\nalgorithm: random\nfinal: {repeats: 0}\nmax_recommendations: "


def facts(count: int, train: Train = accuracy, more: str = "") -> Facts:
    record = made(f"{RANDOM}{count}\n{more}", train)
    definition = opened(record)
    study = record.history(definition)
    return Facts(definition, study, record.metadata(), "")


def by(value: str) -> Train:
    """A training whose metric is one of its own values and nothing else."""

    def train(asked: Recommendation) -> Outcome:
        return ((asked.epochs, float(asked.values[value])),), None, ""

    return train


def noise(asked: Recommendation) -> Outcome:
    return ((asked.epochs, float(numpy.random.default_rng(asked.seed).random())),), None, ""


def test_the_parameter_that_decides_comes_first_and_passes_its_mark() -> None:
    first, *others = importances(facts(60, by("model.dropout")))
    assert first.axis.name == "model.dropout"
    assert first.share > 0.9
    assert all(each.share < 0.3 for each in others)
    assert first.share > first.chance


def test_of_parameters_that_do_not_matter_one_in_twenty_passes_its_mark() -> None:
    passed = [
        each.share > each.chance for seed in range(40) for each in importances(facts(40, noise, f"seed: {seed}\n"))
    ]
    assert len(passed) == 280
    assert 4 <= sum(passed) <= 28  # 14 expected


def test_fewer_experiments_than_can_say_anything_say_nothing() -> None:
    assert importances(facts(LEAST - 1, by("model.dropout"))) == ()
    assert len(importances(facts(LEAST, by("model.dropout")))) == 7


def test_results_that_are_all_alike_say_nothing() -> None:
    assert importances(facts(20, lambda asked: (((asked.epochs, 0.5),), None, ""))) == ()


def test_a_failure_counts_as_the_worst_unless_it_was_the_machines() -> None:
    def train(asked: Recommendation) -> Outcome:
        if asked.number in {3, 4}:
            return (), Failure.NOT_FINITE if asked.number == 3 else Failure.LOST, ""
        return noise(asked)

    found, ranks = judged(facts(20, train))
    rank = {each.number: value for each, value in zip(found, ranks.tolist(), strict=True)}
    assert 4 not in rank
    assert rank[3] == min(rank.values()) == 0.0


def test_in_a_halving_the_first_rungs_of_a_stage_are_compared() -> None:
    record = made("name: fashion\nnetwork: fashion_mnist\nR: 9\nfinal: {repeats: 0}\n", by("model.dropout"))
    definition = opened(record)
    study = record.history(definition)
    found, ranks = judged(Facts(definition, study, record.metadata(), ""))
    for stage in definition.plan.search:
        mine = [(each.experiment.values["model.dropout"], rank) for each, rank in zip(found, ranks, strict=True)
                if each.experiment.stage == stage.index]  # fmt: skip
        assert len(mine) == stage.experiments
        assert sorted(mine) == sorted(mine, key=lambda pair: pair[1])
        assert {min(rank for _, rank in mine), max(rank for _, rank in mine)} == {0.0, 1.0}


def test_epsilon_squared_by_hand() -> None:
    """Two bins {1, 2, 3} and {4, 5, 6}: between 13.5, total 17.5, so eta^2 = 27/35, less 1/5 of chance."""
    ranks = _ranks(numpy.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    share = _shares(numpy.array([0, 0, 0, 1, 1, 1]), ranks[None, :])
    assert share[0] == pytest.approx(1 - (1 - 27 / 35) * 5 / 4)


def test_equal_scores_share_their_rank_and_a_missing_one_is_the_lowest() -> None:
    assert _ranks(numpy.array([0.5, -math.inf, 0.5, 1.0, -math.inf])).tolist() == [0.625, 0.125, 0.625, 1.0, 0.125]


def test_equal_values_are_never_split_over_two_bins_and_absent_ones_have_their_own() -> None:
    places = [0.1] * 30 + [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] + [None] * 2
    bins = _bins(places)
    assert len(set(bins[:30].tolist())) == 1
    assert set(bins[-2:].tolist()) == {-1}
    assert -1 not in bins[:-2]
