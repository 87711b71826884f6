"""A runner was killed: what its attempts left on this machine is stored, when there is no doubt about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.execution.steps.propose import propose
from automl.execution.steps.salvage import note, salvage
from automl.search.agenda import runs_of_decision
from automl.search.history import Failure
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.record import Record
from tests.execution.steps.attempts import Attempt
from tests.simulation.studies import RANDOM, study


@pytest.fixture
def definition() -> Definition:
    return study(RANDOM)


def begun(folder: Path, definition: Definition, record: Record | None = None) -> Attempt:
    """An attempt at experiment 0 that has saved and reported epoch 1, and was seen to do so."""
    record = record or Record(MemoryStore())
    (run, *_) = runs_of_decision(propose(record, definition, 0, 0))
    asked = run.recommendation
    attempt = Attempt(folder / "attempts" / "a1", record, definition, asked)
    note(definition, attempt.launch, run)
    attempt.saves(1)
    attempt.reports(1, 0.5)
    attempt.observer.poll(1.0)
    return attempt


def test_whole_checkpoints_that_were_not_stored_yet_are_stored(tmp_path: Path, definition: Definition) -> None:
    attempt = begun(tmp_path, definition)
    attempt.saves(2)
    attempt.reports(2, 0.2)
    attempt.saves(3, "ha")
    salvage(attempt.record, definition, tmp_path / "attempts")
    assert attempt.stored() == [2, 1]
    manifest = attempt.record.manifest(attempt.record.checkpoints(0, 0)[0].manifest)
    assert manifest is not None
    assert (manifest.history, manifest.attempts, manifest.best_value) == (((1, 0.5), (2, 0.2)), ("a1",), 0.2)
    assert list((tmp_path / "attempts").iterdir()) == []


def test_what_is_stored_already_is_not_stored_again(
    tmp_path: Path, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = begun(tmp_path, definition)
    put = attempt.record.store.put
    written: list[str] = []

    def noting(key: str, data: bytes | Path) -> None:
        written.append(key.rpartition("/")[2])
        put(key, data)

    monkeypatch.setattr(attempt.record.store, "put", noting)
    salvage(attempt.record, definition, tmp_path / "attempts")
    assert written == ["status.json"]


def test_a_damaged_manifest_of_its_own_is_made_anew(tmp_path: Path, definition: Definition) -> None:
    attempt = begun(tmp_path, definition)
    attempt.saves(2)
    attempt.reports(2, 0.2)
    attempt.record.store.put(attempt.record.checkpoints(0, 0)[0].manifest, b"{")
    salvage(attempt.record, definition, tmp_path / "attempts")
    manifest = attempt.record.manifest(attempt.record.checkpoints(0, 0)[0].manifest)
    assert manifest is not None
    assert (manifest.epoch, manifest.history) == (2, ((1, 0.5), (2, 0.2)))


def test_an_attempt_of_another_study_at_the_same_place_is_thrown_away(tmp_path: Path, definition: Definition) -> None:
    attempt = begun(tmp_path, definition)
    attempt.saves(2)
    attempt.reports(2, 0.2)
    other = study(RANDOM, train_spec={"train.pause": 0.5})
    salvage(attempt.record, other, tmp_path / "attempts")
    assert attempt.stored() == [1]
    empty = Record(MemoryStore())
    attempt = begun(tmp_path, definition)
    salvage(empty, definition, tmp_path / "attempts")
    assert empty.store.list("") == []


def test_nothing_is_stored_where_the_result_stands(tmp_path: Path, definition: Definition) -> None:
    attempt = begun(tmp_path, definition)
    attempt.saves(2)
    attempt.reports(2, 0.2)
    attempt.observer.give_up(Failure.PREEMPTED, "too often")
    salvage(attempt.record, definition, tmp_path / "attempts")
    assert attempt.stored() == [1]


@pytest.mark.parametrize("text", [None, b"", b"{", b"[]", b'{"format": 1}', b'{"format": 99}'])
def test_a_folder_without_a_whole_note_is_thrown_away(
    tmp_path: Path, definition: Definition, text: bytes | None
) -> None:
    attempt = begun(tmp_path, definition)
    attempt.saves(2)
    attempt.reports(2, 0.2)
    path = attempt.launch.folder / "attempt.json"
    path.unlink()
    if text is not None:
        path.write_bytes(text)
    salvage(attempt.record, definition, tmp_path / "attempts")
    assert attempt.stored() == [1]
    assert list((tmp_path / "attempts").iterdir()) == []


def test_a_machine_that_trained_nothing_is_no_error(tmp_path: Path, definition: Definition) -> None:
    salvage(Record(MemoryStore()), definition, tmp_path / "attempts")
