"""Metrics are found in what programs print, and the patterns that are made read just them."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.drafting.metrics import goal, printed, ranked
from automl.drafting.source_lines import printed_lines
from automl.execution.status_readers import Follower, StatusRule

HF = (
    "{'loss': 0.5, 'learning_rate': 2e-05, 'epoch': 0.5}\n"
    "{'eval_loss': 0.42, 'eval_accuracy': 0.81, 'epoch': 1.0}\n{'train_runtime': 3.2, 'epoch': 1.0}\n"
)
LOGS: dict[str, tuple[str, str, float]] = {  # the log, the metric that comes first, its value at epoch 1
    "one line": ("Namespace(lr=0.1, epochs=1)\nepoch 1 val_acc=0.91\n", "val_acc", 0.91),
    "many batches": (
        "Train Epoch: 1 [0/60]\tLoss: 2.3\nTrain Epoch: 1 [32/60]\tLoss: 1.2\n"
        "\nTest set: Average loss: 0.0282, Accuracy: 9912/10000 (99%)\n",
        "Accuracy",
        9912,
    ),
    "dictionaries": (HF, "eval_accuracy", 0.81),
    "a progress bar": (
        "Epoch 1/1\n1/2 - loss: 2.0\r2/2 - accuracy: 0.5 - loss: 1.3 - val_accuracy: 0.6 - val_loss: 1.1\n",
        "val_accuracy",
        0.6,
    ),
    "words": ("Epoch 0: train loss 0.5213, val loss 0.6001, lr 0.1\n", "val_loss", 0.6001),
    "a part of another name": ("Epoch 1: val loss 0.4, loss 0.3\n", "val_loss", 0.4),
    "lines below the epoch": ("Epoch 1/1\n  train_loss: 0.4\n  val_f1 = 0.8\n", "val_f1", 0.8),
    "no epoch": ("accuracy: 0.93\n", "accuracy", 0.93),
    "a logger": ("2024-01-01 12:00:00,123 INFO train.py:33 Epoch [1/1] loss=0.33 valid/mAP=0.5\n", "valid_mAP", 0.5),
    "colours": ("\x1b[32mepoch 1\x1b[0m \x1b[1mtest_acc: 0.7\x1b[0m\n", "test_acc", 0.7),
    "before the epoch": ("val_loss: 0.5\nepoch 1 done\n", "val_loss", 0.5),
    "small numbers": ("epoch=1 eval_loss=9.1e-05\n", "eval_loss", 9.1e-05),
}


@pytest.mark.parametrize(("log", "name", "value"), LOGS.values(), ids=LOGS.keys())
def test_the_metric_is_found_and_read_by_its_pattern(log: str, name: str, value: float, tmp_path: Path) -> None:
    best = ranked(printed(log))[0]
    assert best.name == name
    (tmp_path / "log.txt").write_text(log)
    follower = Follower(StatusRule.model_validate(dict(best.status)), tmp_path, tmp_path / "log.txt", name, 0)
    follower.close()
    assert follower.readings.refused == {}
    assert follower.readings.values[name] == {1: value}


def test_a_loss_is_not_the_loss_of_other_words(tmp_path: Path) -> None:
    log = "Epoch 1: val loss 0.4, loss 0.3, val loss 0.4\n"
    (loss,) = [each for each in printed(log) if each.name == "loss"]
    (tmp_path / "log.txt").write_text(log)
    follower = Follower(StatusRule.model_validate(dict(loss.status)), tmp_path, tmp_path / "log.txt", "loss", 0)
    follower.close()
    assert follower.readings.values["loss"] == {1: 0.3}


@pytest.mark.parametrize("log", ["", "nothing here\n", "epoch 1\n", "lr=0.1 batch_size: 32 time 3s\n", "1 2 3\n"])
def test_no_metric_is_none(log: str) -> None:
    assert printed(log) == []


GOALS = {
    "val_loss": "minimize",
    "eval/error": "minimize",
    "WER": "minimize",
    "rmse": "minimize",
    "val_acc": "maximize",
    "Accuracy": "maximize",
    "mIoU": "maximize",
    "test.f1": "maximize",
    "reward": "maximize",
    "quality": None,
}


@pytest.mark.parametrize(("name", "expected"), GOALS.items())
def test_the_goal_of_a_name(name: str, expected: str | None) -> None:
    assert goal(name) == expected


SOURCES = {
    'for epoch in range(9): print(f"epoch {epoch} val_acc={acc:.3f}")': "epoch 0 val_acc=1",
    'for epoch in range(9): print(f"epoch {epoch + 1}/{n} val_acc={acc:.3f}")': "epoch 1/1 val_acc=1",
    'for e in range(1, n + 1): print("Epoch %d: loss %.3f" % (e, loss))': "Epoch 1: loss 1",
    'print("Epoch", epoch, "loss:", loss)': "Epoch 1 loss: 1",
    'logger.info("Epoch {} acc={:.2f}".format(epoch, acc))': "Epoch 1 acc=1",
}


@pytest.mark.parametrize(("source", "line"), SOURCES.items())
def test_the_lines_that_a_source_would_print(source: str, line: str) -> None:
    assert list(printed_lines(source)) == [line]


def test_what_is_no_python_prints_nothing() -> None:
    assert list(printed_lines("#!/bin/sh\necho 'epoch 1 loss=0.5'")) == []
