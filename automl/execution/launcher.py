"""Starts a training program that dies with the runner that started it: `python -I launcher.py PID PROGRAM ARGUMENT...`.

A runner that is killed outright can stop nothing; Linux does it, if it was asked to beforehand. Standard library only.
"""

import ctypes
import os
import signal
import sys

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def main() -> None:
    parent, *argv = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != int(parent):  # it died before it could be asked
        sys.exit(1)
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - no shell; the argv is the network's own
    except OSError as error:
        sys.exit(f"{argv[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
