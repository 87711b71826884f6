"""Files of a user's program: whether one can be read like a file, its ends, its printed name, its disk space."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

_KEEP_SIZE_PUNCH_HOLE = 3  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE of fallocate(2)


@dataclass(frozen=True)
class Ends:
    """The beginning and the end of a file of `size` bytes, without what lies between them; one that fits is `first`."""

    first: bytes
    last: bytes
    size: int

    @property
    def is_whole(self) -> bool:
        return self.size == len(self.first) + len(self.last)


def readable(name: str) -> str:
    """The name of a file for a message, also where its bytes are no text."""
    return os.fsencode(name).decode(errors="backslashreplace")


def is_plain(path: Path) -> bool:
    """Whether it is a file that this process may read, not a folder, a pipe or a device. Raises nothing."""
    try:
        return stat.S_ISREG(path.stat().st_mode) and os.access(path, os.R_OK)
    except OSError:
        return False


def ends(path: Path, first: int, last: int, begin: int = 0) -> Ends | None:
    """At most `first` bytes of a file from `begin` on, and `last` of its end, as it is now. None for what is none.

    Waits for no pipe, and takes no more where the file is written to meanwhile.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                return None
            size = max(0, about.st_size - begin)
            file.seek(begin)
            if size <= first + last:
                whole = file.read(size)
                return Ends(whole, b"", len(whole))
            beginning = file.read(first)
            file.seek(begin + size - last)
            return Ends(beginning, file.read(last), size)
    except OSError:
        return None


def free_space(path: Path, begin: int, end: int) -> bool:
    """Gives the disk space of bytes `begin` to `end` back, while the file keeps its size and its writer goes on.

    What is read there from then on is zeros. Returns False where the system or the file system cannot do that: then
    nothing has changed.
    """
    if not sys.platform.startswith("linux") or end <= begin:
        return False
    import ctypes  # noqa: PLC0415 - only a training that prints very much needs it

    fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_NONBLOCK), "wb") as file:
            freed: int = fallocate(file.fileno(), _KEEP_SIZE_PUNCH_HOLE, begin, end - begin)
    except OSError:
        return False
    return freed == 0
