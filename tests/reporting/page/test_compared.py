"""Pictures that compare settings take the values after equally long training, whatever each experiment ended with."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from automl.reporting.figures.compared import Compared, compared
from automl.reporting.figures.facts import read_facts
from automl.search.history import Recommendation
from automl.study.opened_study import OpenedStudy
from tests.reporting.page.made_records import Outcome, Train, made

HEAD = "name: fashion\nnetwork: fashion_mnist\nfinal: {repeats: 0}\n"
HYPERBAND = f"{HEAD}R: 9\nmax_epochs: 9\n"


def of(settings: str, train: Train) -> Compared:
    return compared(read_facts(OpenedStudy.read(made(settings, train))))


def slowly(asked: Recommendation) -> Outcome:
    """The value grows by 0.1 an epoch, whatever the settings, and less for later experiments."""
    return tuple((epoch, 0.1 * epoch - 0.001 * asked.number) for epoch in range(1, asked.epochs + 1)), None, ""


def at_ends(asked: Recommendation) -> Outcome:
    """A program that reports only after its last epoch."""
    return ((asked.epochs, 0.1 * asked.epochs - 0.001 * asked.number),), None, ""


def values(alike: Compared) -> Mapping[int, float | None]:
    return {one.number: one.value for one in alike.valued}


def test_all_are_compared_after_the_first_epoch_although_some_trained_on() -> None:
    alike = of(HYPERBAND, slowly)
    assert (alike.epochs, alike.missing) == (1, 0)
    assert values(alike) == pytest.approx({number: 0.1 - 0.001 * number for number in range(12)})
    assert [one.number for one in alike.valued] == list(range(12)), "so the order is that of the settings"
    assert alike.defaults is not None
    assert alike.defaults.value == pytest.approx(0.1)
    assert "after 1 epoch" in alike.note


def test_of_a_program_that_reports_late_most_are_compared_and_the_rest_counted() -> None:
    alike = of(HYPERBAND, at_ends)
    assert (alike.epochs, alike.missing) == (1, 3), "the second stage begins with 3 epochs"
    assert "3 experiments without a value" in alike.note
    assert values(alike) == pytest.approx({number: 0.1 - 0.001 * number for number in range(9)})


def test_where_all_train_equally_long_each_has_its_own_value() -> None:
    alike = of(f"{HEAD}algorithm: random\nmax_recommendations: 8\nmax_epochs: 3\n", slowly)
    assert (alike.epochs, alike.note) == (None, "")
    assert values(alike) == pytest.approx({number: 0.3 - 0.001 * number for number in range(8)})
