"""Writes files of this machine so that a crash leaves the old one or the new one, and says why a write failed."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl.errors import StoreError
from automl.stores.base import TEMPORARY

_AGAIN = "then run the same command again; what was stored before is intact"
_ADVICE = {
    errno.ENOSPC: f"the disk is full: free some space, {_AGAIN}",
    errno.EDQUOT: f"the disk quota is used up: free some space, {_AGAIN}",
    errno.EFBIG: "the file is larger than this file system or `ulimit -f` allows",
    errno.ENOENT: "a folder cannot be created there: choose another one, by 'run: store' or --store",
    errno.EROFS: "the file system is read-only: choose a folder that can be written",
    errno.EACCES: "this user lacks the permission: change that of the folder, or choose another folder",
    errno.EPERM: "this user lacks the permission: change that of the folder, or choose another folder",
    errno.ENOTDIR: "there is a file where a folder is needed: one key cannot be an object and a folder of objects",
    errno.EISDIR: "there is a folder where an object is expected: one key cannot be an object and a folder of objects",
    errno.EEXIST: "there is a file where a folder is needed: one key cannot be an object and a folder of objects",
    errno.ENAMETOOLONG: "choose a folder with a shorter path",
    errno.EMFILE: "too many files are open in this process: raise `ulimit -n`",
    errno.EIO: "the disk reports an error: check it before you continue",
    errno.ESTALE: "the network file system lost this folder: mount it again",
}


@contextmanager
def os_errors(doing: str) -> Iterator[None]:
    """Turn an OSError of the block into a StoreError that begins with "cannot <doing>"."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        where = f" ({error.filename})" if error.filename else ""
        raise StoreError(f"cannot {doing}: {reason}{where}", advice=_ADVICE.get(error.errno or 0, "")) from error


@contextmanager
def replacing(to: Path) -> Iterator[Path]:
    """A temporary path beside `to`, renamed to it when the block succeeds, else removed. Creates the folders above."""
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = to.parent / f"{TEMPORARY}{secrets.token_hex(8)}"
    try:
        yield temporary
        temporary.replace(to)
    finally:
        temporary.unlink(missing_ok=True)


def write_durably(path: Path, data: bytes | Path) -> None:
    """Write a new file from bytes or from another file, and return when the disk has it."""
    if isinstance(data, Path):
        shutil.copyfile(data, path)
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        return
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def check_source(path: Path) -> None:
    """Raise StoreError unless the path is a file that can be stored."""
    if not path.is_file():
        raise StoreError(f"cannot store {str(path)!r}: it is not a file", advice="store folders file by file")
