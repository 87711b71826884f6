"""Who goes on, who is the best and who never is, where there are several metrics or constraints."""

from __future__ import annotations

import pytest

from automl.errors import RecordError
from automl.problem.aim import Aim, Constraint, Side
from automl.problem.metric import Metric
from automl.search.history import Checkpoint, Decision, Outcome, Result
from automl.search.no_winner import no_winner
from automl.search.promotion import promote
from automl.search.ranking import Among, best_outcome, best_outcomes, ranked

LATENCY = Metric("latency", "minimize")
TWO = Aim("acc", "maximize", (LATENCY,))
UNDER = Aim("acc", "maximize", (), (Constraint("latency", Side.BELOW, 20.0),))


def outcome(number: int, acc: float, latency: float | None, epochs: int = 9) -> Outcome:
    measured = {} if latency is None else {"latency": latency}
    return Outcome(number, 0, epochs, acc, acc, measured=measured, best_measured=measured)


def numbers(outcomes: list[Outcome]) -> list[int]:
    return [one.experiment for one in outcomes]


def test_a_rung_is_ordered_by_fronts_and_then_by_crowding() -> None:
    rung = [
        outcome(0, 0.5, 30.0),  # dominated by all but 4
        outcome(1, 0.9, 25.0),
        outcome(2, 0.6, 5.0),
        outcome(3, 0.8, 12.0),
        outcome(4, 0.4, 31.0),
    ]
    assert numbers(ranked(rung, TWO)) == [1, 2, 3, 0, 4]
    promotion = promote(rung, 2, TWO)
    assert [one.outcome.experiment for one in promotion.promoted] == [1, 2]
    assert "latency = 12" in next(one.reason for one in promotion.stopped if one.number == 3)


def test_the_infeasible_come_last_by_how_much_they_break() -> None:
    rung = [outcome(0, 0.9, 40.0), outcome(1, 0.8, 21.0), outcome(2, 0.1, 20.0), outcome(3, 0.99, None)]
    assert numbers(ranked(rung, UNDER)) == [2, 1, 0, 3]
    stopped = {one.number: one.reason for one in promote(rung, 1, UNDER).stopped}
    assert "infeasible: latency = 21, over 20 by 1" in stopped[1]
    assert "latency was never reported" in stopped[3]


def test_an_infeasible_experiment_is_never_the_best() -> None:
    assert numbers(best_outcomes([outcome(0, 0.9, 40.0), outcome(1, 0.2, 3.0)], UNDER, Among.LONGEST)) == [1]
    infeasible = [outcome(0, 0.9, 40.0), outcome(1, 0.9, 22.0), outcome(2, 0.9, None)]
    assert best_outcome(infeasible, UNDER, Among.ALL) is None
    error = no_winner(infeasible, UNDER)
    assert "no experiment meets the constraints (latency below 20)" in error.given
    assert "nearest is experiment 1, whose latency = 22, over 20 by 2" in error.given


def test_one_that_fails_the_constraint_when_trained_longer_does_not_count_by_what_it_was_before() -> None:
    outcomes = [outcome(0, 0.5, 10.0, epochs=3), outcome(0, 0.9, 30.0, epochs=9), outcome(1, 0.1, 10.0, epochs=9)]
    assert numbers(best_outcomes(outcomes, UNDER, Among.LONGEST)) == [1]
    assert numbers(best_outcomes(outcomes, UNDER, Among.ALL)) == [0, 1]


def test_the_knee_is_the_point_farthest_from_the_line_between_the_ends() -> None:
    front = [outcome(0, 0.0, 0.0), outcome(1, 0.75, 40.0), outcome(2, 0.9, 60.0), outcome(3, 1.0, 100.0)]
    assert best_outcome(front, TWO, Among.LONGEST) == front[1]  # 0.75 + 0.6 of the ranges; the next has 0.9 + 0.4


@pytest.mark.parametrize(("weights", "best"), [((1.0, 0.0), 3), ((0.0, 1.0), 0), ((1.0, 0.6), 2), ((1.0, 1.0), 1)])
def test_weights_choose_the_point(weights: tuple[float, float], best: int) -> None:
    front = [outcome(0, 0.0, 0.0), outcome(1, 0.75, 40.0), outcome(2, 0.9, 60.0), outcome(3, 1.0, 100.0)]
    aim = Aim("acc", "maximize", (LATENCY,), weights=weights)
    chosen = best_outcome([*front, outcome(4, 0.6, 90.0)], aim, Among.LONGEST)
    assert chosen is not None
    assert chosen.experiment == best


def test_a_constraint_on_the_first_metric_and_two_sides_of_one_count() -> None:
    bounds = (Constraint("acc", Side.ABOVE, 0.5), Constraint("latency", Side.ABOVE, 1.0))
    aim = Aim("acc", "maximize", (LATENCY,), bounds)
    assert aim.why_infeasible(0.4, {"latency": 0.5}) == "acc = 0.4, under 0.5 by 0.1; latency = 0.5, under 1 by 0.5"
    assert aim.violation(0.5, {"latency": 1.0}) == 0.0  # the limit itself is allowed
    assert aim.violation(0.25, {"latency": 0.5}) == pytest.approx(1.0)
    assert aim.further == ("latency",)


def result(best: int) -> Result:
    history = ((1, 0.5), (2, 0.9), (3, 0.8))
    measured = {"latency": ((2, 7.0), (3, 9.0)), "size": ((3, 4.0),)}
    checkpoint = Checkpoint("manifest.json", best)
    return Result(0, 0, ("a",), 3, 1.0, history, checkpoint, checkpoint, 0.9, measured=measured)


def test_further_metrics_go_with_their_epochs() -> None:
    seen = result(best=2).outcome()
    assert (seen.measured, seen.best_measured) == ({"latency": 9.0, "size": 4.0}, {"latency": 7.0, "size": 4.0})


def test_the_stored_forms_hold_further_metrics_and_leave_them_out_where_there_are_none() -> None:
    stored = result(best=2)
    assert Result.from_json(stored.to_json(), "result") == stored
    decision = Decision(0, 0, (stored.outcome(),), ())
    assert Decision.from_json(decision.to_json(), "decision") == decision
    plain = Result(0, 0, ("a",), 3, 1.0, ((3, 0.8),), best_value=0.8)
    assert "measured" not in plain.to_json()
    assert {"measured", "best_measured"}.isdisjoint(plain.outcome().to_json())


@pytest.mark.parametrize("points", [[[1, "nan"]], [[1, float("inf")]], [[1]], 3, [["a", 1.0]]])
def test_a_damaged_further_metric_is_refused(points: object) -> None:
    with pytest.raises(RecordError):
        Result.from_json({**result(best=2).to_json(), "measured": {"latency": points}}, "result")
