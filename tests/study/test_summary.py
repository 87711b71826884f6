"""What a study has found, from its record."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean

import pytest

from automl.problem.aim import Aim
from automl.search.history import Failure, History, Recommendation, Result
from automl.study import summary
from automl.study.definition import Definition
from automl.study.verdict import compared_by, verdict
from tests.reporting.page.made_records import Outcome, made, opened

SETTINGS = "name: fashion\nnetwork: fashion_mnist\nalgorithm: random\nmax_recommendations: 5\nfinal: {repeats: 3}\n"


def training(asked: Recommendation) -> Outcome:
    """The metric is the dropout; the second pair of the judgement has lost one side."""
    if asked.number == 9:  # 5, 6, 7 are the defaults again, 8, 9, 10 the best
        return (), Failure.ERROR, ""
    return well(asked)


def well(asked: Recommendation) -> Outcome:
    """The same without a loss."""
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


def test_of_several_metrics_the_first_counts_on_held_out_data_and_the_verdict_says_so() -> None:
    two = "metrics: [{name: val_accuracy, goal: maximize}, {name: latency_ms, goal: minimize}]\n"
    record = made(
        SETTINGS + two, well, further=lambda asked: {"latency_ms": ((1, 20 - 10 * asked.values["model.dropout"]),)}
    )
    definition = opened(record)
    study = record.history(definition)
    judged = verdict(definition, study)
    assert judged is not None
    aim = compared_by(definition, study)
    assert isinstance(aim, Aim)
    sides = [
        [
            aim.utility((one.held_out or 0.0, -one.measured["latency_ms"][0][1]))
            for one in map(_last(study), side.experiments)
        ]
        for side in (judged.default, judged.best)
    ]
    assert judged.gain == pytest.approx(mean(sides[1]) - mean(sides[0]))
    latencies = [study.results[number, 0].measured["latency_ms"][0][1] for number in judged.best.experiments]
    assert judged.best.further == {"latency_ms": pytest.approx(mean(latencies))}
    assert judged.judged_on == "held-out data"  # the values that are shown are those of the first
    said = "held-out data (val_accuracy) and as reported while it trained (latency_ms)"
    assert judged.gain_judged_on == judged.to_json()["gain_judged_on"] == said


def _last(study: History) -> Callable[[int], Result]:
    """The last result of an experiment by its number."""
    return lambda number: max(
        (result for (experiment, _), result in study.results.items() if experiment == number), key=lambda one: one.rung
    )
