"""What a runner shares with nobody on this machine: the lock on its study, and a terminal that may be closed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from automl.errors import AlreadyRunning


@contextmanager
def locked(work: Path) -> Iterator[None]:
    """Keeps two runs of one study on this machine apart; the kernel lets go of it when a process dies.

    No decision rests on it: two runs would only train twice.
    """
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"the study is being run by another process ({work / 'lock'} is held)",
                advice="wait for it, or see it with 'automl watch'",
            ) from error
        yield


def is_locked(work: Path) -> bool:
    """Whether a process of this machine runs the study. It keeps nobody from that, and writes nothing."""
    try:
        with (work / "lock").open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def silence_closed(terminals: Sequence[int]) -> None:
    """What would be written to a terminal that was closed goes nowhere: to write to it is an error."""
    for file in terminals:
        if not os.isatty(file):
            os.dup2(os.open(os.devnull, os.O_WRONLY), file)
