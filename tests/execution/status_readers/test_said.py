"""Where the epoch of a number stands, in every way that programs have found to leave it out."""

from __future__ import annotations

import json
import math
from typing import Any, Literal

import pytest

from automl.execution.status_readers import MetricReadings, StatusRule, status_lines

Way = Literal["last", "next", "counted", "one"]


def said(way: Way, *lines: tuple[float | None, dict[str, float]], start: int = 0, **more: Any) -> MetricReadings:
    found = MetricReadings(StatusRule(without_epoch=way, **more), "score", start)
    for epoch, numbers in lines:
        found.add(epoch, numbers)
    return found


def test_after_the_line_of_its_epoch_and_repeated_on_the_next() -> None:
    """TAO's logger repeats the last validation on the line of the next epoch, before that one is validated."""
    lines = (
        (0, {"loss": 0.9}),
        (None, {"score": 10.0}),
        (1, {"loss": 0.8, "score": 10.0}),
        (None, {"score": 20.0}),
        (2, {"loss": 0.7, "score": 20.0}),
        (None, {"size": 1.0}),
    )
    found = said("last", *lines, first_epoch=0)
    assert found.values["score"] == {1: 10.0, 2: 20.0}
    assert found.values["loss"] == {1: 0.9, 2: 0.8, 3: 0.7}
    assert found.furthest == 3


def test_a_validation_before_the_training_takes_nothing_from_the_lines_that_name_epochs() -> None:
    found = said("last", (None, {"score": 1.0}), (1, {"score": 2.0}), (2, {"score": 3.0}))
    assert found.values["score"] == {0: 1.0, 1: 2.0, 2: 3.0}


def test_before_the_line_of_its_epoch() -> None:
    """TAO's PyTorch programs validate, then log the epoch; every second epoch here."""
    lines = (
        (0, {"train_loss": 2.0}),
        (None, {"score": 0.3}),
        (1, {"train_loss": 1.9, "score": 0.3}),
        (2, {"train_loss": 1.8, "score": 0.3}),  # not validated: the old value again
        (None, {"score": 0.5}),
        (3, {"train_loss": 1.7, "score": 0.5}),
        (None, {"score": 0.5}),  # "Train finished successfully."
    )
    found = said("next", *lines, first_epoch=0)
    assert found.values["score"] == {2: 0.3, 4: 0.5}
    assert found.values["train_loss"] == {1: 2.0, 2: 1.9, 3: 1.8, 4: 1.7}


def test_nan_can_mean_that_nothing_was_validated() -> None:
    found = said("last", (1, {"score": math.nan}), (2, {"score": 0.5}), nan_is_missing=True)
    assert found.values["score"] == {2: 0.5}


@pytest.mark.parametrize("start", [0, 3])
def test_validations_are_counted_from_where_the_training_goes_on(start: int) -> None:
    lines = ((None, {"loss": 9.0}), (None, {"score": 0.1, "acc": 1.0}), (None, {"loss": 8.0}), (None, {"score": 0.2}))
    found = said("counted", *lines, start=start)
    assert found.values["score"] == {start + 1: 0.1, start + 2: 0.2}
    assert found.values["acc"] == {start + 1: 1.0}
    assert found.furthest == start + 2


@pytest.mark.parametrize(("which", "value"), [("first", 0.1), ("last", 0.2), ("max", 0.3), ("min", 0.1)])
def test_a_whole_training_can_be_one_epoch(which: str, value: float) -> None:
    found = said("one", *((None, {"score": score}) for score in (0.1, 0.3, 0.2)), of_epoch=which)
    found.close()
    assert found.values["score"] == {1: value}
    assert found.furthest == 1


def test_its_status_lines_are_taos() -> None:
    found = said("last", (None, {"score": 9.0}), (1, {"score": 0.5, "loss": math.nan}), (2, {"score": math.inf}))
    lines = [json.loads(line) for line in status_lines(found).splitlines()]
    assert lines == [
        {"status": "RUNNING", "epoch": 1, "kpi": {"loss": "nan", "score": 0.5}},
        {"status": "RUNNING", "epoch": 2, "kpi": {"score": "inf"}},
    ]
