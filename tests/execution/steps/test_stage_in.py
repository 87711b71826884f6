"""What a training finds when it starts: its spec, and the right checkpoint or none at all."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from automl.errors import CheckpointError, UnknownFormat
from automl.execution.pod_contract import PREEMPTED
from automl.execution.steps.diagnosis import Ended
from automl.execution.steps.stage_in import stage_in
from automl.networks.checkpoints import Checkpoints
from automl.networks.spec_formats import get_path
from automl.search.history import Recommendation
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.record import Record
from automl.text import strict_json
from tests.execution.steps.attempts import Attempt, recommendation
from tests.simulation.studies import HALVING, NETWORK, study

FIRST, SECOND = recommendation(epochs=2), recommendation(epochs=4, resume_epoch=2)


@pytest.fixture
def definition() -> Definition:
    return study(HALVING)


@pytest.fixture
def record(tmp_path: Path, definition: Definition) -> Record:
    return two_epochs_done(tmp_path, definition)


def two_epochs_done(tmp_path: Path, definition: Definition) -> Record:
    """Experiment 0 has done two epochs at rung 0."""
    attempt = Attempt(tmp_path / "a1", Record(MemoryStore()), definition, FIRST)
    for epoch, loss in ((1, 0.5), (2, 0.4)):
        attempt.saves(epoch, f"weights of {epoch}")
        attempt.reports(epoch, loss)
        attempt.observer.poll(1.0)
    attempt.observer.finish(Ended(0), 1.0)
    return attempt.record


def resumed(record: Record, definition: Definition, folder: Path, asked: Recommendation = SECOND) -> str | None:
    """What the program is given to go on from; None to start anew."""
    launch = stage_in(record, definition, asked, 1, folder)
    path = json.loads((folder / "spec.json").read_text())["train"]["resume_from"]
    assert (path is None) == (launch.resume is None)
    return None if path is None else Path(path).read_text()


def test_a_promoted_experiment_goes_on_from_the_checkpoint_that_its_result_names(
    record: Record, definition: Definition, tmp_path: Path
) -> None:
    assert resumed(record, definition, tmp_path / "a2") == "weights of 2"


def test_a_new_experiment_starts_anew(definition: Definition, tmp_path: Path) -> None:
    assert resumed(Record(MemoryStore()), definition, tmp_path / "a2", recommendation()) is None


def test_a_checkpoint_of_another_epoch_than_promised_is_refused(
    record: Record, definition: Definition, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=r"is of epoch 2; allowed: epoch 3"):
        resumed(record, definition, tmp_path / "a2", recommendation(epochs=4, resume_epoch=3))


def test_a_manifest_that_lies_about_its_epoch_is_refused(
    record: Record, definition: Definition, tmp_path: Path
) -> None:
    key = record.checkpoints(0, 0)[0].manifest
    said = strict_json.load(record.store.get(key) or b"", key)
    record.store.put(key, strict_json.dump({**said, "epoch": 1}))
    with pytest.raises(CheckpointError, match="is of epoch 1; allowed: epoch 2"):
        resumed(record, definition, tmp_path / "a2")
    assert stage_in(record, definition, FIRST, 0, tmp_path / "a3").resume is None


def test_a_flipped_bit_is_found_by_its_sha256(record: Record, definition: Definition, tmp_path: Path) -> None:
    key = record.checkpoints(0, 0)[0].manifest.replace("manifest.json", "0")
    record.store.put(key, b"weights of 3")
    with pytest.raises(CheckpointError, match="does not match the sha256 of its manifest"):
        resumed(record, definition, tmp_path / "a2")
    assert not list((tmp_path / "a2").rglob("line_*"))


def test_a_file_or_manifest_that_is_gone_is_found(record: Record, definition: Definition, tmp_path: Path) -> None:
    key = record.checkpoints(0, 0)[0].manifest
    record.store.delete(key.replace("manifest.json", "0"))
    with pytest.raises(CheckpointError, match="a file of a checkpoint, is not in the store"):
        resumed(record, definition, tmp_path / "a2")
    record.store.delete(key)
    with pytest.raises(CheckpointError, match=r"manifest\.json is not in the store"):
        resumed(record, definition, tmp_path / "a3")


@pytest.mark.parametrize(
    "damage", [b"{", b"[]", b"{}", b'{"format": 1}', b'{"format": 1, "epoch": NaN}', b"\xff\xfe", b""]
)
def test_a_damaged_manifest_costs_its_checkpoint_and_not_the_study(
    record: Record, definition: Definition, tmp_path: Path, damage: bytes
) -> None:
    record.store.put(record.checkpoints(0, 0)[0].manifest, damage)
    with pytest.raises(CheckpointError):
        resumed(record, definition, tmp_path / "a2")


def test_a_manifest_of_a_newer_format_is_not_taken_for_damage(
    record: Record, definition: Definition, tmp_path: Path
) -> None:
    record.store.put(record.checkpoints(0, 0)[0].manifest, b'{"format": 99}')
    with pytest.raises(UnknownFormat):
        resumed(record, definition, tmp_path / "a2")


@pytest.mark.parametrize("name", ["../../out.json", "/tmp/out.json", "a/../../out.json", ""])
def test_a_manifest_cannot_write_outside_of_its_folder(
    record: Record, definition: Definition, tmp_path: Path, name: str
) -> None:
    key = record.checkpoints(0, 0)[0].manifest
    said = strict_json.load(record.store.get(key) or b"", key)
    said["files"][0]["name"] = name
    record.store.put(key, strict_json.dump(said))
    with pytest.raises(CheckpointError, match="outside its folder"):
        resumed(record, definition, tmp_path / "a2")


def test_a_result_without_a_checkpoint_cannot_be_gone_on_from(definition: Definition, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="names no checkpoint"):
        resumed(Record(MemoryStore()), definition, tmp_path / "a2")


def test_the_newest_checkpoint_of_an_attempt_at_this_rung_goes_first(
    record: Record, definition: Definition, tmp_path: Path
) -> None:
    cut_off = Attempt(tmp_path / "a2", record, definition, SECOND, rung=1)
    cut_off.saves(3, "weights of 3")
    cut_off.reports(3, 0.3)
    cut_off.observer.finish(Ended(PREEMPTED), 1.0)
    assert resumed(record, definition, tmp_path / "a3") == "weights of 3"
    key = record.checkpoints(0, 1)[0].manifest
    for damage in (b"weights of 4", None):  # what cannot be read is passed over for the one before
        if damage is None:
            record.store.put(key, b"{")
        else:
            record.store.put(key.replace("manifest.json", "0"), damage)
        assert resumed(record, definition, tmp_path / f"a-{damage is None}") == "weights of 2"


def test_a_checkpoint_in_place_lies_in_the_results_folder(tmp_path: Path) -> None:
    in_place = study(HALVING, network={"checkpoints": {"pattern": "line_{epoch}.json", "resume": "in_place"}})
    attempt = Attempt(tmp_path / "a1", Record(MemoryStore()), in_place, FIRST)
    for epoch, loss in ((1, 0.5), (2, 0.4)):
        attempt.saves(epoch, f"weights of {epoch}")
        attempt.reports(epoch, loss)
    attempt.observer.finish(Ended(0), 1.0)
    again = Attempt(tmp_path / "a2", attempt.record, in_place, SECOND, rung=1)
    assert (again.launch.results / "line_2.json").read_text() == "weights of 2"
    assert again.observer.poll(1.0) == []
    assert again.stored(rung=1) == []  # it is not a checkpoint of this attempt


@pytest.mark.parametrize("resume", ["path", "arguments"])
def test_words_are_added_to_the_command_of_a_training_that_goes_on(
    record: Record, definition: Definition, tmp_path: Path, resume: Literal["path", "arguments"]
) -> None:
    words = ("--weights", "{checkpoint}", "--initial_epoch={next_epoch}", "{epoch}")
    rule = Checkpoints(pattern="model_{epoch}.json", resume=resume, arguments=words)
    told = replace(definition, network=definition.network.model_copy(update={"checkpoints": rule}))
    first = stage_in(record, told, recommendation(number=1, epochs=2), 0, tmp_path / "a2")
    assert first.argv[-1] == str(tmp_path / "a2" / "results")
    later = stage_in(record, told, SECOND, 1, tmp_path / "a3")
    *same, flag, checkpoint, next_epoch, epoch = later.argv
    assert same == [word.replace("/a2/", "/a3/") for word in first.argv]
    assert (flag, next_epoch, epoch) == ("--weights", "--initial_epoch=3", "2")
    assert Path(checkpoint).read_text() == "weights of 2"


@pytest.mark.parametrize(("stopped", "told"), [(False, 2), (True, 4)])
def test_a_program_is_told_the_same_epochs_in_its_spec_and_in_its_command(
    tmp_path: Path, stopped: bool, told: int
) -> None:
    fields = {name: path for name, path in NETWORK["fields"].items() if name != "schedule_epochs"}
    command = [*NETWORK["command"], "{epochs}"]
    definition = study(HALVING, network={"command": command, "fields": fields, "stop_at_rung": stopped})
    asked = replace(recommendation(epochs=2), schedule_epochs=4)
    launch = stage_in(Record(MemoryStore()), definition, asked, 0, tmp_path / "a1")
    spec = json.loads((tmp_path / "a1" / "spec.json").read_text())
    assert (get_path(spec, fields["epochs"]), launch.argv[-1]) == (told, str(told))
