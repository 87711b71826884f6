"""Whatever a training program writes, and however it is cut off, its status file is read as far as it goes."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl import training
from automl.execution.status_readers import MetricReadings
from automl.execution.status_readers.json_lines import TaoStatus


def read(*lines: Any) -> MetricReadings:
    """What was said after these lines: mappings as JSON, bytes as they are."""
    said = MetricReadings()
    parser = TaoStatus(said)
    for line in lines:
        parser.feed(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
    return said


def epoch(number: int, **kpi: Any) -> dict[str, Any]:
    return {"status": "RUNNING", "epoch": number, "kpi": kpi}


def test_what_our_own_programs_write_is_read(tmp_path: Path) -> None:
    training.started(tmp_path)
    training.report(tmp_path, 1, metrics={"loss": 0.5, "accuracy": 1}, max_epoch=3, seconds=2.0)
    training.report(tmp_path, 2, metrics={"loss": float("nan"), "accuracy": float("-inf")})
    training.finished(tmp_path)
    reader = read((tmp_path / "status.json").read_bytes())
    assert (reader.epoch, reader.furthest, reader.bad_lines, reader.failure) == (2, 2, 0, "")
    assert reader.values["loss"][1] == 0.5
    assert math.isnan(reader.values["loss"][2])
    assert reader.values["accuracy"] == {1: 1.0, 2: -math.inf}


def test_a_line_is_read_when_its_end_is_there() -> None:
    line = json.dumps(epoch(1, loss=0.5)).encode()
    said = MetricReadings()
    parser = TaoStatus(said)
    for place in range(len(line)):
        parser.feed(line[place : place + 1])
        assert said.values == {}
    parser.feed(b"\n")
    assert said.values == {"loss": {1: 0.5}}


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_where_the_file_is_cut_makes_no_difference(seed: int, pieces: int) -> None:
    lines = [epoch(number, loss=number / 7, name="ü") for number in range(1, 20)]
    text = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
    rng = random.Random(seed)  # noqa: S311 - chance, not a secret
    cuts = sorted(rng.randrange(len(text) + 1) for _ in range(pieces))
    said = MetricReadings()
    parser = TaoStatus(said)
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        parser.feed(text[start:end])
    assert said == read(text)
    assert said.bad_lines == 0


def test_a_restart_that_appends_after_half_a_line_costs_that_line_alone() -> None:
    torn = json.dumps(epoch(2, loss=0.4)).encode()[:17]
    reader = read(epoch(1, loss=0.5), torn, b"\n", epoch(2, loss=0.4), epoch(3, loss=0.3))
    assert reader.values == {"loss": {1: 0.5, 2: 0.4, 3: 0.3}}
    assert reader.bad_lines == 1
    glued = read(epoch(1, loss=0.5), torn, epoch(2, loss=0.4), epoch(3, loss=0.3))  # without a new line of its own
    assert glued.values == {"loss": {1: 0.5, 3: 0.3}}
    assert glued.bad_lines == 1


def test_an_epoch_that_a_restart_reports_again_keeps_its_first_value() -> None:
    reader = read(epoch(1, loss=0.5), epoch(2, loss=0.4), epoch(2, loss=0.41), epoch(3, loss=0.3))
    assert reader.values == {"loss": {1: 0.5, 2: 0.4, 3: 0.3}}


@pytest.mark.parametrize(
    "garbage",
    [
        b"Traceback (most recent call last):\n",
        b"\x00\xff\xfe\x80\n",
        b"{\n",
        b"[]\n",
        b'"text"\n',
        b"7\n",
        b"null\n",
        b"{} {}\n",
        b'{"epoch": 1, "kpi": {"loss": 0.5}\n',
        b"[" * 100_000 + b"\n",
        b'{"a": ' * 100_000 + b"\n",
        b'{"epoch": ' + b"9" * 10_000 + b"}\n",
        b"{'epoch': 2}\n",
        json.dumps(epoch(9, loss=9)).encode("utf-16") + b"\n",
    ],
)
def test_garbage_is_counted_and_passed_over(garbage: bytes) -> None:
    reader = read(epoch(1, loss=0.5), garbage, epoch(2, loss=0.4))
    assert reader.values == {"loss": {1: 0.5, 2: 0.4}}
    assert reader.bad_lines == garbage.count(b"\n")


def test_blank_lines_and_windows_line_ends_are_no_garbage() -> None:
    reader = read(b"\n", b"  \r\n", json.dumps(epoch(1, loss=0.5)).encode() + b"\r\n")
    assert (reader.values, reader.bad_lines) == ({"loss": {1: 0.5}}, 0)


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    said = MetricReadings()
    parser = TaoStatus(said)
    parser.feed(data)
    parser.feed(b"\n" + json.dumps(epoch(1, loss=0.5)).encode() + b"\n")
    assert said.values.get("loss", {}).get(1) == 0.5


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["epoch", "kpi", "graphical", "status", "message"]), json_values))
def test_no_members_make_it_fail(line: dict[str, Any]) -> None:
    reader = read(line, epoch(3, loss=0.5))
    assert reader.values["loss"][3] == 0.5 or "loss" in str(line)
    assert all(type(value) is float for found in reader.values.values() for value in found.values())


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (0.5, 0.5),
        (1, 1.0),
        ("0.25", 0.25),
        (" 1e-3 ", 0.001),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
        (10**400, math.inf),
        (-(10**400), -math.inf),
        ("1e400", math.inf),
    ],
)
def test_numbers_are_numbers_even_as_text(said: Any, number: float) -> None:
    assert read(epoch(1, loss=said)).values == {"loss": {1: number}}


@pytest.mark.parametrize("said", ["nan", "NaN", "-nan", math.nan])
def test_nan_in_any_spelling_is_nan(said: Any) -> None:
    assert math.isnan(read(epoch(1, loss=said)).values["loss"][1])


@pytest.mark.parametrize("said", [None, True, False, "", "high", "0,5", [0.5], {"value": 0.5}])
def test_what_is_no_number_is_no_value(said: Any) -> None:
    assert read(epoch(1, loss=said)).values == {}


def test_nan_between_evaluations_gives_way_to_the_number_of_its_epoch() -> None:
    """TAO's Keras programs write 'nan' where they have not evaluated yet."""
    reader = read(epoch(1, loss="nan"), epoch(1, loss="0.5"), epoch(1, loss="nan"), epoch(1, loss="0.7"))
    assert reader.values == {"loss": {1: 0.5}}


def test_values_that_stick_to_later_lines_do_not_replace_any() -> None:
    """TAO's logger repeats the last kpi on every line until it is set anew."""
    reader = read(
        {"status": "STARTED"},
        epoch(1, map=0.1),
        {"status": "RUNNING", "kpi": {"map": 0.1}},
        epoch(2, map=0.2),
        {"status": "RUNNING", "message": "checkpoint saved", "kpi": {"map": 0.2}},
        {"status": "SUCCESS", "kpi": {"map": 0.2, "size": 5.4, "param_count": 11.0}},
    )
    assert reader.values == {"map": {1: 0.1, 2: 0.2}, "size": {2: 5.4}, "param_count": {2: 11.0}}


def test_a_metric_without_an_epoch_is_of_the_last_epoch_named() -> None:
    reader = read({"kpi": {"loss": 9.0}}, {"epoch": 1}, {"kpi": {"loss": 0.5}}, {"epoch": 2}, {"kpi": {"loss": 0.4}})
    assert reader.values == {"loss": {0: 9.0, 1: 0.5, 2: 0.4}}


def test_graphical_wins_over_kpi_on_one_line_in_whatever_order() -> None:
    groups = {"graphical": {"loss": 0.5, "lr": 0.1}, "kpi": {"loss": 0.6}}
    for line in (groups, dict(reversed(groups.items()))):
        assert read({"epoch": 1, **line}).values == {"lr": {1: 0.1}, "loss": {1: 0.5}}


@pytest.mark.parametrize(("said", "expected"), [(3, 3), (3.0, 3), ("3", 3), (3.5, 1), (-3, 1), ("x", 1), (True, 1)])
def test_an_epoch_is_a_whole_number(said: Any, expected: int) -> None:
    reader = read({"epoch": 1}, {"epoch": said})
    assert (reader.epoch, reader.furthest) == (expected, expected)


@pytest.mark.parametrize("said", [10**30, "inf", "nan", math.inf])
def test_an_epoch_beyond_reason_is_none(said: Any) -> None:
    assert read({"epoch": 1}, {"epoch": said}).epoch == 1


def test_the_furthest_epoch_stays_when_a_later_line_names_an_earlier_one() -> None:
    reader = read(epoch(5, loss=0.5), {"epoch": 0, "message": "testing"})
    assert (reader.epoch, reader.furthest) == (0, 5)


def test_the_last_failure_is_kept_and_not_without_end() -> None:
    reader = read({"status": "FAILURE", "message": "one"}, {"status": "failure", "message": "x" * 5000})
    assert reader.failure == "x" * 1000
    assert read({"status": "FAILURE"}).failure == ""
