"""What every store does: six verbs over keys and bytes, one of them create-once, and a probe that proves it.

A store holds objects: bytes under a key such as `decisions/0/00003.json`. The truth of a study depends on
`create` alone: the first writer of a key wins, and every writer gets what the winner wrote. All else can be rebuilt.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Protocol, TypeAlias

from automl.errors import StoreError, UnsafeStore

Keys: TypeAlias = list[str]  # inside a class with a method `list`, the word `list` no longer means the type

TEMPORARY = ".tmp-"  # names that begin so are a store's own unfinished files, never objects
MAX_SEGMENT_BYTES = 240  # file systems stop at 255
MAX_KEY_BYTES = 800  # S3 stops at 1,024, the store's prefix included
MAX_PREFIX_BYTES = 200

_SEGMENT = re.compile(r"[A-Za-z0-9._=+@-]+")
_ALLOWED_KEYS = (
    "segments of A-Z a-z 0-9 . _ = + @ - joined by '/', none of them '.' or '..', "
    f"each at most {MAX_SEGMENT_BYTES} bytes, the whole at most {MAX_KEY_BYTES}"
)


class Store(Protocol):
    """Objects under keys. Every method raises StoreError when the store cannot do it."""

    @property
    def uri(self) -> str:
        """The store as a user would write it: "/abs/folder", "s3://bucket/prefix", "memory:"; without credentials."""
        ...

    def get(self, key: str) -> bytes | None:
        """The bytes under the key, or None when there is no such object."""
        ...

    def fetch(self, key: str, to: Path) -> bool:
        """Write the object into the file `to`, whole or not at all, creating its folders. False when there is none."""
        ...

    def create(self, key: str, data: bytes) -> bytes:
        """Store the bytes unless the key exists; return what it holds now, ours or the winner's. Never overwrites."""
        ...

    def put(self, key: str, data: bytes | Path) -> None:
        """Store the bytes, or the file's content, over whatever the key held. A reader sees old or new, never a mix."""
        ...

    def list(self, prefix: str) -> Keys:
        """Every key that begins with the string `prefix`, sorted.

        A key with a segment that begins with '.' is shown only when `prefix` names that dot.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is not an error."""
        ...


def check_key(key: str) -> None:
    """Raise StoreError unless the key means the same object on every kind of store and cannot lead out of one."""
    problem = _problem(key)
    if problem:
        raise StoreError(f"the key {_shown(key)} {problem}", allowed=_ALLOWED_KEYS)


def check_prefix(prefix: str) -> None:
    """Raise StoreError unless the string can begin a key; the last segment may be cut off anywhere, or be empty."""
    folder, _, start = prefix.rpartition("/")
    problem = _problem(folder) if folder or prefix.startswith("/") else ""
    if not problem and start and not _SEGMENT.fullmatch(start):
        problem = "has characters that no key may have"
    if problem:
        raise StoreError(f"the prefix {_shown(prefix)} {problem}", allowed=f"the beginning of a key: {_ALLOWED_KEYS}")


def is_listed(key: str, prefix: str) -> bool:
    """Whether `list(prefix)` shows this name: names that are not keys and hidden segments are left out."""
    if not key.startswith(prefix) or _problem(key):
        return False
    start = 0
    for segment in key.split("/"):
        if segment.startswith(".") and start >= len(prefix):
            return False
        start += len(segment) + 1
    return True


def _problem(key: str) -> str:
    """What is wrong with the key; empty when it is right."""
    if not key:
        return "is empty"
    if len(key.encode(errors="surrogatepass")) > MAX_KEY_BYTES:
        return f"is longer than {MAX_KEY_BYTES} bytes"
    return next(filter(None, map(_segment_problem, key.split("/"))), "")


def _segment_problem(segment: str) -> str:
    if not segment:
        return "begins or ends with '/', or has '//' in it"
    if segment in {".", ".."} or not _SEGMENT.fullmatch(segment):
        return f"has the segment {_shown(segment)}"
    if len(segment) > MAX_SEGMENT_BYTES:
        return f"has a segment of {len(segment)} bytes"
    if segment.startswith(TEMPORARY):
        return f"has a segment that begins with {TEMPORARY!r}, which stores use for unfinished files"
    return ""


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 120 else f"{text[:117]}...")


PROBE = ".probe/"  # how the keys of `probe` begin
_WRITERS = 8
_SAFE_STORES = (
    "stores known to do both: AWS S3, SeaweedFS 4.48, MiniStack, a local folder; "
    "known not to: nanio, s3rver, localbucket (it ignores some conditions); check the store's version"
)


def probe(store: Store) -> None:
    """Proves on temporary keys below `.probe/` that the store creates once and shows writes; takes about 25 requests.

    Raises UnsafeStore when it does not, StoreError when it cannot be reached or refuses.
    """
    folder = f"{PROBE}{secrets.token_hex(8)}"
    raced, view = f"{folder}/raced", f"{folder}/view"
    try:
        _demand(store, store.get(raced) is None, "shows an object that nobody wrote")
        _probe_create(store, raced)
        _probe_views(store, folder, view)
        _clean(store, (raced, view))
        _demand(
            store,
            store.get(raced) is None and store.list(f"{folder}/") == [],
            "still shows objects after they were deleted",
        )
    except UnsafeStore:
        _clean(store, (raced, view))
        raise


def _probe_create(store: Store, key: str) -> None:
    offers = [f"writer {number}\n".encode() for number in range(_WRITERS)]
    answers = _race([_offer(store, key, data) for data in offers])
    stored = store.get(key)
    _demand(
        store,
        set(answers) == {stored} and stored in offers,
        f"gave {len(set(answers))} different answers to {_WRITERS} writers that created one key at the same time",
    )
    late = store.create(key, b"too late\n")
    _demand(store, late == stored == store.get(key), "overwrote an object that was to be created once")


def _probe_views(store: Store, folder: str, key: str) -> None:
    for data in (b"old\n", b"new\n"):
        store.put(key, data)
        _demand(store, store.get(key) == data, "did not return what had just been written")
    _demand(store, key in store.list(f"{folder}/"), "did not list what had just been written")


def _clean(store: Store, keys: Iterable[str]) -> None:
    for key in keys:
        store.delete(key)


def _offer(store: Store, key: str, data: bytes) -> Callable[[], bytes]:
    return lambda: store.create(key, data)


def _race(calls: list[Callable[[], bytes]]) -> list[bytes]:
    barrier = Barrier(len(calls))

    def run(call: Callable[[], bytes]) -> bytes:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def _demand(store: Store, kept: bool, fault: str) -> None:
    if not kept:
        raise UnsafeStore(
            f"the store {store.uri} {fault}",
            allowed="a store that creates a key once (`If-None-Match: *`) and shows a write to later reads and lists",
            advice=_SAFE_STORES,
        )
