"""A store in the memory of this process, for tests and simulations: nothing outlives the process.

It is as strict as the strictest real store: like a folder, it refuses a key that is both an object and a folder.
"""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

from automl.errors import StoreError
from automl.stores.base import Keys, Store, check_key, check_prefix, is_listed
from automl.stores.local_files import check_source, os_errors, replacing


class MemoryStore:
    """Objects in a dictionary behind a lock."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._objects: dict[str, bytes] = {}
        self._folders: Counter[str] = Counter()  # folder -> how many objects lie in it or below
        self._lock = threading.Lock()

    @property
    def uri(self) -> str:
        """The store as a user would write it."""
        return f"memory:{self._name}"

    def get(self, key: str) -> bytes | None:
        """The bytes under the key, or None."""
        check_key(key)
        with self._lock:
            self._refuse_folder(key)
            return self._objects.get(key)

    def fetch(self, key: str, to: Path) -> bool:
        """Write the object into a file; False when there is none."""
        data = self.get(key)
        if data is None:
            return False
        with os_errors(f"fetch {key!r} into {str(to)!r}"), replacing(to) as temporary:
            temporary.write_bytes(data)
        return True

    def create(self, key: str, data: bytes) -> bytes:
        """Store the bytes unless the key exists; what lies under it now."""
        check_key(key)
        with self._lock:
            if key not in self._objects:
                self._add(key, bytes(data))
            return self._objects[key]

    def put(self, key: str, data: bytes | Path) -> None:
        """Store the bytes, or the file's content."""
        check_key(key)
        content = self._content(data)
        with self._lock:
            if key in self._objects:
                self._objects[key] = content
            else:
                self._add(key, content)

    def list(self, prefix: str) -> Keys:
        """Every key that begins with the prefix, sorted."""
        check_prefix(prefix)
        with self._lock:
            return sorted(key for key in self._objects if is_listed(key, prefix))

    def delete(self, key: str) -> None:
        """Remove the object, if there is one."""
        check_key(key)
        with self._lock:
            self._refuse_folder(key)
            if self._objects.pop(key, None) is not None:
                self._folders.subtract(_folders(key))

    @staticmethod
    def _content(data: bytes | Path) -> bytes:
        if not isinstance(data, Path):
            return bytes(data)
        check_source(data)
        with os_errors(f"read {str(data)!r}"):
            return data.read_bytes()

    def _add(self, key: str, data: bytes) -> None:
        self._refuse_folder(key)
        for folder in _folders(key):
            if folder in self._objects:
                raise _both(folder)
        self._objects[key] = data
        self._folders.update(_folders(key))

    def _refuse_folder(self, key: str) -> None:
        if self._folders[key] > 0:
            raise _both(key)


def _folders(key: str) -> Keys:
    return [key[:end] for end, letter in enumerate(key) if letter == "/"]


def _both(key: str) -> StoreError:
    return StoreError(
        f"the key {key!r} would be both an object and a folder of objects", advice="give one of them another name"
    )


_named: dict[str, MemoryStore] = {}
_named_lock = threading.Lock()


def open_memory(name: str) -> Store:
    """The one store of this process that has this name; created when it is first opened."""
    with _named_lock:
        return _named.setdefault(name, MemoryStore(name))
