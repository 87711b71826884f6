"""Whether the order after a short training predicts that after a longer one, and what a study says if not."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from automl.analysis import rung_health as measure
from automl.analysis.explain import explain
from automl.analysis.rung_health import LEVEL, RungOrder, rung_orders
from automl.analysis.rung_warning import rung_health
from automl.analysis.status import status
from automl.reporting.figures.facts import Facts
from automl.reporting.page.answer import answer
from automl.reporting.rows import state_rows
from automl.search.history import History, Recommendation
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.record import Record
from tests.recorded_studies import recorded
from tests.simulation.studies import ASHA, HALVING, HYPERBAND_9, NETWORK, RANDOM, study

HYPERBAND_27 = {"algorithm": "hyperband", "R": 27, "nu": 3, "max_epochs": 27}


def crossing(asked: Recommendation, epoch: int) -> float:
    """Who begins the best ends the worst: the order turns between epochs 2 and 3."""
    height: float = asked.values["train.lr"]
    return 10 + (height if epoch <= 2 else -height * epoch)


def steady(asked: Recommendation, epoch: int) -> float:
    """Who begins the best ends the best."""
    height: float = asked.values["train.lr"]
    return height + 1 / epoch


def walked(
    settings: dict[str, Any], loss: Callable[[Recommendation, int], float]
) -> tuple[Definition, Record, History]:
    definition = study(settings)
    return definition, *recorded(MemoryStore(), definition, loss=loss)


def test_experiments_of_later_brackets_are_compared_too() -> None:
    definition, _, found = walked(HYPERBAND_27, steady)
    orders = {(order.shorter, order.longer): order for order in rung_orders(definition.plan, found)}
    counts = {lengths: (order.experiments, order.chosen) for lengths, order in orders.items()}
    assert counts == {
        (1, 3): (24, 9),
        (1, 9): (12, 6),
        (1, 27): (4, 4),
        (3, 9): (12, 6),
        (3, 27): (4, 4),
        (9, 27): (4, 4),
    }
    assert {order.correlation for order in orders.values()} == {1.0}


@pytest.mark.parametrize("settings", [HYPERBAND_27, HYPERBAND_9, HALVING, ASHA])
def test_rungs_that_predict_give_no_warning(settings: dict[str, Any]) -> None:
    definition, record, found = walked(settings, steady)
    health = rung_health(definition, found)
    assert health is not None
    assert (health.text, health.after(1)) == ("", "")
    assert "warning" not in dict(state_rows(status(record, definition)))


def test_the_length_of_all_trainings_is_compared_with_none() -> None:
    definition, record, found = walked(RANDOM, steady)
    assert rung_health(definition, found) is None
    assert status(record, definition).to_json()["rungs"] is None


def test_a_study_whose_curves_cross_says_so_everywhere() -> None:
    definition, record, found = walked({**HYPERBAND_27, "sampler": "uniform"}, crossing)
    said = (
        "short trainings mislead: the order after 1 epoch does not predict the order after 3 "
        "(rank correlation -1.00 of 24 experiments)"
    )
    what_to_do = "in a new study 'R: 9' with 'epoch_multiplier: 3' begins with 3 epochs"
    current = status(record, definition)
    rows = dict(state_rows(current))
    assert (rows["warning"], rows["what to do"]) == (said, what_to_do)
    stored = current.to_json()["rungs"]
    assert (stored["warning"], stored["advice"]) == (said, what_to_do)
    assert next((one["shorter"], one["longer"]) for one in stored["orders"] if one["misleads"]) == (1, 3)
    assert f"Warning: {said}; {what_to_do}." in str(answer(Facts(definition, found, {}, ""))).replace("&#x27;", "'")

    promoted = found.of_stage(0)[1].issued[0].number
    story = explain(definition, found, promoted).story
    assert "promoted" in story[1]
    assert story[2].startswith("a warning: the order after 1 epoch does not predict the order after 3")
    stopped = found.of_stage(0)[0].stopped or found.of_stage(0)[1].stopped
    assert not any("a warning" in line for line in explain(definition, found, stopped[0].number).story)


def test_the_advice_is_a_study_that_begins_with_as_many_epochs() -> None:
    definition, _, found = walked(HYPERBAND_27, crossing)
    assert rung_health(definition, found) is not None
    followed = study({"algorithm": "hyperband", "R": 9, "nu": 3, "epoch_multiplier": 3, "max_epochs": 27})
    assert followed.plan.stages[0].rungs[0].epochs == 3
    assert followed.plan.search[0].schedule_epochs == definition.plan.search[0].schedule_epochs


def test_a_program_without_a_schedule_of_the_whole_training_is_told_of_it() -> None:
    fields = {name: path for name, path in NETWORK["fields"].items() if name != "schedule_epochs"}
    definition = study(HYPERBAND_27, network={"fields": fields})
    _, found = recorded(MemoryStore(), definition, loss=crossing)
    health = rung_health(definition, found)
    assert health is not None
    assert "'stop_at_rung: true' or 'fields: schedule_epochs' in the network" in health.advice


def test_where_no_shorter_rung_is_left_full_trainings_are_advised() -> None:
    def late(asked: Recommendation, epoch: int) -> float:
        height: float = asked.values["train.lr"]
        return 10 + (height if epoch < 9 else -height)

    definition = study({**HYPERBAND_9, "R": 9, "random_stage": True, "max_epochs": 9})
    _, found = recorded(MemoryStore(), definition, loss=late)
    health = rung_health(definition, found)
    assert health is not None
    assert health.advice == "in a new study 'algorithm: bayesian' gives each experiment a full training"


def test_failures_are_compared_with_nobody() -> None:
    definition = study(HYPERBAND_27)
    _, found = recorded(MemoryStore(), definition, loss=steady, failing=(3, 30))
    first = rung_orders(definition.plan, found)[0]
    assert first.experiments == 23


def test_values_that_are_equal_after_the_longer_training_say_nothing() -> None:
    definition, _, found = walked(HYPERBAND_27, lambda asked, epoch: 1.0 if epoch >= 3 else asked.values["train.lr"])
    assert not any(order.misleads for order in rung_orders(definition.plan, found))


@pytest.mark.parametrize("correlation", [0.0, 0.3])
def test_the_likelihood_is_that_of_mallows_rankings(correlation: float) -> None:
    """Against the sum over all rankings of six."""
    ratio = measure._ratio(6, correlation)
    weights: dict[int, float] = {}
    for ranking in itertools.permutations(range(6)):
        discordant = sum(one > other for one, other in itertools.combinations(ranking, 2))
        weights[discordant] = weights.get(discordant, 0.0) + ratio**discordant
    total = sum(weights.values())
    mean = sum(discordant * weight for discordant, weight in weights.items()) / total
    assert 1 - 4 * mean / 30 == pytest.approx(correlation)
    for least in (0, 4, 9, 15):
        expected = sum(weight for discordant, weight in weights.items() if discordant >= least) / total
        assert measure._at_least(least, 6, correlation) == pytest.approx(expected)


def test_many_experiments_are_compared_by_the_normal_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    near = [measure._at_least(discordant, 60, 0.3) for discordant in (500, 620, 700, 800)]
    monkeypatch.setattr(measure, "_MOST_EXACT", 60)
    assert near == pytest.approx(
        [measure._at_least(discordant, 60, 0.3) for discordant in (500, 620, 700, 800)], abs=0.01
    )


def test_what_is_less_likely_than_the_level_misleads() -> None:
    order = RungOrder(1, 3, 9, 0, -0.5, LEVEL)
    assert order.misleads
    assert not replace(order, likelihood=LEVEL + 1e-6).misleads
