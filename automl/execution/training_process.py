"""How a training is started on this machine, asked to stop, and ended: as a process with a group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from automl.errors import AutoMLError
from automl.execution import launcher, leftovers
from automl.execution.steps.stage_in import Launch


class Training(Protocol):
    """A training that was started."""

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        ...

    def signal(self, number: int) -> None:
        """Sends a signal to it and to all that it started; nothing when it has ended."""
        ...

    def close(self) -> None:
        """Leaves nothing of it running."""
        ...


Start = Callable[[Launch, int], Training]  # what is started, and how many are side by side


class TrainingProcess:
    """Starts the program of a launch; what it prints goes to the launch's log."""

    def __init__(self, launch: Launch, jobs: int) -> None:
        self._log = launch.log.open("ab")
        try:
            self._process = subprocess.Popen(
                (sys.executable, "-I", "-S", launcher.__file__, str(os.getpid()), *launch.argv),
                cwd=launch.working or launch.folder,
                env={**_environment(jobs), **launch.environment, leftovers.ATTEMPT_VARIABLE: launch.attempt},
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we ask the trainings to stop
            )
        except OSError as error:
            self._log.close()
            raise AutoMLError(
                f"a training cannot be started on this machine: {error.strerror}",
                advice="free memory or processes, or lower 'run: jobs'; the same command continues",
            ) from error
        self._attempt = launch.attempt
        self._origin = leftovers.note(launch.folder, self._process.pid)

    def poll(self) -> int | None:
        return self._process.poll()

    def signal(self, number: int) -> None:
        if self._process.poll() is None:
            others = [process for process in self._running() if process.group != self._process.pid]
            self._signal_group(number)
            leftovers.send(others, number)

    def close(self) -> None:
        others = self._running()  # those that have left the group are found while the first one lives
        self._signal_group(signal.SIGKILL)  # also what a program that has ended left behind, such as loaders of data
        self._process.wait()
        leftovers.send([*others, *self._running()], signal.SIGKILL)
        self._log.close()

    def _running(self) -> list[leftovers.Process]:
        return leftovers.running(self._attempt, self._origin)

    def _signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):  # the second is what macOS says of one that has ended
            os.killpg(self._process.pid, number)


def _environment(jobs: int) -> dict[str, str]:
    """Ours, with the CPU cores divided among the trainings side by side."""
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, threads), "PYTHONUNBUFFERED": "1"}


_KEEPS_THE_PROTOCOL: Start = TrainingProcess
