"""What programs print in other ways than a pattern expects: half numbers, nan, progress bars, colours, long searches.

Each row is a member of a kind: the text, and the values that must be read of it, or why none may be.
"""

from __future__ import annotations

import math
import random

import pytest

from automl.execution.status_readers import PARSERS, MetricReadings, StatusRule

DIGITS = r"val_loss=(?P<val_loss>[0-9.]+)"
WORD = r"val_loss=(?P<val_loss>\S+)"
NUMBER = r"val_loss=(?P<val_loss>{number})"
EPOCH = r"Epoch (?P<epoch>\d+)"


def read(text: str | bytes, *patterns: str, close: bool = True, **rule: str | bool) -> MetricReadings:
    readings = MetricReadings(StatusRule.model_validate({"reader": "regex", "patterns": patterns, **rule}), "val_loss")
    parser = PARSERS["regex"](readings)
    parser.feed(text if isinstance(text, bytes) else text.encode())
    if close:
        parser.close()
        readings.close()
    return readings


def value(text: str, pattern: str) -> float | None:
    """What is read of one line about epoch 1; None where nothing is."""
    return read(f"Epoch 1\n{text}\n", EPOCH, pattern).values.get("val_loss", {}).get(1)


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("9.1e-05", "9.1e-05"),
        ("9.1E+5", "9.1E+5"),
        ("1.e-05", "1.e-05"),
        ("0,87", "0,87"),
        ("1,234.5", "1,234.5"),
        ("12,345", "12,345"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
    ],
)
def test_a_pattern_that_takes_a_part_of_a_number_is_refused_by_name(written: str, whole: str) -> None:
    readings = read(f"Epoch 1\nval_loss={written}\n", EPOCH, DIGITS)
    assert readings.values.get("val_loss") is None
    pattern = repr(DIGITS)
    assert readings.refused["val_loss"].startswith(f"the pattern {pattern} takes ")
    assert readings.refused["val_loss"].endswith(f" out of {whole!r}; write (?P<val_loss>{{number}})")


@pytest.mark.parametrize("pattern", [r"val_loss=.*(?P<val_loss>\d)", r"val_loss=-?(?P<val_loss>[0-9.]+)"])
def test_a_pattern_that_begins_inside_a_number_is_refused(pattern: str) -> None:
    readings = read("Epoch 1\nval_loss=-0.87\n", EPOCH, pattern)
    assert readings.refused["val_loss"].endswith("out of '-0.87'; write (?P<val_loss>{number})")


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("val_loss=0.5", DIGITS, 0.5),
        ("val_loss=0.5,acc=3", DIGITS, 0.5),
        ("val_loss=0.5, 0.6", DIGITS, 0.5),
        ("val_loss=0.5%", DIGITS, 0.5),
        ("val_loss=1.", DIGITS, 1.0),
        ("val_loss=5 of 9", DIGITS, 5.0),
        ("[0.5,0.6]", r"\[(?P<val_loss>[0-9.]+),", 0.5),
        ("3,4,5", r"^(?P<val_loss>\d+),", 3.0),
        ("2026-11-28 12:30:45 val_loss=0.5", DIGITS, 0.5),
        ("model-0.5", r"model-(?P<val_loss>[0-9.]+)", 0.5),
        ("3,0.25", r"^(?P<step>\d+),(?P<val_loss>[0-9.]+)", 0.25),
        ("3,4", r"^(?P<step>\d+),(?P<val_loss>\d+)", 4.0),
        *[(f"val_loss={text}", NUMBER, float(text)) for text in ("9.1e-05", "-3", "+.5", "1.", "1.e3", "7E-2", "0")],
    ],
)
def test_a_whole_number_is_read(text: str, pattern: str, expected: float) -> None:
    readings = read(f"Epoch 1\n{text}\n", EPOCH, pattern)
    assert (readings.values["val_loss"], readings.refused) == ({1: expected}, {})


@pytest.mark.parametrize(
    "pattern", [DIGITS, WORD, NUMBER, r"val_loss=(?P<val_loss>\d+)", r"_loss=(?P<val_loss>[\d.]+)"]
)
@pytest.mark.parametrize("written", ["nan", "NaN", "inf", "-inf", "Infinity", "-nan"])
def test_a_number_that_is_not_finite_counts_whatever_the_pattern(pattern: str, written: str) -> None:
    readings = read(f"Epoch 1\nval_loss=0.5\nEpoch 2\nval_loss={written} lr=0.1\n", EPOCH, pattern.replace("0.5", ""))
    assert not math.isfinite(readings.values["val_loss"][2])


def test_a_nan_beside_the_metric_hides_it_not() -> None:
    pattern = r"loss=(?P<loss>[0-9.]+) val_loss=(?P<val_loss>[0-9.]+)"
    readings = read("Epoch 1 loss=nan val_loss=0.5\n", EPOCH, pattern)
    assert readings.values["val_loss"] == {1: 0.5}
    assert math.isnan(readings.values["loss"][1])


def test_words_that_hold_nan_are_none() -> None:
    assert value("val_loss=0.5 in nano/nan.txt, banana", DIGITS) == 0.5
    assert value("information, nan.txt", r"n, (?P<val_loss>[0-9.]+)") is None


BARS = {
    "of tqdm": (
        "\rEpoch 1/3:   0% loss=2.0 \rEpoch 1/3: 100% loss=0.1\nEpoch 2/3: 0% loss=3.0\rEpoch 2/3: 100% loss=0.2",
        2,
    ),
    "with line ends of windows": ("Epoch 1: loss=2.0\rEpoch 1: loss=0.1\r\nEpoch 2: loss=0.2\r\n", 2),
    "on one line through all epochs": ("\rEpoch 1 loss=2.0\rEpoch 1 loss=0.1\rEpoch 2 loss=9\rEpoch 2 loss=0.2\n", 2),
    "the epoch in the first state alone": ("Epoch 1\r  0% loss=2\r100% loss=0.1\r\nEpoch 2\r 0%\r loss=0.2\n", 2),
    "of keras": (
        "Epoch 1/2\n1/9 [>...] loss=2.0\x08\x08\x08\r9/9 [===] loss=0.1\nEpoch 2/2\n loss=4\r\x08 loss=0.2\n",
        2,
    ),
    "and its line wiped": ("Epoch 1 loss=2.0\r\x1b[KEpoch 1 loss=0.1\r\x1b[2K\nEpoch 2 loss=0.2\x1b[0K\n", 2),
}


@pytest.mark.parametrize(("text", "epochs"), BARS.values(), ids=BARS)
def test_of_a_line_that_is_written_over_itself_the_last_state_counts(text: str, epochs: int) -> None:
    readings = read(text, r"Epoch (?P<epoch>\d+)", r" loss=(?P<loss>{number})")
    assert readings.values["loss"] == {1: 0.1, 2: 0.2}
    assert readings.furthest == epochs


@pytest.mark.parametrize("text", [text for text, _ in BARS.values()], ids=BARS)
def test_where_the_text_is_cut_makes_no_difference(text: str) -> None:
    patterns = (r"Epoch (?P<epoch>\d+)", r" loss=(?P<loss>{number})")
    rng = random.Random(0)  # noqa: S311 - chance, not a secret
    for _ in range(20):
        readings = MetricReadings(StatusRule(reader="regex", patterns=patterns))
        parser = PARSERS["regex"](readings)
        data = text.encode()
        while data:
            length = rng.randrange(1, 9)
            parser.feed(data[:length])
            data = data[length:]
        parser.close()
        assert readings.values == read(text, *patterns).values


@pytest.mark.parametrize(
    "escape",
    [
        "\x1b[1m",
        "\x1b[38;2;1;2;3m",
        "\x1b[38:5:1m",
        "\x1b[?25l",
        "\x1b[2K",
        "\x1b[1;1H",
        "\x1b]0;a title\x07",
        "\x1b]8;;http://localhost\x1b\\",
        "\x1b(B",
        "\x1b=",
        "\x1bM",
        "\x9b1m",
        "\x08",
        "\x00",
    ],
)
def test_what_a_terminal_makes_of_a_line_is_left_out(escape: str) -> None:
    assert value(f"{escape}val_loss{escape}={escape}0.5{escape}", DIGITS) == 0.5


@pytest.mark.parametrize(("of_epoch", "expected"), [("first", 0.5), ("last", 0.4), ("min", 0.3), ("max", 0.9)])
def test_the_rule_says_which_number_of_an_epoch_counts(of_epoch: str, expected: float) -> None:
    text = "Epoch 1 val_loss=0.5\nEpoch 1 val_loss=0.9\nEpoch 1 val_loss=0.3\nval_loss=nan\nEpoch 1 val_loss=0.4\n"
    readings = read(f"{text}Epoch 2 val_loss=7\nEpoch 1 val_loss=0.1\n", EPOCH, NUMBER, of_epoch=of_epoch)
    assert readings.values["val_loss"] == {1: expected, 2: 7.0}


def test_all_but_the_first_of_an_epoch_is_known_when_the_epoch_is_over() -> None:
    text = "Epoch 1 val_loss=0.5\nEpoch 1 val_loss=0.9\n"
    assert read(text, EPOCH, NUMBER, of_epoch="last", close=False).values == {}
    assert read(text, EPOCH, NUMBER, of_epoch="last").values == {"val_loss": {1: 0.9}}
    assert read(f"{text}Epoch 2\n", EPOCH, NUMBER, of_epoch="last", close=False).values == {"val_loss": {1: 0.9}}


def test_epochs_that_are_fractions_are_rounded_where_the_rule_says_so() -> None:
    text = "".join(f"{{'epoch': {epoch}, val_loss={epoch}}}\n" for epoch in (0.5, 0.99, 1.99, 3.0))
    patterns = (r"'epoch': (?P<epoch>{number})", NUMBER)
    assert read(text, *patterns, round_epochs=True).values["val_loss"] == {1: 0.5, 2: 1.99, 3: 3.0}
    assert read(text, *patterns).fractional_epoch == 0.5


def test_the_last_line_needs_no_end_when_the_program_has_ended_well() -> None:
    assert read("Epoch 1 val_loss=0.5", EPOCH, NUMBER, close=False).values == {}
    assert read("Epoch 1 val_loss=0.5", EPOCH, NUMBER).values == {"val_loss": {1: 0.5}}


@pytest.mark.parametrize(
    "pattern", [r"a.*?(\d+).*?(\d+).*?(\d+).*?(\d+)(?P<val_loss>\d+)z", r"(?P<val_loss>\d)(.*1 ){6}z"]
)
def test_a_search_without_an_end_is_ended_and_names_pattern_and_line(pattern: str) -> None:
    readings = read("a" + "1 " * 490 + "\nEpoch 1\nval_loss=0.5\n", pattern)
    assert readings.problem.startswith(f"the pattern {pattern!r} took longer than 1 s on the line 'a1 1 1")
    assert readings.values == {}
