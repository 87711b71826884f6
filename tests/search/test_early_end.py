"""The limits of a search, from facts alone: what is measured, what is reached, and that what is stored says it all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from automl.errors import RecordError
from automl.problem.metric import Metric
from automl.search.early_end import (
    End,
    Ending,
    Facts,
    Limit,
    Then,
    UnderWay,
    first_reached,
    in_words,
    measured,
    to_come_in_words,
)
from automl.search.history import Failure, Outcome
from automl.search.plan import Ended

ACCURACY, LOSS = Metric("accuracy", "maximize"), Metric("loss", "minimize")
NOTHING = Facts((), (), (), full=9, gpus=2, price=3.0)


def ended(experiment: int, value: float | None, epochs: int = 9, at: float | None = None) -> Ending:
    failure = Failure.ERROR if value is None else None
    return Ending(Outcome(experiment, 0, epochs, value, value, failure=failure), epochs, at)


def facts(*endings: Ending) -> Facts:
    return replace(NOTHING, endings=endings)


def now(limit: Limit, found: Facts, metric: Metric = ACCURACY) -> float | None:
    return measured({limit: 1.0}, found, metric)[0].now


@pytest.mark.parametrize("limit", Limit)
def test_nothing_is_reached_before_anything_trained(limit: Limit) -> None:
    assert first_reached({limit: 0.5 if limit is Limit.TARGET else 1}, NOTHING, ACCURACY) is None


@pytest.mark.parametrize(("metric", "reached"), [(ACCURACY, [0.9, 0.95]), (LOSS, [0.5, 0.9])])
def test_a_target_is_reached_in_the_direction_of_the_metric(metric: Metric, reached: list[float]) -> None:
    values = [value for value in (0.5, 0.9, 0.95) if first_reached({Limit.TARGET: 0.9}, facts(ended(0, value)), metric)]
    assert values == reached


def test_the_best_that_everything_names_counts_and_not_a_lucky_short_training() -> None:
    lucky = facts(ended(0, 0.99, epochs=1), ended(1, 0.8, epochs=9))
    assert now(Limit.TARGET, lucky) == 0.8


def test_full_trainings_in_a_row_without_improvement_are_counted_in_the_order_of_ends() -> None:
    values = [0.5, 0.7, 0.6, None, 0.8, 0.8]
    in_order = facts(*(ended(number, value, at=float(number)) for number, value in enumerate(values)))
    assert now(Limit.NO_IMPROVEMENT, in_order) == 1  # the later 0.8; a failure says nothing
    late = facts(*(ended(number, value, at=float(-number)) for number, value in enumerate(values)))
    assert now(Limit.NO_IMPROVEMENT, late) == 4
    short = facts(ended(0, 0.5), *(ended(number, 0.1, epochs=3) for number in range(1, 9)))
    assert now(Limit.NO_IMPROVEMENT, short) == 0


def test_epochs_are_those_trained_and_those_that_what_has_begun_may_train() -> None:
    found = replace(facts(ended(0, 0.5), ended(1, None, epochs=2)), under_way=(UnderWay(2, 0, 9),))
    assert now(Limit.EPOCHS, found) == 20


def test_hours_count_while_something_trains_and_gpu_hours_for_each() -> None:
    hour = 3600.0
    spans = ((0.0, hour), (hour / 2, 2 * hour), (10 * hour, 11 * hour))  # a night without training between
    found = replace(NOTHING, spans=spans)
    assert now(Limit.HOURS, found) == pytest.approx(3.0)
    assert now(Limit.GPU_HOURS, found) == pytest.approx(7.0)
    assert now(Limit.PRICE, found) == pytest.approx(21.0)
    assert now(Limit.PRICE, replace(found, price=None)) is None


def test_the_first_limit_in_the_order_of_the_file_format_is_named() -> None:
    found = facts(*(ended(number, 0.9, at=float(number)) for number in range(5)))
    reached = first_reached({Limit.EPOCHS: 10, Limit.TARGET: 0.9, Limit.NO_IMPROVEMENT: 2}, found, ACCURACY)
    assert reached is not None
    assert reached.limit is Limit.TARGET
    assert in_words(reached, ACCURACY) == "accuracy 0.9 reaches the target of 0.9"


def test_an_end_is_read_back_as_it_was_stored() -> None:
    found = replace(facts(ended(0, 0.5, at=7.5), ended(1, None)), under_way=(UnderWay(2, 1, 4),), spans=((1.0, 2.5),))
    for then in Then:
        end = End(Limit.EPOCHS, "enough", then, {Limit.EPOCHS: 9.0}, found, (Ended(1, 3, 22, 9, "enough"),))
        assert End.from_json(json.loads(json.dumps(end.to_json())), "ends/0.json") == end
        assert end.finishing == (((2, 1),) if then is Then.FINISH else ())
    by_plan = End(None)
    assert End.from_json(json.loads(json.dumps(by_plan.to_json())), "ends/0.json") == replace(by_plan, limits={})


@pytest.mark.parametrize(
    "change",
    [{"limit": "patience"}, {"then": 3}, {"facts": {"endings": []}}, {"stages": [{"decisions": "1"}]}, {"limits": 4}],
)
def test_a_damaged_end_is_named(change: dict[str, object]) -> None:
    stored = End(Limit.EPOCHS, "enough", Then.STOP, {Limit.EPOCHS: 9.0}, NOTHING).to_json()
    with pytest.raises(RecordError, match=r"ends/0\.json"):
        End.from_json({**stored, **change}, "ends/0.json")


def test_a_plan_says_when_the_search_ends_early() -> None:
    assert to_come_in_words({Limit.TARGET: 0.1, Limit.HOURS: 6}, Then.STOP, LOSS) == (
        "the search ends early at loss <= 0.1, or after 6 hours; what trains then is stopped, "
        "and the final judgement follows"
    )
