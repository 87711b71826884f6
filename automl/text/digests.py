"""Digests of files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def sha256_of(path: Path) -> str:
    with open(path, "rb", opener=_without_waiting) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _without_waiting(path: str, flags: int) -> int:
    """A program may have put a pipe in the place of its file, and nobody may ever write to that."""
    return os.open(path, flags | os.O_NONBLOCK)
