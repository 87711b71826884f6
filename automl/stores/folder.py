"""A store in a folder of this machine: objects are plain files that neither a crash nor a full disk can tear.

A write goes to a file of its own below `.tmp-incoming/`, is flushed to the disk, and then gets its name in one step: a
hard link for create (the file system refuses a second one), a rename for put. The folder's entry is flushed too before
the write counts.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from automl.errors import StoreError
from automl.stores.base import PROBE, TEMPORARY, Keys, Store, check_key, check_prefix, is_listed
from automl.stores.local_files import check_source, os_errors, replacing, write_durably

T = TypeVar("T")

_INCOMING = f"{TEMPORARY}incoming"
_LOCK = f"{TEMPORARY}lock"
_ABANDONED_AFTER_SECONDS = 3600  # an unfinished file that nobody touched for so long is a killed process's
_COPIED_AT_ONCE = 1 << 20
_TRIES = 64  # each needs a delete that removes the very folder in between
_KEEPS_FOLDER = {errno.ENOTEMPTY, errno.EEXIST, errno.EACCES, errno.EPERM, errno.EBUSY}  # an empty one does no harm
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


class FolderStore:
    """Objects as files below one folder, which the first write creates."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.abspath(root))  # noqa: PTH100  # resolve() would not show users the path they gave
        self._swept = False

    @property
    def uri(self) -> str:
        """The folder's absolute path."""
        return str(self._root)

    def get(self, key: str) -> bytes | None:
        """The bytes under the key, or None."""
        path = self._path(key)
        with os_errors(f"read {key!r} in {self.uri}"):
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                self._refuse_file_as_root()
                return None

    def fetch(self, key: str, to: Path) -> bool:
        """Copy the object into a file; False when there is none."""
        path = self._path(key)
        with os_errors(f"fetch {key!r} in {self.uri} into {str(to)!r}"):
            try:
                source = path.open("rb")
            except (FileNotFoundError, NotADirectoryError):
                self._refuse_file_as_root()
                return False
            with source, replacing(to) as temporary, temporary.open("xb") as target:
                shutil.copyfileobj(source, target, _COPIED_AT_ONCE)
        return True

    def create(self, key: str, data: bytes) -> bytes:
        """Store the bytes unless the key exists; what lies under it now."""
        target = self._path(key)

        def name(unfinished: Path) -> bytes:
            try:
                self._name_once(unfinished, target)
            except FileExistsError:
                return target.read_bytes()
            return data

        return self._write(target, data, name)

    def put(self, key: str, data: bytes | Path) -> None:
        """Store the bytes, or the file's content."""
        target = self._path(key)
        if isinstance(data, Path):
            check_source(data)
        self._write(target, data, lambda unfinished: unfinished.replace(target))

    def list(self, prefix: str) -> Keys:
        """Every key that begins with the prefix, sorted."""
        check_prefix(prefix)
        folder = prefix.rpartition("/")[0]
        top = self._path(folder) if folder else self._root
        with os_errors(f"list {prefix!r} in {self.uri}"):
            self._refuse_file_as_root()
            return sorted(key for key in self._files(top, prefix) if is_listed(key, prefix))

    def delete(self, key: str) -> None:
        """Remove the object, if there is one, and the folders that it leaves empty."""
        path = self._path(key)
        with os_errors(f"delete {key!r} in {self.uri}"):
            try:
                with _opened_folder(path.parent) as folder:
                    path.unlink()
                    _flush(folder)
            except (FileNotFoundError, NotADirectoryError):
                self._refuse_file_as_root()
                return
            self._prune(path.parent)

    def _path(self, key: str) -> Path:
        """The key's file. Raises StoreError for a bad key, and for a symbolic link on the way: it may lead anywhere."""
        check_key(key)
        path = self._root
        with os_errors(f"reach {key!r} in {self.uri}"):
            for segment in key.split("/"):
                path /= segment
                if path.is_symlink():
                    raise StoreError(
                        f"{str(path)!r} is a symbolic link",
                        advice="a store follows no link below its folder: move what it points to here",
                    )
        return path

    def _write(self, target: Path, data: bytes | Path, name: Callable[[Path], T]) -> T:
        """Write an unfinished file and let `name` give it its name; returns when both are on the disk."""
        key = target.relative_to(self._root).as_posix()
        with os_errors(f"write to the store {self.uri}" if key.startswith(PROBE) else f"write {key!r} in {self.uri}"):
            incoming = self._root / _INCOMING
            unfinished = incoming / secrets.token_hex(8)
            self._make_folder(incoming)
            self._sweep(incoming)
            try:
                write_durably(unfinished, data)
                return self._settle(target.parent, lambda: name(unfinished))
            finally:
                unfinished.unlink(missing_ok=True)

    def _settle(self, folder: Path, name: Callable[[], T]) -> T:
        """Calls `name` and flushes the folder; again when a delete took the folder or the winner's object meanwhile."""
        for _ in range(_TRIES):
            try:
                self._make_folder(folder)
                with _opened_folder(folder) as handle:
                    try:
                        return name()
                    finally:  # the loser of a race too: it acts on the winner's object, which must outlive a power cut
                        _flush(handle)
            except FileNotFoundError:
                continue
        raise StoreError(
            f"{str(folder)!r} is deleted as fast as it is created",
            advice="stop the program that deletes below the store",
        )

    def _name_once(self, unfinished: Path, target: Path) -> None:
        """Give the file its name unless the name is taken. Raises FileExistsError when it is."""
        try:
            os.link(unfinished, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            self._rename_once(unfinished, target)

    def _rename_once(self, unfinished: Path, target: Path) -> None:
        # For file systems without hard links. A lock, not O_EXCL: a writer that dies half-way must not leave a torn
        # object behind, and the kernel frees the lock of a dead process.
        with (self._root / _LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
            unfinished.rename(target)

    def _make_folder(self, folder: Path) -> None:
        """Creates the folder and those above it, each flushed to the disk."""
        missing: list[Path] = []
        while not folder.is_dir() and folder != folder.parent:
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            try:
                path.mkdir()
            except FileExistsError:
                if path.exists() and not path.is_dir():
                    raise
            with _opened_folder(path.parent) as handle:
                _flush(handle)

    def _sweep(self, incoming: Path) -> None:
        """Once per process, remove what killed processes left unfinished."""
        if self._swept:
            return
        self._swept = True
        oldest = time.time() - _ABANDONED_AFTER_SECONDS
        for path in list(incoming.iterdir()):
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
            except FileNotFoundError:
                continue  # another process has finished or swept it

    def _prune(self, folder: Path) -> None:
        while folder != self._root:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass  # another delete was faster; go on above
            except OSError as error:
                if error.errno in _KEEPS_FOLDER:
                    return
                raise
            folder = folder.parent

    def _files(self, folder: Path, prefix: str) -> Iterator[str]:
        """Keys of the files below the folder; folders that cannot hold a listed key are not entered."""
        try:
            entries = list(os.scandir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return  # deleted meanwhile, or never there
        for entry in entries:
            path = Path(entry.path)
            key = path.relative_to(self._root).as_posix()
            if entry.is_file(follow_symlinks=False):
                yield key
            elif entry.is_dir(follow_symlinks=False) and is_listed(f"{key}/x", prefix):
                yield from self._files(path, prefix)

    def _refuse_file_as_root(self) -> None:
        try:
            mode = self._root.stat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(mode):
            raise StoreError(f"the store {self.uri} is a file", allowed="a folder, or a path where one can be created")


@contextmanager
def _opened_folder(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield handle
    finally:
        os.close(handle)


def _flush(folder: int) -> None:
    """Flush the names in an opened folder to the disk."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network file systems know no flush of a folder
            raise


def open_folder(path: str) -> Store:
    """The store in the folder; nothing is created or read yet."""
    return FolderStore(Path(path).expanduser())
