"""Which line of a log is the reason of a failure, in what programs of every kind leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.execution.steps.last_words import last_words

TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\n    main()\n'
# TAO's entry point ends every failed training by this
ENTRY_POINT = (
    "\x1b[33;20m2026-11-28 17:25:13,677 - [TAO Toolkit] - WARNING - Execution status: FAIL (entrypoint.py:515)\x1b[0m\n"
)
LOGS = {
    "a Python program": (TRACEBACK + "RuntimeError: the disk is full\n", "RuntimeError: the disk is full"),
    "an exception of a library": (
        TRACEBACK + "torch.distributed.DistStoreError: timed out\n\n",
        "torch.distributed.DistStoreError: timed out",
    ),
    "an exception without words": (TRACEBACK + "AssertionError\n", "AssertionError"),
    "before the entry point's own line": (
        TRACEBACK + "IndexError: Target 3 is out of bounds.\n" + ENTRY_POINT,
        "IndexError: Target 3 is out of bounds.",
    ),
    "a setting that hydra refuses": (
        "Error merging 'spec.yaml' with schema\nKey 'checkpointer' not in 'TrainExpConfig'\n"
        "    full_key: train.checkpointer\n    object_type=TrainExpConfig\n"
        "\nSet the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.\n" + ENTRY_POINT,
        "Key 'checkpointer' not in 'TrainExpConfig'",
    ),
    "an override that hydra refuses": (
        "Could not override 'lr'.\nTo append to your config use +lr=1\nKey 'lr' is not in struct\n    full_key: lr\n",
        "Key 'lr' is not in struct",
    ),
    "arguments that are refused": (
        "usage: train.py [-h] [--lr LR]\ntrain.py: error: unrecognized arguments: --rate 3\n",
        "train.py: error: unrecognized arguments: --rate 3",
    ),
    "in colours": ("\x1b[31mValueError\x1b[0m: \x1b[1mno such layer\x1b[0m\nbye\n", "ValueError: no such layer"),
    "of one of several processes": (
        "[rank1]: ValueError: shapes differ\n"
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n"
        "=====\ntrain.py FAILED\n=====\n",
        "[rank1]: ValueError: shapes differ",
    ),
    "nothing but the launcher's": (
        "subprocess.CalledProcessError: Command 'python' returned non-zero exit status 1.\n",
        "subprocess.CalledProcessError: Command 'python' returned non-zero exit status 1.",
    ),
    "C++": (
        "terminate called after throwing an instance of 'std::runtime_error'\n  what():  no device\nAborted\n",
        "what():  no device",
    ),
    "Go": ("panic: no device\n\ngoroutine 1 [running]:\nmain.main()\nexit status 2\n", "panic: no device"),
    "Java": (
        'Exception in thread "main" x\njava.lang.IllegalStateException: no device\n\tat a.b(C.java:3)\n',
        "java.lang.IllegalStateException: no device",
    ),
    "a shell": ("sh: 1: pyhton: not found\n", "sh: 1: pyhton: not found"),
    "plain words": ("epoch 1 loss 0.3\nthe data are gone\n\n", "the data are gone"),
    "the newest of two": (TRACEBACK + "OSError: retrying\nValueError: gave up\nbye\n", "ValueError: gave up"),
    "a metric that is named like one": ("mean_error: 0.3 in epoch 3\nno space left\n", "no space left"),
    "nothing": ("\n \n", ""),
}


@pytest.mark.parametrize("kind", LOGS)
def test_the_line_that_is_the_reason_is_found(kind: str, tmp_path: Path) -> None:
    text, reason = LOGS[kind]
    log = tmp_path / "log.txt"
    log.write_text(text)
    assert last_words(log) == reason


def test_a_huge_log_is_read_at_its_end_only(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_bytes(b"ValueError: long ago\n" + b"x" * 79 + b"\n" * 1000 + b"\xff\xfe\nthe data are gone\n")
    assert last_words(log) == "the data are gone"


def test_a_log_that_is_not_there_has_no_words(tmp_path: Path) -> None:
    assert last_words(tmp_path / "log.txt") == ""
