"""When a number of a log counts: at the end of its line, and of its epoch. Odd lines are in tests/corpus/logs."""

from __future__ import annotations

from automl.execution.status_readers import PARSERS, MetricReadings, StatusRule

PATTERNS = (r"Epoch (?P<epoch>\d+)", r"val_loss=(?P<val_loss>{number})")


def values(text: str, *, close: bool, **rule: str) -> dict[str, dict[int, float]]:
    readings = MetricReadings(StatusRule.model_validate({"reader": "regex", "patterns": PATTERNS, **rule}), "val_loss")
    parser = PARSERS["regex"](readings)
    parser.feed(text.encode())
    if close:
        parser.close()
        readings.close()
    return readings.values


def test_all_but_the_first_of_an_epoch_is_known_when_the_epoch_is_over() -> None:
    text = "Epoch 1 val_loss=0.5\nEpoch 1 val_loss=0.9\n"
    assert values(text, of_epoch="last", close=False) == {}
    assert values(text, of_epoch="last", close=True) == {"val_loss": {1: 0.9}}
    assert values(f"{text}Epoch 2\n", of_epoch="last", close=False) == {"val_loss": {1: 0.9}}


def test_the_last_line_needs_no_end_when_the_program_has_ended_well() -> None:
    assert values("Epoch 1 val_loss=0.5", close=False) == {}
    assert values("Epoch 1 val_loss=0.5", close=True) == {"val_loss": {1: 0.5}}
