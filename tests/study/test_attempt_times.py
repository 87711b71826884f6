"""When attempts trained: what an observer leaves of it, what is read again, and what has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import RecordError, StoreError
from automl.execution.pod_contract import PREEMPTED
from automl.execution.steps.diagnosis import Ended
from automl.stores import open_store
from automl.stores.memory import MemoryStore
from automl.study.attempt_times import AttemptTimes, times_of_attempts, times_of_run, times_of_study
from automl.study.record import Record
from tests.command_line import automl
from tests.execution.steps.attempts import Attempt
from tests.small_network import write_small_study

NOON = 1_800_000_000.0


def attempt_at_noon(folder: Path, record: Record | None = None) -> Attempt:
    attempt = Attempt(folder, record)
    attempt.observer._clock = lambda: NOON
    return attempt


def test_an_attempt_says_when_it_began_saw_each_epoch_and_ended(tmp_path: Path) -> None:
    attempt = attempt_at_noon(tmp_path / "a1")
    attempt.observer.poll(0.0)
    assert times_of_study(attempt.record) == (AttemptTimes(0, 0, "a1", 0, NOON),)  # seen before its first epoch
    for epoch in (1, 2, 3):
        attempt.saves(epoch)
        attempt.reports(epoch, 0.5)
        attempt.observer.poll(10.0 * epoch)
    attempt.observer.finish(Ended(0), 31.5)
    epochs = ((1, NOON + 10), (2, NOON + 20), (3, NOON + 30))
    whole = (AttemptTimes(0, 0, "a1", 0, NOON, epochs, NOON + 31.5),)
    assert times_of_study(attempt.record) == whole
    assert times_of_run(attempt.record, 0, 0) == whole
    assert times_of_attempts(attempt.record, [(0, 0, "a1"), (0, 0, "another")]) == whole
    assert times_of_run(attempt.record, 0, 1) == ()


def test_an_attempt_that_goes_on_has_times_of_its_own(tmp_path: Path) -> None:
    first = attempt_at_noon(tmp_path / "a1")
    first.observer.poll(0.0)
    first.saves(1)
    first.reports(1, 0.5)
    first.observer.finish(Ended(PREEMPTED), 5.0)
    second = attempt_at_noon(tmp_path / "a2", first.record)
    second.observer._clock = lambda: NOON + 60
    second.observer.poll(0.0)
    found = times_of_run(first.record, 0, 0)
    assert [(each.attempt, each.start, each.began - NOON, each.ended) for each in found] == [
        ("a1", 0, 0, NOON + 5),
        ("a2", 1, 60, None),
    ]


def test_an_epoch_that_is_seen_while_the_store_is_away_is_stored_at_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = attempt_at_noon(tmp_path / "a1")
    attempt.observer.poll(0.0)
    attempt.reports(1, 0.5)
    with monkeypatch.context() as patched:
        patched.setattr(attempt.record.store, "put", _away)
        with pytest.raises(StoreError):
            attempt.observer.poll(7.0)
    attempt.observer.poll(8.0)
    assert times_of_study(attempt.record)[0].epochs == ((1, NOON + 7),)


def _away(*_: object) -> None:
    raise StoreError("the store is away")


@pytest.mark.parametrize("body", [b"{}", b"not json", b'{"format":1,"start":0,"began":"x","epochs":[],"ended":null}'])
def test_damaged_times_are_named(body: bytes) -> None:
    store = MemoryStore("memory:damaged")
    store.put("experiment_0/rung_0/a/times.json", body)
    with pytest.raises(RecordError, match=r"experiment_0/rung_0/a/times\.json"):
        times_of_study(Record(store))


def test_a_run_leaves_the_times_of_every_training_and_no_decision_sees_them(tmp_path: Path) -> None:
    stored = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_small_study(tmp_path / name, more="max_epochs: 3\n")
        assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path / name).code == 0
        record = Record(open_store(str(tmp_path / name / "study")))
        times = times_of_study(record)
        assert len(times) == len(record.store.list("results/"))
        for each in times:
            assert each.ended is not None
            assert each.began <= each.epochs[0][1] <= each.epochs[-1][1] <= each.ended
        keys = record.store.list("decisions/")
        stored.append({key: record.store.get(key) for key in keys})
    assert stored[0] == stored[1]
