"""Where a study is stored: `open_store` turns "./study", "s3://bucket/prefix" or "memory:name" into a `Store`.

A kind of store is imported when its scheme is first used: boto3 costs a second that a folder never needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import cast
from urllib.parse import unquote, urlsplit

from automl.errors import InvalidInput, nearest
from automl.stores import base
from automl.stores.base import Store, check_key, probe

__all__ = ["Store", "check_key", "open_store", "probe"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_OPENERS = {  # scheme -> (module, the function in it that opens what follows the scheme)
    "file": ("automl.stores.folder", "open_folder"),
    "s3": ("automl.stores.s3", "open_s3"),
    "memory": ("automl.stores.memory", "open_memory"),
}
_ALLOWED = "a folder (./study, /abs/study, file:///abs/study), s3://bucket/prefix, memory:name"


def open_store(uri: str, *, probe: bool = False) -> Store:
    """The store at this address. Nothing is read or written, unless `probe` asks for a proof that the store is safe.

    Raises InvalidInput for an address of no store; with `probe`, UnsafeStore or StoreError (see base.probe).
    """
    scheme, rest = _split(uri)
    module, opener = _OPENERS[scheme]
    store = cast(Callable[[str], Store], getattr(import_module(module), opener))(rest)
    if probe:
        base.probe(store)
    return store


def _split(uri: str) -> tuple[str, str]:
    """Scheme, and what its opener takes: a path, "bucket/prefix", or a name."""
    if not uri.strip() or "\0" in uri:
        raise InvalidInput(f"the store {uri!r} is not an address", allowed=_ALLOWED)
    match = _SCHEME.fullmatch(uri)
    if not match:
        return "file", uri
    scheme, rest = match[1].lower(), match[2]
    if scheme not in _OPENERS:
        advice = nearest(scheme, _OPENERS) or _advice(scheme)
        raise InvalidInput(
            f"the store {_public(uri)!r} has the unknown scheme {scheme!r}", allowed=_ALLOWED, advice=advice
        )
    if scheme == "memory":
        return scheme, rest
    if not rest.startswith("//"):
        with_slashes = _public("s3://" + rest.lstrip("/"))
        advice = f"write {with_slashes}" if scheme == "s3" else "write the path alone"
        raise InvalidInput(f"the store {_public(uri)!r} has no '//' after its scheme", allowed=_ALLOWED, advice=advice)
    if scheme == "file":
        return scheme, _local_path(uri)
    return scheme, rest[2:]


def _local_path(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.netloc not in {"", "localhost"} or not parts.path or parts.query or parts.fragment:
        raise InvalidInput(
            f"the store {_public(uri)!r} is not a folder of this machine",
            allowed=_ALLOWED,
            advice="a file address has three slashes and no '?' or '#'",
        )
    return unquote(parts.path)


def _advice(scheme: str) -> str:
    if scheme in {"http", "https"}:
        return "for an S3 server of your own, set AWS_ENDPOINT_URL to its address and write s3://bucket/prefix"
    return "for a folder whose name has a colon, write ./ before it"


def _public(uri: str) -> str:
    """The address without what may be a secret: user and password before '@', and a query."""
    head, _, _ = uri.partition("?")
    start, at, end = head.rpartition("@")
    return f"{start.partition(':')[0]}://...@{end}" if at else head
