"""JSON lines, tables and logs: cut anywhere, torn, long, or not what they should be."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.execution.status_readers import PARSERS, MetricReadings, StatusRule

JSON = StatusRule(reader="json_lines", path="metrics.jsonl")
CSV = StatusRule(reader="csv", path="metrics.csv")
LOG = StatusRule(reader="regex", patterns=(r"Epoch (?P<epoch>\d+)/\d+", r"val_loss[:=] ?(?P<val_loss>[-+.\w]+)"))
RULES = {"json_lines": JSON, "csv": CSV, "regex": LOG, "tensorboard": StatusRule(reader="tensorboard")}


def read(rule: StatusRule, text: str | bytes) -> MetricReadings:
    said = MetricReadings(rule)
    PARSERS[rule.reader](said).feed(text if isinstance(text, bytes) else text.encode())
    return said


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@given(data=st.binary(max_size=400), seed=st.integers(0, 99))
def test_no_bytes_make_a_reader_fail_and_cuts_make_no_difference(rule: StatusRule, data: bytes, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - chance, not a secret
    cut = rng.randrange(len(data) + 1)
    said = MetricReadings(rule)
    parser = PARSERS[rule.reader](said)
    parser.feed(data[:cut])
    parser.feed(data[cut:])
    whole = read(rule, data)
    assert (repr(said.values), said.furthest, said.bad_lines) == (repr(whole.values), whole.furthest, whole.bad_lines)


def test_every_number_of_a_json_line_is_a_metric_by_its_path() -> None:
    lines: list[dict[str, Any]] = [
        {"epoch": 1, "val": {"loss": 0.5, "by_class": {"cat": 1}}, "note": "first", "ok": True},
        {"epoch": 2, "val": {"loss": "0.25"}},
    ]
    found = read(JSON, "".join(json.dumps(line) + "\n" for line in lines))
    assert found.values == {"val.loss": {1: 0.5, 2: 0.25}, "val.by_class.cat": {1: 1.0}}


def test_the_epoch_can_lie_inside_and_count_from_0() -> None:
    rule = StatusRule(reader="json_lines", path="m.jsonl", epoch="trainer.epoch", first_epoch=0)
    assert read(rule, '{"trainer": {"epoch": 0}, "loss": 3}\n').values == {"loss": {1: 3.0}}


def test_a_line_of_a_mebibyte_is_passed_over_and_the_next_is_read() -> None:
    for rule, line in ((JSON, '{"epoch": 2, "loss": 1}\n'), (LOG, "Epoch 2/3 val_loss=1\n")):
        said = MetricReadings(rule)
        parser = PARSERS[rule.reader](said)
        for _ in range(5):
            parser.feed(b"x" * 400_000)
        parser.feed(b"\n" + line.encode())
        assert (list(said.values.values()), said.bad_lines) == ([{2: 1.0}], 1)


def test_a_table_is_read_by_the_names_of_its_columns() -> None:
    found = read(CSV, "epoch,loss,acc\n1,0.5,0.8\n2,nan,0.9\n")
    assert found.values["acc"] == {1: 0.8, 2: 0.9}
    assert found.values["loss"][1] == 0.5
    assert found.furthest == 2


def test_a_table_that_fills_some_columns_of_an_epoch_in_each_line() -> None:
    """Lightning's CSVLogger."""
    found = read(CSV, "epoch,step,train_loss,val_loss\n1,10,0.5,\n1,10,,0.6\n2,20,0.4,\n2,20,,0.5\n")
    assert found.values["train_loss"] == {1: 0.5, 2: 0.4}
    assert found.values["val_loss"] == {1: 0.6, 2: 0.5}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_by_other_signs_with_quotes_windows_line_ends_and_a_byte_order_mark(delimiter: str) -> None:
    text = '\ufeffepoch,"val loss"\r\n1,0.5\r\n'.replace(",", delimiter)
    assert read(CSV, text).values == {"val loss": {1: 0.5}}


def test_a_table_with_torn_rows_and_the_header_again_after_a_restart() -> None:
    found = read(CSV, "epoch,loss\n1,0.5\n2,\n2\nepoch,loss\n2,0.4\n3,0.3")
    assert found.values == {"loss": {1: 0.5, 2: 0.4}}  # the last line has no end
    assert found.bad_lines == 1


def test_a_log_with_the_epoch_on_another_line_than_the_metric() -> None:
    text = "loading\nEpoch 1/3\n  val_loss: 0.5  lr 0.1\nEpoch 2/3\n  val_loss: 0.4\n  saved\n"
    found = read(LOG, text)
    assert (found.values, found.bad_lines, found.lines) == ({"val_loss": {1: 0.5, 2: 0.4}}, 0, 4)


def test_a_log_with_a_progress_bar_and_colours() -> None:
    text = "\x1b[32mEpoch 1/3\x1b[0m\r 10%|#   |\r100%|####| val_loss=\x1b[1m0.5\x1b[0m\r\nEpoch 2/3 val_loss=nan\n"
    found = read(LOG, text)
    assert found.values["val_loss"][1] == 0.5
    assert found.furthest == 2


def test_what_stands_beyond_a_thousand_characters_of_a_log_line_is_not_searched() -> None:
    assert read(LOG, f"Epoch 1/3 {'x' * 1000} val_loss=1\n").values == {}


def test_a_pattern_of_quadratic_cost_is_quick_enough_on_the_longest_line() -> None:
    rule = StatusRule(reader="regex", patterns=(r".*x.*loss=(?P<loss>\S+)",))
    said = MetricReadings(rule)
    PARSERS["regex"](said).feed(b"x" * 500_000 + b"\n")  # would take hours, uncut
    assert said.lines == 0
