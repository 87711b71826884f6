"""Event files as TensorBoard's own writer, tensorboardX and torch write them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from automl.execution.status_readers import Follower, MetricReadings, StatusRule
from automl.execution.status_readers.event_files import EventFile, masked_checksum

STEPS = StatusRule(reader="tensorboard")
TAG = StatusRule(reader="tensorboard", epoch="epoch", first_epoch=0)


def read(folder: Path, rule: StatusRule = STEPS, pieces: int = 1) -> MetricReadings:
    """What the files of a folder say, each fed in so many pieces."""
    said = MetricReadings(rule)
    for path in sorted(folder.glob("*tfevents*")):
        data, parser = path.read_bytes(), EventFile(said)
        size = -(-len(data) // pieces)
        for start in range(0, len(data), size):
            parser.feed(data[start : start + size])
    return said


def test_what_tensorboardx_writes(tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for epoch in (1, 2, 3):
            writer.add_scalar("val/loss", 1 / epoch, epoch)
            writer.add_scalar("val/acc", float("nan") if epoch == 2 else 0.5, epoch)
            writer.add_text("note", "not a scalar", epoch)
    found = read(tmp_path)
    assert found.values["val/loss"] == {1: 1.0, 2: 0.5, 3: pytest.approx(1 / 3)}
    assert found.values["val/acc"][3] == 0.5
    assert (found.furthest, found.bad_lines) == (3, 0)
    assert repr(read(tmp_path, pieces=97).values) == repr(found.values)


@pytest.mark.parametrize("new_style", [False, True])
def test_what_torch_writes_as_a_number_or_as_a_tensor(tmp_path: Path, *, new_style: bool) -> None:
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    with tensorboard.SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.5, 1, new_style=new_style)
        writer.add_scalar("loss", 0.25, 2, new_style=new_style, double_precision=new_style)
    assert read(tmp_path).values == {"loss": {1: 0.5, 2: 0.25}}


def test_what_tensorboards_own_protocol_buffers_say_in_every_type(tmp_path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    tensors = {
        "float": TensorProto(dtype=1, float_val=[0.5]),
        "double": TensorProto(dtype=2, double_val=[0.25]),
        "int": TensorProto(dtype=3, int_val=[-7]),
        "int64": TensorProto(dtype=9, int64_val=[8]),
        "content": TensorProto(dtype=1, tensor_content=struct.pack("<f", 0.125)),
        "two": TensorProto(dtype=1, float_val=[1.0, 2.0]),
        "text": TensorProto(dtype=7, string_val=[b"x"]),
    }
    writer = EventFileWriter(str(tmp_path))
    values = [Summary.Value(tag=tag, tensor=tensor) for tag, tensor in tensors.items()]
    writer.add_event(Event(step=4, wall_time=1.0, summary=Summary(value=values)))
    writer.close()
    found = read(tmp_path)
    assert found.values == {
        "float": {4: 0.5},
        "double": {4: 0.25},
        "int": {4: -7.0},
        "int64": {4: 8.0},
        "content": {4: 0.125},
    }
    assert found.bad_lines == 0


def test_the_epoch_is_a_tag_of_the_same_step_before_or_after_the_metric(tmp_path: Path) -> None:
    """Lightning's TensorBoardLogger: the steps are batches, and the epoch is a scalar of its own."""
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("val_loss", 0.5, 99)
        writer.add_scalar("epoch", 0, 99)
        writer.add_scalar("train_loss", 0.6, 99)
        writer.add_scalar("epoch", 1, 199)
        writer.add_scalar("val_loss", 0.4, 199)
        writer.add_scalar("val_loss", 0.3, 299)  # of no epoch
    assert read(tmp_path, TAG).values == {
        "val_loss": {1: 0.5, 2: pytest.approx(0.4)},
        "train_loss": {1: pytest.approx(0.6)},
    }


def test_a_restart_begins_a_file_of_its_own_and_repeats_an_epoch(tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    for name, epochs in ((".a", (1, 2)), (".b", (2, 3))):
        with SummaryWriter(str(tmp_path / "logs"), filename_suffix=name) as writer:
            for epoch in epochs:
                writer.add_scalar("loss", epoch + (10 if name == ".b" else 0), epoch)
    following = Follower(STEPS, tmp_path, tmp_path / "log.txt", "loss", 0)
    following.read()
    assert following.readings.values == {"loss": {1: 1.0, 2: 2.0, 3: 13.0}}


def test_a_picture_is_passed_over_without_being_kept(tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.5, 1)
    data = next(tmp_path.glob("*tfevents*")).read_bytes()
    length = struct.pack("<Q", 3 << 20)
    picture = length + struct.pack("<I", masked_checksum(length)) + b"\0" * (3 << 20) + b"\0" * 4
    said = MetricReadings(STEPS)
    parser = EventFile(said)
    for start in range(0, len(picture), 1000):
        parser.feed(picture[start : start + 1000])
        assert len(parser._rest) < 2000
    parser.feed(data)
    assert said.values == {"loss": {1: 0.5}}


def test_after_damage_nothing_of_the_file_is_believed(tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer:
        for epoch in (1, 2):
            writer.add_scalar("loss", 0.5, epoch)
    path = next(tmp_path.glob("*tfevents*"))
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    place = 12 + length + 4 + 2  # in the length of the second record
    path.write_bytes(data[:place] + b"\xff" + data[place + 1 :])
    found = read(tmp_path)
    assert (found.values, found.bad_lines) == ({}, 1)
