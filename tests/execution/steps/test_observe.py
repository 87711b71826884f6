"""What becomes of a training: its metric, its result, and every way in which it can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from automl.errors import StoreError
from automl.execution.pod_contract import PREEMPTED
from automl.execution.steps.diagnosis import Ended
from automl.search.history import MEANINGS, Failure
from automl.stores.memory import MemoryStore
from tests.execution.steps.attempts import KILLED, WELL, Attempt, trains
from tests.simulation.studies import RANDOM, study


def test_a_training_that_reaches_its_last_epoch_has_its_metric_and_both_checkpoints(attempt: Attempt) -> None:
    trains(attempt, 0.5, 0.2, 0.4)
    result = attempt.observer.finish(WELL, 3.0)
    assert result is not None
    assert (result.failure, result.value, result.best_value, result.epochs) == (None, 0.4, 0.2, 3)
    assert result.history == ((1, 0.5), (2, 0.2), (3, 0.4))
    assert result.last is not None
    assert (result.last.epoch, result.best and result.best.epoch) == (3, 2)
    assert attempt.stored() == [3, 2]  # the newest and the best; epoch 1 is dropped


def test_the_result_that_stands_is_returned_and_not_the_own(attempt: Attempt, tmp_path: Path) -> None:
    trains(attempt, 0.5, 0.2, 0.4)
    first = attempt.observer.finish(WELL, 3.0)
    zombie = Attempt(tmp_path / "a2", attempt.record)
    trains(zombie, 0.5, 0.2, 0.1)
    assert zombie.observer.finish(WELL, 9.0) == first


def says_nothing(_attempt: Attempt) -> None:
    """Not a line."""


def reports_three(attempt: Attempt) -> None:
    trains(attempt, 0.5, 0.2, 0.4)


def reports_nan_last(attempt: Attempt) -> None:
    trains(attempt, 0.5, 0.2, "nan")


def reports_infinity_last(attempt: Attempt) -> None:
    trains(attempt, 0.5, 0.2, "-inf")


def reports_two(attempt: Attempt) -> None:
    trains(attempt, 0.5, 0.2)


def reports_another_metric(attempt: Attempt) -> None:
    for epoch in (1, 2, 3):
        attempt.saves(epoch)
        attempt.says(epoch=epoch, kpi={"accuracy": 0.5})


def saves_no_last_checkpoint(attempt: Attempt) -> None:
    trains(attempt, 0.5, 0.2)
    attempt.reports(3, 0.4)


def says_why(attempt: Attempt) -> None:
    attempt.says(status="FAILURE", message="the gradient is on fire")


NO_FILE = "loss was never reported: no file status.json in the results folder, it is empty; see status.path"
OTHER = "loss was never reported in status.json, 3 lines read; reported were: accuracy"


@pytest.mark.parametrize(
    ("does", "ended", "failure", "message"),
    [
        (reports_nan_last, WELL, Failure.NOT_FINITE, "loss = nan at epoch 3"),
        (reports_infinity_last, WELL, Failure.NOT_FINITE, "loss = -inf at epoch 3"),
        (reports_nan_last, Ended(1), Failure.NOT_FINITE, "loss = nan at epoch 3"),
        (reports_two, WELL, Failure.SHORT, "ended after epoch 2 of 3"),
        (says_nothing, WELL, Failure.NO_METRIC, NO_FILE),
        (reports_another_metric, WELL, Failure.NO_METRIC, OTHER),
        (saves_no_last_checkpoint, WELL, Failure.NO_CHECKPOINT, "no file line_{epoch}.json of epoch 3 was written"),
        (reports_three, KILLED, Failure.KILLED, MEANINGS[Failure.KILLED]),
        (reports_three, Ended(137), Failure.KILLED, MEANINGS[Failure.KILLED]),
        (reports_two, Ended(1), Failure.ERROR, "exit code 1"),
        (says_why, Ended(1), Failure.ERROR, "exit code 1: the gradient is on fire"),
        (reports_three, Ended(-15, timed_out=True), Failure.TIMEOUT, "ran longer than None minutes"),
    ],
)
def test_every_way_to_fail_is_data_and_never_a_number(
    attempt: Attempt, does: Callable[[Attempt], None], ended: Ended, failure: Failure, message: str
) -> None:
    does(attempt)
    result = attempt.observer.finish(ended, 1.0)
    assert result is not None
    assert (result.failure, result.message, result.value) == (failure, message, None)
    outcome = result.outcome()
    assert (outcome.value, outcome.best_value, outcome.failure) == (None, None, failure)


def test_a_timed_out_program_that_answers_with_75_has_failed_and_is_not_run_again(attempt: Attempt) -> None:
    trains(attempt, 0.5)
    result = attempt.observer.finish(Ended(PREEMPTED, timed_out=True), 1.0)
    assert result is not None
    assert result.failure is Failure.TIMEOUT


def test_preemption_leaves_no_result_and_the_next_attempt_goes_on(attempt: Attempt, tmp_path: Path) -> None:
    trains(attempt, 0.5, 0.2)
    assert attempt.observer.finish(Ended(PREEMPTED), 2.0) is None
    assert attempt.record.result(0, 0) is None
    again = Attempt(tmp_path / "a2", attempt.record)
    assert again.observer.start_epoch == 2
    trains(again, 0.4, first=3)
    result = again.observer.finish(WELL, 1.0)
    assert result is not None
    assert result.attempts == ("a1", "a2")
    assert result.history == ((1, 0.5), (2, 0.2), (3, 0.4))
    assert result.seconds == 3.0
    assert result.best is not None
    assert "/a1/" in result.best.manifest


def test_the_epoch_that_it_goes_on_from_counts_when_it_is_reported_only_now(attempt: Attempt, tmp_path: Path) -> None:
    trains(attempt, 0.5)
    attempt.saves(2)  # preempted between the checkpoint and its line
    assert attempt.observer.finish(Ended(PREEMPTED), 1.0) is None
    again = Attempt(tmp_path / "a2", attempt.record)
    again.reports(2, 0.1)
    trains(again, 0.4, first=3)
    result = again.observer.finish(WELL, 1.0)
    assert result is not None
    assert result.history == ((1, 0.5), (2, 0.1), (3, 0.4))
    assert (result.best_value, result.best and result.best.epoch) == (0.1, 2)


def test_an_epoch_that_is_reported_again_keeps_its_first_value(attempt: Attempt, tmp_path: Path) -> None:
    trains(attempt, 0.5, 0.2)
    attempt.observer.finish(Ended(PREEMPTED), 1.0)
    again = Attempt(tmp_path / "a2", attempt.record)
    again.reports(2, 0.21)
    assert again.observer.poll(1.0) == []
    assert again.observer.history == {1: 0.5, 2: 0.2}


def test_epochs_beyond_those_asked_are_not_counted(attempt: Attempt) -> None:
    trains(attempt, 0.5, 0.2, 0.4, 0.0)
    result = attempt.observer.finish(WELL, 1.0)
    assert result is not None
    assert (result.epochs, result.value, result.best_value) == (3, 0.4, 0.2)
    assert result.last is not None
    assert result.last.epoch == 3


def test_a_store_that_refuses_is_heard(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt.saves(1)
    attempt.reports(1, 0.5)

    def refuse(_self: MemoryStore, key: str, _data: object) -> None:
        raise StoreError(f"{key}: 503")

    monkeypatch.setattr(MemoryStore, "put", refuse)
    with pytest.raises(StoreError, match="503"):
        attempt.observer.poll(1.0)


def test_a_network_without_checkpoints_has_the_last_value_as_its_best(tmp_path: Path) -> None:
    attempt = Attempt(tmp_path / "a1", definition=study(RANDOM, network={"checkpoints": None}))
    for epoch, loss in ((1, 0.1), (2, 0.5), (3, 0.4)):
        attempt.reports(epoch, loss)
    result = attempt.observer.finish(WELL, 1.0)
    assert result is not None
    assert (result.failure, result.value, result.best_value, result.best) == (None, 0.4, 0.4, None)


def test_the_last_line_of_the_log_says_why_a_program_failed(attempt: Attempt) -> None:
    attempt.launch.log.write_text("Traceback ...\n\nRuntimeError: the disk is full\n\n")
    result = attempt.observer.finish(Ended(1), 1.0)
    assert result is not None
    assert result.message == "exit code 1: RuntimeError: the disk is full"


def test_a_result_given_up_keeps_what_was_done(attempt: Attempt) -> None:
    trains(attempt, 0.5)
    result = attempt.observer.give_up(Failure.PREEMPTED, "x" * 9999)
    assert (result.failure, result.epochs, result.history) == (Failure.PREEMPTED, 1, ((1, 0.5),))
    assert len(result.message) == 500


def test_a_metric_without_an_epoch_is_a_failure_that_says_what_to_look_at(tmp_path: Path) -> None:
    rule = {"reader": "regex", "patterns": [r"loss=(?P<loss>\S+)", r"done (?P<epoch>\d+)"]}
    attempt = Attempt(tmp_path / "a1", definition=study(RANDOM, network={"status": rule, "checkpoints": None}))
    attempt.launch.log.write_text("loss=0.5\ndone 3\n")
    result = attempt.observer.finish(WELL, 1.0)
    assert result is not None
    assert (result.failure, result.message) == (
        Failure.NO_METRIC,
        "loss was reported of no epoch from 1 on: see 'status' in the network file",
    )


def test_a_status_file_that_cannot_be_read_is_a_failure_that_says_so(tmp_path: Path) -> None:
    definition = study(RANDOM, network={"status": {"reader": "csv", "path": "a.csv"}, "checkpoints": None})
    attempt = Attempt(tmp_path / "a1", definition=definition)
    (attempt.launch.results / "a.csv").mkdir()
    attempt.observer.poll(1.0)
    attempt.observer.follower.readings.furthest = 3
    result = attempt.observer.finish(WELL, 1.0)
    assert result is not None
    assert result.message == "loss was never reported: a.csv cannot be read: Is a directory"


def test_of_whatever_format_the_store_has_status_lines(tmp_path: Path) -> None:
    definition = study(RANDOM, network={"status": {"reader": "csv", "path": "a.csv"}, "checkpoints": None})
    attempt = Attempt(tmp_path / "a1", definition=definition)
    (attempt.launch.results / "a.csv").write_text("epoch,loss\n1,0.5\n2,0.4\n3,0.3\n")
    result = attempt.observer.finish(WELL, 1.0)
    assert result is not None
    assert (result.failure, result.value) == (None, 0.3)
    stored = attempt.record.store.get("experiment_0/rung_0/a1/status.json")
    assert stored is not None
    assert stored.splitlines()[2] == b'{"status": "RUNNING", "epoch": 3, "kpi": {"loss": 0.3}}'
