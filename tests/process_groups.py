"""Processes that tests start in sessions of their own."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any


def kill_group(process: subprocess.Popen[Any]) -> None:
    """Kills a process and those of its group, unless it has ended, and waits for it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
