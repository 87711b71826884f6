"""Which checkpoints of a training are stored: whole ones alone, once each, and the best and the newest stay."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from automl.execution.pod_contract import PREEMPTED
from automl.execution.steps.diagnosis import Ended
from automl.search.history import Checkpoint
from tests.execution.steps.attempts import WELL, Attempt, recommendation, trains
from tests.simulation.studies import RANDOM, study


def test_a_program_that_is_killed_while_it_saves_leaves_nothing_to_go_on_from_but_what_was_whole(
    attempt: Attempt,
) -> None:
    trains(attempt, 0.5)
    attempt.saves(2)
    attempt.reports(2, 0.2)
    attempt.reports(3, 0.1)
    attempt.saves(3, "ha")  # and then: kill -9
    assert attempt.observer.finish(Ended(-9, again=True), 1.0) is None
    assert attempt.stored() == [2]


def test_a_program_that_reports_first_is_not_taken_at_its_word_while_it_saves(attempt: Attempt) -> None:
    attempt.reports(1, 0.5)
    attempt.saves(1, "ha")
    attempt.observer.poll(1.0)
    assert attempt.stored() == []
    attempt.saves(1, "half")  # it grows
    attempt.observer.poll(2.0)
    assert attempt.stored() == []
    attempt.observer.poll(3.0)  # it stood still between two looks
    assert attempt.stored() == [1]


@pytest.mark.parametrize("looks", [1, 3])
def test_which_checkpoint_is_the_best_does_not_hang_on_when_we_look(attempt: Attempt, looks: int) -> None:
    """The line of an epoch may come in two parts, its metric last (TAO's programs)."""
    for epoch, loss in ((1, 0.1), (2, 0.5), (3, 0.4)):
        attempt.saves(epoch)
        attempt.says(epoch=epoch)
        for _ in range(looks):
            attempt.observer.poll(1.0)
        attempt.says(kpi={"loss": loss})
    result = attempt.observer.finish(WELL, 1.0)
    assert result is not None
    assert (result.best_value, result.best and result.best.epoch) == (0.1, 1)


def test_a_diverged_epoch_is_nothing_to_go_on_from(attempt: Attempt) -> None:
    trains(attempt, 0.5, "nan")
    assert attempt.observer.finish(Ended(PREEMPTED), 1.0) is None
    assert attempt.stored() == [1]


def test_a_checkpoint_that_the_program_removes_while_we_look_harms_nobody(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, put = attempt.record.store, attempt.record.store.put
    attempt.saves(1)
    attempt.reports(1, 0.5)

    def remove_first(key: str, data: bytes | Path) -> None:
        if isinstance(data, Path) and data.name == "line_1.json":
            data.unlink()
        put(key, data)

    monkeypatch.setattr(store, "put", remove_first)
    attempt.observer.poll(1.0)
    assert attempt.stored() == []
    monkeypatch.setattr(store, "put", put)
    trains(attempt, 0.2, 0.4, first=2)
    assert attempt.observer.finish(WELL, 1.0) is not None


def test_a_checkpoint_that_changes_while_it_is_stored_is_stored_again(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = attempt.record.store.put
    attempt.saves(1, "old")
    attempt.reports(1, 0.5)

    def change_first(key: str, data: bytes | Path) -> None:
        put(key, data)
        if isinstance(data, Path) and data.name == "line_1.json":
            monkeypatch.setattr(attempt.record.store, "put", put)
            attempt.saves(1, "new")

    monkeypatch.setattr(attempt.record.store, "put", change_first)
    attempt.observer.poll(1.0)
    assert attempt.stored() == []
    attempt.observer.poll(1.0)
    attempt.observer.poll(1.0)
    manifest = attempt.record.manifest(attempt.record.checkpoints(0, 0)[0].manifest)
    assert manifest is not None
    assert attempt.record.store.get(manifest.file_key(0)) == b"new"


def test_checkpoints_in_folders_are_found_and_other_files_are_not(tmp_path: Path) -> None:
    definition = study(RANDOM, network={"checkpoints": {"pattern": "train/model epoch={epoch}.pth"}})
    attempt = Attempt(tmp_path / "a1", definition=definition, asked=recommendation(epochs=1))
    folder = attempt.launch.results / "train"
    folder.mkdir()
    for name in ("model epoch=1.pth", "model epoch=last.pth", "model epoch=1.pth.tmp", "xmodel epoch=1.pth"):
        (folder / name).write_text(name)
    attempt.reports(1, 0.5)
    result = attempt.observer.finish(WELL, 1.0)
    assert result is not None
    assert result.last is not None
    manifest = attempt.record.manifest(result.last.manifest)
    assert manifest is not None
    assert [file.name for file in manifest.files] == ["train/model epoch=1.pth"]


def test_a_best_checkpoint_that_a_zombie_has_dropped_is_not_named(attempt: Attempt, tmp_path: Path) -> None:
    """The zombie trains on from where we took over, finds a better one, and drops what we hold for the best."""
    trains(attempt, 0.1, 0.5)
    again = Attempt(tmp_path / "a2", attempt.record)
    assert again.observer.checkpoints.best is not None
    attempt.record.store.delete(again.observer.checkpoints.best.manifest)
    trains(again, 0.4, first=3)
    result = again.observer.finish(WELL, 1.0)
    assert result is not None
    assert (result.best_value, result.best) == (0.4, result.last)


def test_the_lines_of_an_epoch_are_stored_before_its_checkpoint(
    attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by a random schedule: who went on from a checkpoint whose lines were lost had a hole in its log."""
    put, written = attempt.record.store.put, []

    def noting(key: str, data: bytes | Path) -> None:
        written.append(key.rpartition("/")[2])
        put(key, data)

    monkeypatch.setattr(attempt.record.store, "put", noting)
    trains(attempt, 0.5)
    assert written == ["status.json", "0", "manifest.json", "times.json"]


def saves(attempt: Attempt, name: str, text: str = "whole") -> None:
    path = attempt.launch.results / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    attempt._touch(path)


def names_of(attempt: Attempt, checkpoint: Checkpoint | None) -> list[str]:
    assert checkpoint is not None
    manifest = attempt.record.manifest(checkpoint.manifest)
    assert manifest is not None
    for place, file in enumerate(manifest.files):
        data = attempt.record.store.get(manifest.file_key(place))
        assert data is not None
        assert sha256(data).hexdigest() == file.sha256
    return [file.name for file in manifest.files]


def test_a_checkpoint_that_is_a_folder_is_stored_with_all_that_lies_in_it(tmp_path: Path) -> None:
    rule = {"pattern": "model.epoch-{epoch}.tlt", "folder": True, "resume": "in_place"}
    attempt = Attempt(tmp_path / "a1", definition=study(RANDOM, network={"checkpoints": rule}))
    for epoch in (1, 2, 3):
        saves(attempt, f"model.epoch-{epoch}.tlt/variables/data")
        saves(attempt, f"model.epoch-{epoch}.tlt/graph", f"{epoch}")
        attempt.reports(epoch, 1 / epoch)
        attempt.observer.poll(epoch)
    saves(attempt, "weights/model.tlt")
    result = attempt.observer.finish(WELL, 1.0)
    assert result is not None
    assert names_of(attempt, result.last) == ["model.epoch-3.tlt/graph", "model.epoch-3.tlt/variables/data"]


def test_a_folder_that_still_grows_is_not_whole(tmp_path: Path) -> None:
    rule = {"pattern": "model_{epoch}", "folder": True}
    attempt = Attempt(tmp_path / "a1", definition=study(RANDOM, network={"checkpoints": rule}))
    attempt.reports(1, 0.5)
    for part in ("a", "b", "c"):
        saves(attempt, f"model_1/{part}")
        attempt.observer.poll(1.0)
        assert attempt.stored() == []
    attempt.observer.poll(1.0)
    assert attempt.stored() == [1]


def test_a_checkpoint_of_two_files_is_whole_when_both_are_there(tmp_path: Path) -> None:
    rule = {"pattern": "model.epoch-{epoch}.ckzip", "also": ["model.epoch-{epoch}.hdf5"], "resume": "in_place"}
    attempt = Attempt(tmp_path / "a1", definition=study(RANDOM, network={"checkpoints": rule}))
    for epoch in (1, 2, 3):
        saves(attempt, f"model.epoch-{epoch}.hdf5")
        if epoch != 3:
            saves(attempt, f"model.epoch-{epoch}.ckzip")
        attempt.reports(epoch, 1 / epoch)
        attempt.observer.poll(epoch)
    assert attempt.stored() == [2]
    result = attempt.observer.finish(WELL, 1.0)
    assert result is not None
    assert result.message == "no file model.epoch-{epoch}.ckzip with model.epoch-{epoch}.hdf5 of epoch 3 was written"
    assert names_of(attempt, result.last) == ["model.epoch-2.ckzip", "model.epoch-2.hdf5"]


def test_a_checkpoint_that_stood_still_and_then_went_on_is_stored_again(attempt: Attempt) -> None:
    """A slow disk: the program had written half of it, and we took that for whole."""
    attempt.reports(1, 0.5)
    attempt.saves(1, "half")
    attempt.observer.poll(1.0)
    attempt.observer.poll(2.0)
    assert attempt.stored() == [1]
    attempt.saves(1, "half and half")
    attempt.observer.poll(3.0)
    attempt.observer.poll(4.0)
    manifest = attempt.record.manifest(attempt.record.checkpoints(0, 0)[0].manifest)
    assert manifest is not None
    assert attempt.record.store.get(manifest.file_key(0)) == b"half and half"
