"""What a study has found, from its record."""

from __future__ import annotations

import pytest

from automl.search.history import Failure, History, Recommendation
from automl.study import summary
from automl.study.definition import Definition
from automl.study.verdict import verdict
from tests.reporting.page.made_records import Outcome, made, opened

SETTINGS = "name: fashion\nnetwork: fashion_mnist\nalgorithm: random\nmax_recommendations: 5\nfinal: {repeats: 3}\n"


def training(asked: Recommendation) -> Outcome:
    """The metric is the dropout; the second pair of the judgement has lost one side."""
    if asked.number == 9:  # 5, 6, 7 are the defaults again, 8, 9, 10 the best
        return (), Failure.ERROR, ""
    return ((asked.epochs, asked.values["model.dropout"] + 0.001 * (asked.number % 3)),), None, ""


def walked(rungs: int | None) -> tuple[Definition, History]:
    record = made(SETTINGS, training, rungs=rungs)
    definition = opened(record)
    return definition, record.history(definition)


def test_gains_are_of_trainings_with_the_same_seed_where_both_ended_well() -> None:
    definition, study = walked(None)
    judged = verdict(definition, study)
    assert judged is not None
    best = summary.best_of_search(definition, study)
    assert best is not None
    issued = {each.number: each for decision in study.decisions for each in decision.issued}
    assert [issued[number].seed for number in (5, 6, 7)] == [issued[number].seed for number in (8, 9, 10)]
    expected = [study.results[8, 0].held_out - study.results[5, 0].held_out,  # type: ignore[operator]
                study.results[10, 0].held_out - study.results[7, 0].held_out]  # type: ignore[operator]  # fmt: skip
    assert judged.gains == pytest.approx(expected)


def test_there_is_no_gain_before_the_judgement() -> None:
    definition, study = walked(1)
    assert verdict(definition, study) is None


@pytest.mark.parametrize(("rungs", "state"), [(0, "not started"), (1, "judging"), (2, "done")])
def test_the_state_follows_the_record(rungs: int, state: str) -> None:
    assert summary.state(*walked(rungs)) == state
