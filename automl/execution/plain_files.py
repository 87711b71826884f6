"""Files that a user's program left: whether one can be read like a file, and how its name is printed."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def readable(name: str) -> str:
    """The name of a file for a message, also where its bytes are no text."""
    return os.fsencode(name).decode(errors="backslashreplace")


def is_plain(path: Path) -> bool:
    """Whether it is a file that this process may read, not a folder, a pipe or a device. Raises nothing."""
    try:
        return stat.S_ISREG(path.stat().st_mode) and os.access(path, os.R_OK)
    except OSError:
        return False
